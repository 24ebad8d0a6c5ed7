package server

import (
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/serving"
)

const (
	// maxColumns bounds the entity columns of a request; a project has a few dozen
	// join keys.
	maxColumns = 4096
	// streamRowFactor is how many times more rows a stream may have than a request: its
	// request is decoded as a whole, but the response is sent in chunks.
	streamRowFactor = 10
)

// decodeLimits bound a request while it is decoded; 0 means no limit.
type decodeLimits struct {
	rows, features int
	// cells bounds the values of a request that writes.
	cells int
}

func newDecodeLimits(opt *Options) decodeLimits {
	if opt.Serving == nil {
		return decodeLimits{}
	}
	l := opt.Serving.Limits()
	return decodeLimits{rows: l.Rows, features: l.Features, cells: l.Cells}
}

// ofStream returns the limits of a stream.
func (l decodeLimits) ofStream() decodeLimits {
	l.rows *= streamRowFactor
	return l
}

func (l decodeLimits) checkRows(n int) error {
	if l.rows > 0 && n > l.rows {
		return serving.TooMany("entity rows", l.rows, "rows")
	}
	return nil
}

func (l decodeLimits) checkCells(n int) error {
	if l.cells > 0 && n > l.cells {
		return serving.TooMany("values", l.cells, "cells")
	}
	return nil
}

func (l decodeLimits) checkFeatures(n int) error {
	if l.features > 0 && n > l.features {
		return serving.TooMany("features", l.features, "features")
	}
	return nil
}

func checkColumns(n int) error {
	if n > maxColumns {
		return fault.New(fault.Invalid, "the request has more than %d entity columns; send the join keys of its features only", maxColumns)
	}
	return nil
}
