package storetest

import (
	"context"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// Update plans and makes the changes that tables need, unless the store refuses
// one.
func Update(ctx context.Context, store stores.Admin, tables stores.Tables) ([]stores.Finding, error) {
	p, err := store.Plan(ctx, tables)
	if err != nil {
		return nil, err
	}
	for _, f := range p.Findings {
		if f.Refused {
			return p.Findings, fault.New(fault.Invalid, "%s", f.Text)
		}
	}
	more, err := store.Do(ctx, p.Changes)
	return append(p.Findings, more...), err
}
