package ingest

import (
	"context"

	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
)

// estimate reads the window and computes what writing it would cost.
func (t *task) estimate(ctx context.Context) error {
	rows, err := t.gather(ctx)
	defer rows.pile.close()
	if err != nil {
		return err
	}
	w := t.newWriting(t.view, t.layout, stores.Replace)
	sizer, _ := stores.As[stores.Sizer](t.opt.Online)
	e := new(Estimate)
	var record stores.Record
	var values [][]byte
	keys, err := rows.count(ctx, func(row packed) {
		values = row.unpack(&record, values[:0])
		var size stores.Size
		if sizer != nil {
			size = sizer.Size(w.features, &record)
		} else {
			size.Bytes = plainSize(&record)
		}
		e.Rows, e.Bytes, e.WriteUnits = e.Rows+1, e.Bytes+size.Bytes, e.WriteUnits+size.WriteUnits
	})
	if err != nil {
		return err
	}
	t.result.Keys, t.result.Estimate = keys, e
	switch {
	case keys > 0:
	case t.view.Kind == registry.OnDemandView:
		t.result.Hint = t.sourceHint(ctx)
	default:
		t.result.Hint = t.questions().hint(ctx, intervals(t.view, interval{t.Start, t.End}), &t.result)
	}
	return nil
}

// plainSize is the size of a row without what a store adds.
func plainSize(r *stores.Record) int64 {
	n := len(r.Key)
	for _, v := range r.Values {
		n += len(v)
	}
	return int64(n)
}
