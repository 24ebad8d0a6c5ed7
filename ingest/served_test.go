package ingest_test

import (
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// A view is served while it is materialized again: every read finds every row, old
// or new, and the registry never says that the view cannot be served.
func TestAViewIsServedWhileItIsMaterializedAgain(t *testing.T) {
	dir := killDir(t)
	opt, online, err := killShop(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer online.Close()
	req := ingest.Request{Start: noon.AddDate(0, 0, -1), End: noon}
	if _, err := ingest.New(opt).Materialize(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	layout := value.NewKeyLayout(3, []string{"shopper"})
	var keys [][]byte
	for id := int64(1); id <= killRows; id += 40 {
		key, err := layout.Append(nil, [][]byte{value.AppendInt64(nil, id)})
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	var done atomic.Bool
	ended := make(chan error, 1)
	go func() {
		defer done.Store(true)
		for range 3 {
			if _, err := ingest.New(opt).Materialize(t.Context(), req); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	storage, reads := file.New(filepath.Join(dir, "registry.db")), 0
	for ; !done.Load(); reads++ {
		rows, err := online.Read(t.Context(), []stores.Read{{
			Table: stores.Table{Project: "shop", View: "carts"}, Features: stores.NewSelection("items"), Keys: keys,
		}})
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range rows.Reads[0] {
			if items, ok := value.Int64(r.Values[0]); !r.Found || !ok || items != int64(1+40*i)+int64(time.Minute) {
				t.Fatalf("read %d, row %d: %+v", reads, i, r)
			}
		}
		rows.Release()
		reg, _, err := storage.Load(t.Context())
		if err != nil || reg.GetFeatureViews()[0].GetMeta().GetState().String() != "AVAILABLE_ONLINE" {
			t.Fatal(reg, err)
		}
	}
	if err := <-ended; err != nil || reads < 3 {
		t.Error(err, reads)
	}
}
