package main

import (
	"context"
	"strings"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
)

// Columns reads the columns where the source is, as Feast does: a file needs no
// offline store; a source of another kind of store than the configured one has no
// columns.
func (l lazyColumns) Columns(ctx context.Context, source *core.DataSource) ([]offline.Column, error) {
	class := classOf(source)
	switch {
	case source.GetType() == core.DataSource_BATCH_FILE:
		return l.r.files().Columns(ctx, source)
	case class == "RaySource": // Feast infers nothing from these
		return nil, nil
	}
	store, err := l.r.offlineStore("finding the columns of data source " + source.GetName())
	if err != nil {
		return nil, err
	}
	if class != "PostgreSQLSource" && class != "" {
		return nil, fault.New(fault.Unimplemented, "data source %s is a %s, which is not built into banquet: finding its columns needs it; "+
			"give its timestamp_field, the value_type of entities and the schema of views, or run this with Feast", source.GetName(), class).
			About("data source", source.GetName(), source.GetProject())
	}
	return store.Columns(ctx, source)
}

// MissingIndex asks the offline store, if it has indexes.
func (l lazyColumns) MissingIndex(ctx context.Context, view offline.JoinView) (string, error) {
	if view.Source.GetType() == core.DataSource_BATCH_FILE || classOf(view.Source) != "PostgreSQLSource" {
		return "", nil
	}
	store, err := l.r.offlineStore("finding indexes")
	if err != nil {
		return "", err
	}
	if i, ok := store.(apply.Indexer); ok {
		return i.MissingIndex(ctx, view)
	}
	return "", nil
}

// classOf is the class of a source, without its module.
func classOf(source *core.DataSource) string {
	class := source.GetDataSourceClassType()
	return class[strings.LastIndexByte(class, '.')+1:]
}
