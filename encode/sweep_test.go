package encode_test

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/offline/postgres"
	"github.com/banquet-fs/banquet/registry"
)

var report = flag.String("report", "", "a file to which all differences from Feast are written") //nolint:gochecknoglobals // a flag of the test

// How a cell can differ from Feast's.
const (
	otherValue = "value"   // Feast stores another value
	stored     = "stored"  // Feast fails, a value is stored
	refused    = "refused" // Feast stores a value, it is refused
	unnamed    = "unnamed" // it is refused without its row and column; never right
)

// difference is one difference from Feast: of a column, for a value type.
type difference struct {
	use, backend, source, title, kind, how string
	feast, ours                            string
}

// swept is the result of a conversion.
type swept struct {
	difference
	differs bool
	filled  bool // some value that is not null was stored
}

// TestSweep compares every conversion with Feast's: it is equal, or listed with
// its reason. docs/conversions.md is made from the results.
func TestSweep(t *testing.T) {
	var all []swept
	for backend, list := range backends(t) {
		read := reader(t, backend)
		for _, c := range list {
			all = append(all, compare(t, backend, c, read)...)
		}
	}
	var different []difference
	for _, s := range all {
		if s.differs {
			different = append(different, s.difference)
		}
	}
	t.Logf("%d conversions compared, %d differ from Feast's", len(all), len(different))
	meant := blocks(t)
	left, unused := listed(t, meant, different)
	for _, line := range unused {
		t.Errorf("differences.txt has a line that matches no difference: %s", line)
	}
	writeReport(t, left)
	for i, d := range left {
		if i == 20 {
			t.Errorf("and %d others", len(left)-i)
			break
		}
		t.Error(d)
	}
	checkDocs(t, all, meant)
}

func (d difference) String() string {
	return fmt.Sprintf("%s of %s, %s (%s) as %s: %s\n      Feast: %s\n      ours:  %s", d.use, d.backend, d.source, d.title, d.kind, d.how, d.feast, d.ours)
}

// read reads a column as it is read for a value type: record batches of k, the
// column and the event time.
type read func(column, types.ValueType_Enum) ([]arrow.RecordBatch, error)

func reader(t *testing.T, backend string) read {
	t.Helper()
	switch backend {
	case "parquet":
		return once(func(c column, kind types.ValueType_Enum) ([]arrow.RecordBatch, error) {
			return batches(t, parquet.New(recordDir), c, fileSource(c.File), kind)
		})
	case "csv":
		return csvReader(t)
	}
	setup, err := os.ReadFile(filepath.Join(recordDir, "setup.sql"))
	if err != nil {
		t.Fatal(err)
	}
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, string(setup))
	store := postgres.New(opt)
	t.Cleanup(store.Close)
	return once(func(c column, kind types.ValueType_Enum) ([]arrow.RecordBatch, error) {
		configuration, err := json.Marshal(map[string]string{"name": "s", "query": c.Query})
		if err != nil {
			t.Fatal(err)
		}
		return batches(t, store, c, &core.DataSource{
			Name: "s", Type: core.DataSource_CUSTOM_SOURCE, TimestampField: "ts",
			Options: &core.DataSource_CustomOptions{CustomOptions: &core.DataSource_CustomSourceOptions{Configuration: configuration}},
		}, kind)
	})
}

// once reads a typed column once for all value types; bits count as text.
func once(from read) read {
	var last string
	var rows []arrow.RecordBatch
	var err error
	return func(c column, kind types.ValueType_Enum) ([]arrow.RecordBatch, error) {
		if strings.Contains(c.Source, "bit") {
			return from(c, kind)
		}
		if id := c.Source + "/" + c.Case; id != last {
			last = id
			rows, err = from(c, types.ValueType_INVALID)
		}
		return rows, err
	}
}

func fileSource(name string) *core.DataSource {
	return &core.DataSource{
		Name: "s", Type: core.DataSource_BATCH_FILE, TimestampField: "ts",
		Options: &core.DataSource_FileOptions_{FileOptions: &core.DataSource_FileOptions{Uri: name}},
	}
}

