package arrowipc

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// A few kilobytes must not describe more than the memory holds.
func TestMetadataIsNotExpandedWithoutBound(t *testing.T) {
	for name, header := range map[string][]byte{"shared children": bomb(), "shared metadata": namesBomb()} {
		t.Run(name, func(t *testing.T) {
			if len(header) > 1<<20 {
				t.Fatalf("%d bytes", len(header))
			}
			_, err := Summarize(header)
			var r *RefusalError
			if !errors.As(err, &r) || !strings.Contains(r.Text, "more than") {
				t.Errorf("%v", err)
			}
		})
	}
}

func all(string) bool { return true }

// sample has rows with nulls, of each layout of columns.
func sample(rows int) arrow.RecordBatch {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Float64), Nullable: true},
		{Name: "d", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, Nullable: true},
		{Name: "b", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "z", Type: arrow.Null, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := range rows {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.StringBuilder).Append(strings.Repeat("x", i%5))
		l := b.Field(2).(*array.ListBuilder)
		l.Append(i%3 != 0)
		if i%3 != 0 {
			l.ValueBuilder().(*array.Float64Builder).Append(float64(i))
		}
		_ = b.Field(3).(*array.BinaryDictionaryBuilder).AppendString([]string{"a", "b"}[i%2])
		b.Field(4).(*array.BooleanBuilder).Append(i%2 == 0)
		b.Field(5).AppendNull()
	}
	return b.NewRecordBatch()
}

func file(t testing.TB, opts []ipc.Option, batches ...arrow.RecordBatch) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := ipc.NewFileWriter(&out, append(opts, ipc.WithSchema(batches[0].Schema()))...)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestReadFile(t *testing.T) {
	one := sample(7)
	got, err := ReadFile(file(t, nil, one, one), 14, func(name string) bool { return name != "b" })
	if err != nil {
		t.Fatal(err)
	}
	defer got.Release()
	if got.NumRows() != 14 || got.NumCols() != 5 {
		t.Fatalf("%d rows, %d columns", got.NumRows(), got.NumCols())
	}
	for i, name := range []string{"n", "s", "l", "d", "z"} {
		want := one.Column(one.Schema().FieldIndices(name)[0])
		for _, chunk := range got.Column(i).Data().Chunks() {
			if !array.Equal(want, chunk) {
				t.Errorf("%s: %s, want %s", name, chunk, want)
			}
		}
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	valid := file(t, nil, sample(7))
	union := arrow.NewSchema([]arrow.Field{{Name: "u", Type: arrow.DenseUnionOf([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int8}}, []int8{0})}}, nil)
	unions := array.NewRecordBuilder(memory.DefaultAllocator, union)
	for _, c := range []struct {
		name    string
		b       []byte
		says    string
		refusal bool
	}{
		{"nothing", nil, "begin", false},
		{"a text", []byte("<html>not found</html>"), "begin", false},
		{"the beginning alone", valid[:8], "ends before", false},
		{"half of it", valid[:len(valid)/2], "ends before", false},
		{"an enormous length", slices.Concat(valid[:8], bytes.Repeat([]byte{0xfe}, 64)), "ends before", false},
		{"more rows than allowed", file(t, nil, sample(8)), "more rows", true},
		{"more rows than allowed in two batches", file(t, nil, sample(4), sample(4)), "more rows", true},
		{"compressed", file(t, []ipc.Option{ipc.WithZstd()}, sample(7)), "compressed", true},
		{"a union", file(t, nil, unions.NewRecordBatch()), `column "u" has the Arrow type`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ReadFile(c.b, 7, all)
			var r *RefusalError
			if err == nil || !strings.Contains(err.Error(), c.says) || errors.As(err, &r) != c.refusal {
				t.Errorf("%T: %v", err, err)
			}
		})
	}
}

// readAll reads every cell of a file, if it is accepted.
func readAll(t testing.TB, b []byte, rows int64) {
	t.Helper()
	got, err := ReadFile(b, rows, all)
	if err != nil {
		return
	}
	defer got.Release()
	if got.NumRows() > rows {
		t.Fatalf("%d rows", got.NumRows())
	}
	for i := range int(got.NumCols()) {
		for _, c := range got.Column(i).Data().Chunks() {
			for row := range c.Len() {
				_ = c.ValueStr(row)
			}
		}
	}
}

// Every byte of a file may be wrong: it is read or refused, and never panics, not even when
// its cells are read.
func TestNoDamagePanics(t *testing.T) {
	valid := file(t, nil, sample(6))
	for i := range valid {
		for _, to := range []byte{0, 0x7f, 0xff, valid[i] + 1} {
			b := slices.Clone(valid)
			b[i] = to
			readAll(t, b, 1000)
		}
	}
}

func FuzzReadFile(f *testing.F) {
	f.Add(file(f, nil, sample(3)))
	f.Add(file(f, nil, sample(2), sample(2)))
	f.Add([]byte("ARROW1\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) { readAll(t, b, 10_000) })
}
