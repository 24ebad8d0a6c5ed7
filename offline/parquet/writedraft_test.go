package parquet_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline/parquet"
)

// full is a disk without room for more than some bytes.
type full struct {
	w    io.Writer
	left int
}

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, &os.PathError{Op: "write", Path: "draft", Err: syscall.ENOSPC}
	}
	return f.w.Write(p)
}

// When the disk is full, what was there stays, and nothing is left.
func TestWritesToAFullDisk(t *testing.T) {
	root := t.TempDir()
	made(t, root, "a.parquet", "a")
	made(t, root, "dir/a.parquet", "a")
	writeFile(t, filepath.Join(root, "a.csv"), "k,at\na,2024-01-01\n")
	before := allFiles(t, root)
	old := content(t, filepath.Join(root, "a.parquet"))
	for _, room := range []int{0, 5, 40, len(old) - 3, len(old) + 20} {
		store := parquet.Through(parquet.New(root), func(w io.Writer) io.Writer { return &full{w: w, left: room} })
		_, errs := store.Append(t.Context(), sourceOf("a.parquet"), few(t, "b"))
		_, errDir := store.Append(t.Context(), sourceOf("dir"), few(t, "b"))
		_, errMade := store.Create(t.Context(), sourceOf("a.parquet"), few(t, "b"), true)
		_, errCSV := store.Append(t.Context(), sourceOf("a.csv"), few(t, strings.Repeat("long", 1000)))
		for i, err := range []error{errs, errDir, errMade, errCSV} {
			if room > 100 && (i == 1 || i == 2) && err == nil {
				continue // there is room for these
			}
			if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "no space left on device") || strings.Contains(err.Error(), "\n") {
				t.Errorf("room for %d bytes, write %d: %v (%v)", room, i, err, fault.KindOf(err))
			}
		}
		if room < 100 {
			if diff := cmp.Diff(before, allFiles(t, root)); diff != "" || content(t, filepath.Join(root, "a.parquet")) != old {
				t.Errorf("files (-before +after)\n%s", diff)
			}
		}
	}
	for _, path := range allFiles(t, root) {
		if strings.HasPrefix(filepath.Base(path), ".") {
			t.Errorf("%s is left", path)
		}
	}
}

// changing runs something before the rows.
type changing struct {
	array.RecordReader
	change func()
}

func (c *changing) Next() bool {
	c.change()
	return c.RecordReader.Next()
}

// A writer that takes no lock is noticed, and its rows stay.
func TestAppendBesideAnotherWriter(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "a.csv")
	writeFile(t, path, "k,at\na,2024-01-01\n")
	_, err := parquet.New(root).Append(t.Context(), sourceOf("a.csv"), &changing{few(t, "b"), func() { writeFile(t, path, "k,at\na,2024-01-01\nc,2024-01-02\n") }})
	if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "was changed by another writer meanwhile") {
		t.Errorf("%v (%v)", err, fault.KindOf(err))
	}
	if got := keysOf(t, root, "a.csv"); got != "a c" || len(allFiles(t, root)) != 1 {
		t.Errorf("keys %s, files %q", got, allFiles(t, root))
	}
}

// What a killed process has left is not read, and is removed by the next one.
func TestDraftsOfAKilledProcess(t *testing.T) {
	root := t.TempDir()
	made(t, root, "dir/a.parquet", "a")
	writeFile(t, filepath.Join(root, "dir/.a.parquet.123.banquet-draft"), "half")
	if got := keysOf(t, root, "dir"); got != "a" {
		t.Errorf("keys %s", got)
	}
	if _, err := parquet.New(root).Append(t.Context(), sourceOf("dir/a.parquet"), few(t, "b")); err != nil {
		t.Fatal(err)
	}
	if got := allFiles(t, root); len(got) != 1 || keysOf(t, root, "dir") != "a b" {
		t.Errorf("files %q, keys %s", got, keysOf(t, root, "dir"))
	}
}

// A draft lies beside its file also where the path has no directory: a rename from
// another file system would fail.
func TestDraftsBelowARelativeRoot(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", "/dev/null") // where nothing can be made
	made(t, ".", "a.parquet", "a")
	if _, err := parquet.New(".").Append(t.Context(), sourceOf("a.parquet"), few(t, "b")); err != nil {
		t.Fatal(err)
	}
	if got := keysOf(t, ".", "a.parquet"); got != "a b" {
		t.Errorf("keys %s", got)
	}
}

// A waiting writer stops when its caller does.
func TestAppendWaitsForTheLock(t *testing.T) {
	root := t.TempDir()
	made(t, root, "a.parquet", "a")
	f, err := os.Open(filepath.Join(root, "a.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := parquet.New(root).Append(ctx, sourceOf("a.parquet"), few(t, "b"))
		done <- err
	}()
	cancel(errors.New("the caller has gone"))
	if err := <-done; fault.KindOf(err) != fault.Canceled {
		t.Errorf("%v (%v)", err, fault.KindOf(err))
	}
}
