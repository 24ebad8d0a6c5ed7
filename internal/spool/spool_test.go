package spool

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
)

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "d", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, Nullable: true},
	{Name: "l", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
}, nil)

// batch has rows numbers from first on; every batch has a dictionary of its own.
func batch(t *testing.T, first, rows int) arrow.RecordBatch {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range rows {
		text := fmt.Sprint(first+i, " of ", first)
		b.Field(0).(*array.Int64Builder).Append(int64(first + i))
		if err := b.Field(1).AppendValueFromString(text); err != nil {
			t.Fatal(err)
		}
		l := b.Field(2).(*array.ListBuilder)
		l.Append(true)
		l.ValueBuilder().(*array.StringBuilder).Append(text)
	}
	return b.NewRecordBatch()
}

func TestEveryReaderReadsAllBatchesInMemoryAndFromAFile(t *testing.T) {
	for _, memory := range []int64{1, 5000, 1 << 20} {
		t.Run(fmt.Sprint(memory), func(t *testing.T) {
			dir := t.TempDir()
			s := New(schema, Options{Dir: dir, Memory: memory})
			defer s.Close()
			const batches, rows = 20, 30
			for i := range batches {
				b := batch(t, i*rows, rows)
				part := b.NewSlice(0, rows) // slices must keep their place
				if err := s.Write(part); err != nil {
					t.Fatal(err)
				}
				part.Release()
				b.Release()
			}
			if s.Rows() != batches*rows {
				t.Errorf("%d rows", s.Rows())
			}
			var readers []array.RecordReader
			for range 3 {
				r, err := s.Reader()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Release()
				readers = append(readers, r)
			}
			for n := range batches { // in step, so that the readers disturb each other if they can
				for _, r := range readers {
					if !r.Next() {
						t.Fatal(n, r.Err())
					}
					want := batch(t, n*rows, rows)
					if got := r.RecordBatch(); !array.RecordEqual(got, want) {
						t.Fatalf("batch %d: %v", n, got)
					}
					want.Release()
				}
			}
			for _, r := range readers {
				if r.Next() || r.Err() != nil {
					t.Error("a reader goes on:", r.Err())
				}
			}
			left, err := os.ReadDir(dir)
			if err != nil || len(left) != 0 {
				t.Error("left behind:", left, err)
			}
		})
	}
}

func TestNoBatches(t *testing.T) {
	s := New(schema, Options{})
	defer s.Close()
	r, err := s.Reader()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if r.Next() || r.Err() != nil || !r.Schema().Equal(schema) {
		t.Error(r.Err(), r.Schema())
	}
}

// A closed spool is not an empty one.
func TestClosedSpools(t *testing.T) {
	for _, memory := range []int64{1, 1 << 20} {
		s := New(schema, Options{Dir: t.TempDir(), Memory: memory})
		b := batch(t, 0, 100)
		if err := s.Write(b); err != nil {
			t.Fatal(err)
		}
		s.Close()
		s.Close()
		if _, err := s.Reader(); err == nil {
			t.Errorf("memory %d: a closed spool is read", memory)
		}
		if err := s.Write(b); err == nil {
			t.Errorf("memory %d: a closed spool is written", memory)
		}
		b.Release()
	}
}

func TestFaults(t *testing.T) {
	s := New(schema, Options{Dir: t.TempDir() + "/gone", Memory: 1})
	defer s.Close()
	b := batch(t, 0, 100)
	defer b.Release()
	err := s.Write(b)
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "/gone does not exist; make it, or set TMPDIR to another one") {
		t.Error(err)
	}
	if again := s.Write(b); !errors.Is(again, err) {
		t.Error("a failed spool goes on:", again)
	}
	if _, again := s.Reader(); !errors.Is(again, err) {
		t.Error("a failed spool is read:", again)
	}
	for cause, want := range map[error]string{
		syscall.EACCES: "the temporary directory /scratch cannot be written to; set TMPDIR to another one",
		syscall.EDQUOT: "the temporary directory /scratch is full; free some space, or set TMPDIR to a directory with more",
		syscall.EIO:    "a temporary file in /scratch cannot be used; set TMPDIR to another directory",
	} {
		if got := fault.Of(Fault(fmt.Errorf("write: %w", cause), "/scratch")).Text; got != want {
			t.Errorf("%v: %s", cause, got)
		}
	}
	if got := fault.Of(Fault(fmt.Errorf("write: %w", syscall.ENOSPC), "/scratch")).Text; got != "the temporary directory /scratch is full; free some space, or set TMPDIR to a directory with more" {
		t.Error(got)
	}
}

