package file_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
)

func records(t *testing.T) (*file.Records, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "registry.db")
	return file.New(path).Records(), path + ".runs"
}

var _ registry.Records = (*file.Records)(nil)

// strange are names that are not names of files.
var strange = []string{"a/b/c", "a/b/d", "a/%2F", "a%2Fb", ".", "..", "/", "a\x00b", "ein Ort/다른", "x.run", ".hidden.tmp", "a/b", "%", "%25", "%252F"}

func TestRecordsHaveAnyName(t *testing.T) {
	r, dir := records(t)
	for _, name := range strange {
		if b, err := r.Get(t.Context(), name); b != nil || err != nil {
			t.Errorf("%q: %q, %v", name, b, err)
		}
		if err := r.Put(t.Context(), name, []byte(name)); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range strange {
		if b, err := r.Get(t.Context(), name); string(b) != name || err != nil {
			t.Errorf("%q: %q, %v", name, b, err)
		}
	}
	want := slices.Sorted(slices.Values(strange))
	if got, err := r.List(t.Context(), ""); err != nil || !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got), err)
	}
	if got, err := r.List(t.Context(), "a/b/"); err != nil || !cmp.Equal(got, []string{"a/b/c", "a/b/d"}) {
		t.Error(got, err)
	}
	for _, name := range strange {
		if err := r.Put(t.Context(), name, nil); err != nil {
			t.Error(err)
		}
		if b, err := r.Get(t.Context(), name); b != nil || err != nil {
			t.Errorf("%q: %q, %v", name, b, err)
		}
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Error("the empty directory is left:", err)
	}
	if got, err := r.List(t.Context(), ""); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
	if err := r.Put(t.Context(), "gone", nil); err != nil {
		t.Error("removing nothing:", err)
	}
}

func TestEmptyDataIsNotNoData(t *testing.T) {
	r, _ := records(t)
	if err := r.Put(t.Context(), "x", []byte{}); err != nil {
		t.Fatal(err)
	}
	if b, err := r.Get(t.Context(), "x"); b == nil || len(b) != 0 || err != nil {
		t.Error(b, err)
	}
}

// A reader sees the old or the new data, whoever writes or removes other records
// at the same time.
func TestARecordIsReplacedCompletelyOrNotAtAll(t *testing.T) {
	r, _ := records(t)
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			other := fmt.Sprint("other", i)
			for n := range 30 {
				if err := r.Put(t.Context(), "shared", bytes.Repeat([]byte{byte('a' + n%26)}, 5000)); err != nil {
					t.Error(err)
				}
				if err := r.Put(t.Context(), other, []byte("x")); err != nil {
					t.Error(err)
				}
				if b, err := r.Get(t.Context(), "shared"); err != nil || len(b) != 5000 || bytes.Count(b, b[:1]) != len(b) {
					t.Errorf("%d bytes, %v", len(b), err)
				}
				if err := r.Put(t.Context(), other, nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

func TestRecordsThatCannotBeKept(t *testing.T) {
	r, dir := records(t)
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := r.Put(t.Context(), "x", []byte("x"))
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "the directory of records "+dir+" cannot be written: a file is in its place") {
		t.Error(err)
	}
	if _, err := r.List(t.Context(), ""); fault.KindOf(err) != fault.Unavailable {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Put(ctx, "x", nil); fault.KindOf(err) != fault.Canceled {
		t.Error(err)
	}
	long, _ := records(t)
	if err := long.Put(t.Context(), strings.Repeat("x", 300), []byte("x")); fault.KindOf(err) != fault.Unavailable || !strings.HasSuffix(err.Error(), "the name of a record is too long") {
		t.Error(err)
	}
}

// A record that another process removes as soon as it is there does not come back.
func TestRecordsThatAreRemovedStayRemoved(t *testing.T) {
	records, _ := records(t)
	for round := range 200 {
		var put sync.WaitGroup
		put.Go(func() {
			if err := records.Put(t.Context(), "run", []byte("data")); err != nil {
				t.Error(err)
			}
		})
		for {
			if list, err := records.List(t.Context(), ""); err != nil {
				t.Fatal(err)
			} else if len(list) > 0 {
				break
			}
		}
		if err := records.Put(t.Context(), "run", nil); err != nil {
			t.Fatal(err)
		}
		put.Wait()
		if list, err := records.List(t.Context(), ""); err != nil || len(list) > 0 {
			t.Fatalf("round %d: %v, %v", round, list, err)
		}
	}
}