// name is the column's name in its source.
func (c column) name() string {
	if c.Column != "" {
		return c.Column
	}
	return "x"
}

func batches(t *testing.T, store offline.Store, c column, source *core.DataSource, kind types.ValueType_Enum) (list []arrow.RecordBatch, err error) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil { // so that one column does not hide the others
			t.Errorf("%s (%s) as %s: a panic while it is read: %v", c.Source, c.Case, c.name(), r)
			err = fmt.Errorf("a panic: %v", r)
		}
	}()
	r, err := store.Range(t.Context(), offline.Query{
		Source: source, Columns: []string{"k", c.name()}, Types: []types.ValueType_Enum{types.ValueType_INT64, kind}, Timestamp: "ts",
	})
	if err != nil {
		return nil, err
	}
	defer r.Release()
	for r.Next() {
		b := r.RecordBatch()
		b.Retain()
		list = append(list, b)
	}
	return list, r.Err()
}

// cell is the result of a row: bytes, none for a row without a key, or an
// error.
type cell struct {
	bytes []byte
	none  bool
	err   error
}

// compare compares a column with Feast's record of it, for all value types.
func compare(t *testing.T, backend string, c column, from read) (all []swept) {
	t.Helper()
	for _, kind := range kinds() {
		rows, unread := from(c, kindOf(kind))
		for _, use := range []string{"features", "keys"} {
			outcome := c.Features
			if use == "keys" {
				outcome = c.Keys
			}
			want, failed := outcome.of(kind)
			if c.Unread != "" {
				failed = c.Unread
			}
			cells := []cell{{err: unread}}
			if unread == nil {
				cells = encoded(t, use, c, kindOf(kind), rows)
			}
			d := difference{use: use, backend: backend, source: c.Source, title: c.Case, kind: kind}
			differs := d.judge(c, want, failed, cells)
			all = append(all, swept{difference: d, differs: differs, filled: filled(cells)})
		}
	}
	return all
}

// filled reports whether rows were stored other than as nulls.
func filled(cells []cell) bool {
	if slices.ContainsFunc(cells, func(c cell) bool { return c.err != nil }) {
		return false
	}
	return slices.ContainsFunc(cells, func(c cell) bool { return c.err == nil && len(c.bytes) > 0 })
}

// encoded encodes the rows of a column in the order of k.
func encoded(t *testing.T, use string, c column, kind types.ValueType_Enum, rows []arrow.RecordBatch) []cell {
	t.Helper()
	view := &registry.View{
		Name: "v", Project: "p", Batch: &core.DataSource{Name: "s", TimestampField: "ts"},
		JoinKeys: []registry.JoinKey{{Name: "k", Type: types.ValueType_INT64}}, Features: []registry.Feature{{Name: c.name(), Type: kind}},
	}
	if use == "keys" {
		view.JoinKeys[0] = registry.JoinKey{Name: "x", Type: kind} // as Feast's keys were recorded
		if c.name() != "x" {
			view.Batch.FieldMapping = map[string]string{c.name(): "x"}
		}
		view.Features[0] = registry.Feature{Name: "k", Type: types.ValueType_INT64}
	}
	layout, err := encode.NewLayout(view, 3)
	if err != nil {
		return []cell{{err: err}}
	}
	var cells []cell
	for _, record := range rows {
		if use == "keys" {
			schema := arrow.NewSchema([]arrow.Field{record.Schema().Field(1), record.Schema().Field(0), record.Schema().Field(2)}, nil)
			record = array.NewRecordBatch(schema, []arrow.Array{record.Column(1), record.Column(0), record.Column(2)}, record.NumRows())
		}
		b, err := layout.Open(record)
		if err != nil {
			return []cell{{err: err}}
		}
		for row := range b.Rows() {
			cells = append(cells, one(b, use, row))
		}
	}
	if use == "features" {
		return inOrder(rows, cells)
	}
	return cells
}

