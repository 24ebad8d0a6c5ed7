package ingest

import (
	"context"

	"github.com/banquet-fs/banquet/fault"
)

// planOffline prepares the rows for the batch sources.
func (w *Writer) planOffline(_ context.Context, _ *writePlan, _ *Rows, to Target) error {
	if to == Online {
		return nil
	}
	return fault.New(fault.Unimplemented, "banquet cannot push to the offline store yet; push to online")
}

// storeOffline adds the rows to the batch sources.
func (w *Writer) storeOffline(context.Context, *writePlan) error { return nil }
