package ingest

import (
	"testing"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
)

// What is stored without a gap ends before the first batch with a row that the store
// cannot hold. Batches after it are not kept: there may be any number.
func TestBatchesAfterAGapAreNotKept(t *testing.T) {
	w := New(Options{}).newWriting(new(registry.View), new(encode.Layout), stores.Replace)
	stored, refused := part{outcome: outcome{stored: 10}}, part{outcome: outcome{stored: 9, refused: 1}}
	w.finish(1, stored)
	w.finish(4, refused)
	w.finish(3, refused)
	for number := 5; number < 1000; number++ {
		w.finish(number, stored)
	}
	w.finish(0, stored)
	w.finish(2, stored)
	if done := w.done(); done.next != 3 || done.stored != 30 || len(w.waiting) != 0 {
		t.Errorf("%+v, %d batches are kept", done, len(w.waiting))
	}
}