// A temporary file can be written and read, is not in its directory, and leaves the
// directory alone when it is removed.
func TestATemporaryFileHasNoName(t *testing.T) {
	dir := t.TempDir()
	file, err := TempFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); len(entries) != 0 || err != nil {
		t.Error(entries, err)
	}
	got := make([]byte, 4)
	if _, err := file.WriteString("text"); err != nil {
		t.Error(err)
	}
	if _, err := file.ReadAt(got, 0); string(got) != "text" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	remove(file)
	if entries, err := os.ReadDir(dir); len(entries) != 0 || err != nil {
		t.Error(entries, err)
	}
}

// unregistered is an extension type that this process has not registered.
type unregistered struct{ arrow.ExtensionBase }

func (*unregistered) ArrayType() reflect.Type { return reflect.TypeFor[unregisteredArray]() }
func (*unregistered) ExtensionName() string   { return "unregistered" }
func (*unregistered) Serialize() string       { return "" }
func (*unregistered) ExtensionEquals(other arrow.ExtensionType) bool {
	_, ok := other.(*unregistered)
	return ok
}

func (t *unregistered) Deserialize(arrow.DataType, string) (arrow.ExtensionType, error) {
	return t, nil
}

type unregisteredArray struct{ array.ExtensionArrayBase }

// TestExtensionTypes keeps columns of an extension type, alone and within others.
func TestExtensionTypes(t *testing.T) {
	own := &unregistered{arrow.ExtensionBase{Storage: arrow.BinaryTypes.String}}
	fields := []arrow.Field{
		{Name: "own", Type: own, Nullable: true},
		{Name: "list", Type: arrow.ListOf(own), Nullable: true},
		{Name: "struct", Type: arrow.StructOf(arrow.Field{Name: "own", Type: own, Nullable: true}), Nullable: true},
		{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
	}
	schema := arrow.NewSchema(fields, nil)
	columns := make([]arrow.Array, len(fields))
	for i, cells := range [][]string{{"a", "b", array.NullValueStr}, {`["a",null]`, `[]`, array.NullValueStr}, {`{"own":"a"}`, `{"own":null}`, array.NullValueStr}, {"a", "b", "c"}} {
		b := array.NewBuilder(memory.DefaultAllocator, Storage(fields[i].Type))
		for _, cell := range cells {
			if err := b.AppendValueFromString(cell); err != nil {
				t.Fatal(err)
			}
		}
		columns[i] = array.MakeFromData(Retyped(b.NewArray().Data(), fields[i].Type))
	}
	want := array.NewRecordBatch(schema, columns, 3)
	for _, limit := range []int64{1, 1 << 20} {
		s := New(schema, Options{Dir: t.TempDir(), Memory: limit})
		for _, part := range []arrow.RecordBatch{want, want.NewSlice(1, 3)} {
			if err := s.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		r, err := s.Reader()
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []arrow.RecordBatch{want, want.NewSlice(1, 3)} {
			if !r.Next() {
				t.Fatal(r.Err())
			}
			if got := r.RecordBatch(); !got.Schema().Equal(schema) || !array.RecordEqual(got, part) {
				t.Errorf("limit %d: %v, want %v", limit, got, part)
			}
		}
		r.Release()
		s.Close()
	}
}
