package main

import (
	"context"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
)

// Columns asks the offline store.
func (l lazyColumns) Columns(ctx context.Context, source *core.DataSource) ([]offline.Column, error) {
	return l.r.offlineStore().Columns(ctx, source)
}