func one(b *encode.Batch, use string, row int) cell {
	if use == "keys" {
		key, ok, err := b.Key(row)
		return cell{bytes: slices.Clone(key), none: !ok && err == nil, err: err}
	}
	values, err := b.Values(row)
	if err != nil {
		return cell{err: err}
	}
	return cell{bytes: values[0]}
}

// inOrder puts cells in the order of k.
func inOrder(rows []arrow.RecordBatch, cells []cell) []cell {
	out := make([]cell, len(cells))
	i := 0
	for _, record := range rows {
		for row := range int(record.NumRows()) {
			if k, ok := record.Column(0).(*array.Int64); ok && int(k.Value(row)) < len(out) {
				out[k.Value(row)] = cells[i]
			}
			i++
		}
	}
	return out
}

// judge tells whether the cells differ from Feast's, and how.
func (d *difference) judge(c column, want []*string, failed string, cells []cell) bool {
	d.ours = shown(d.use, cells)
	at := slices.IndexFunc(cells, func(c cell) bool { return c.err != nil })
	if at >= 0 {
		text := cells[at].err.Error()
		if !strings.Contains(text, c.name()) || !strings.Contains(text, "row") {
			d.how, d.feast = unnamed, failed
			return true
		}
	}
	if d.use == "keys" && failed == "" && !slices.ContainsFunc(want, func(w *string) bool { return w != nil }) {
		failed = "the key is null, and none can be written"
	}
	switch {
	case failed != "":
		d.how, d.feast = stored, failed
		return at < 0 && slices.ContainsFunc(cells, func(c cell) bool { return !c.none })
	case at >= 0:
		d.how, d.feast = refused, shownFeast(d.use, want)
		return true
	case d.use == "keys":
		d.how, d.feast = otherValue, shownFeast(d.use, want)
		return !sameKeys(want, cells)
	}
	d.how, d.feast = otherValue, shownFeast(d.use, want)
	if d.feast == d.ours { // as the bits of NaN
		d.feast, d.ours = d.feast+inHex(want), d.ours+fmt.Sprintf(" %x", cells[0].bytes)
	}
	return !slices.EqualFunc(want, cells, func(w *string, c cell) bool { return sameValue(w, c.bytes) })
}

// sameKeys compares the keys of a column. Rows with the same key are one row in
// the record, and rows without a key are left out here.
func sameKeys(want []*string, cells []cell) bool {
	keys := func(yield func(string) bool) {
		for _, c := range cells {
			if !c.none && !yield(hex.EncodeToString(c.bytes)) {
				return
			}
		}
	}
	recorded := func(yield func(string) bool) {
		for _, w := range want {
			if w != nil && !yield(*w) {
				return
			}
		}
	}
	a, b := slices.Sorted(keys), slices.Sorted(recorded)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

func inHex(rows []*string) string {
	if len(rows) == 0 || rows[0] == nil {
		return ""
	}
	return " " + *rows[0]
}

func shown(use string, cells []cell) string {
	parts := make([]string, len(cells))
	for i, c := range cells {
		switch {
		case c.err != nil:
			parts[i] = "refused: " + cut(c.err.Error(), 200)
		case c.none:
			parts[i] = "no key"
		default:
			parts[i] = shownBytes(use, c.bytes)
		}
	}
	return strings.Join(parts, " ; ")
}

func shownFeast(use string, rows []*string) string {
	parts := make([]string, len(rows))
	for i, r := range rows {
		if r == nil {
			parts[i] = "no key"
			continue
		}
		raw, _ := hex.DecodeString(*r)
		parts[i] = shownBytes(use, raw)
	}
	return strings.Join(parts, " ; ")
}

// shownBytes shows a Value, or the part of a key after the 17 bytes that begin
// it for a one-letter name.
func shownBytes(use string, raw []byte) string {
	if use == "keys" {
		return fmt.Sprintf("key %q", raw[min(len(raw), 13):])
	}
	return readable(raw)
}
