package postgres

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/asof"
)

// inOrder is a store whose rows come in the order of their table: where several
// are equally new, the first one counts.
type inOrder struct{ *Store }

// Range streams the rows of a query.
func (s inOrder) Range(ctx context.Context, query offline.Query) (array.RecordReader, error) {
	return s.read(ctx, query, inOrderSettings)
}

// generic joins outside of the server what the server cannot join by the contract.
func (s *Store) generic() offline.Joiner { return asof.New(inOrder{s}, asof.Options{}) }
