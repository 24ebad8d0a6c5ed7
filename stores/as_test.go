package stores_test

import (
	"testing"

	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/memory"
	"github.com/banquet-fs/banquet/stores/observed"
	"github.com/banquet-fs/banquet/stores/retry"
)

type sizing struct{ memory.Store }

func (*sizing) Size(*stores.Selection, *stores.Record) stores.Size { return stores.Size{Bytes: 7} }

// An optional ability is found behind the decorators, and nowhere else.
func TestAs(t *testing.T) {
	if s, ok := stores.As[stores.Sizer](retry.New(observed.New(new(sizing), nil), retry.Options{})); !ok || s.Size(nil, nil).Bytes != 7 {
		t.Error("not found")
	}
	if _, ok := stores.As[stores.Sizer](retry.New(observed.New(new(memory.Store), nil), retry.Options{})); ok {
		t.Error("found in a store that lacks it")
	}
	if _, ok := stores.As[stores.Sizer](nil); ok {
		t.Error("found in nothing")
	}
}
