package training_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/offline/postgres"
	"github.com/banquet-fs/banquet/registry"
	registryfile "github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/training"
)

var golden = filepath.Join("..", "testdata", "golden")

// recorded is what Feast was asked and what it gave.
type recorded struct {
	Name      string
	Features  []string
	Service   string `json:"feature_service"`
	SQL       string `json:"entity_sql"`
	FullNames bool   `json:"full_feature_names"`
	Start     string `json:"start_date"`
	End       string `json:"end_date"`
	Options   struct {
		CreatedBefore string `json:"filter_by_created_timestamp"`
	}
	Error *struct{ Class, Message string }

	entity, result []byte // Parquet files
}

// recordedCases reads the cases of a recorded project.
func recordedCases(t *testing.T, project string) []*recorded {
	t.Helper()
	archive, err := zip.OpenReader(filepath.Join(golden, project, "historical.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	byName := map[string]*recorded{}
	var names []string
	for _, f := range archive.File {
		dir, base := filepath.Split(f.Name)
		c, ok := byName[dir]
		if !ok {
			c = &recorded{}
			byName[dir] = c
			names = append(names, dir)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		switch base {
		case "case.json":
			if err := json.Unmarshal(b, c); err != nil {
				t.Fatal(err)
			}
		case "entity.parquet":
			c.entity = b
		case "result.parquet":
			c.result = b
		}
	}
	cases := make([]*recorded, 0, len(names))
	for _, name := range names {
		cases = append(cases, byName[name])
	}
	return cases
}

func (c *recorded) request(t *testing.T) training.Request {
	t.Helper()
	req := training.Request{Features: c.Features, Service: c.Service, SQL: c.SQL, FullNames: c.FullNames, CreatedBefore: c.Options.CreatedBefore == "True"}
	for _, at := range []struct {
		text string
		to   *time.Time
	}{{c.Start, &req.Start}, {c.End, &req.End}} {
		if at.text != "" {
			parsed, err := time.Parse(time.RFC3339, at.text)
			if err != nil {
				t.Fatal(err)
			}
			*at.to = parsed
		}
	}
	if c.entity != nil {
		req.Rows = fileReader(t, c.entity)
	}
	return req
}

func fileReader(t *testing.T, b []byte) array.RecordReader {
	t.Helper()
	f, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{BatchSize: 100}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := r.GetRecordReader(t.Context(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rows.Release)
	return rows
}

// recordedService makes the service over a recorded registry.
func recordedService(t *testing.T, project, step, name string, store training.Source) *training.Service {
	t.Helper()
	reg, _, err := registryfile.New(filepath.Join(golden, project, "registry", step+".db")).Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := registry.OpenSnapshot(reg, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	opt := training.Options{Snapshots: func() *registry.Snapshot { return snapshot }, Project: name, Source: store}
	opt.Querier, _ = store.(offline.Querier)
	return training.New(opt)
}

// recordedTables is a PostgreSQL store with the recorded tables.
func recordedTables(t *testing.T) training.Source {
	t.Helper()
	opt := pgtest.Options(t)
	data := filepath.Join(golden, "credit_scoring", "data")
	schema, err := os.ReadFile(filepath.Join(data, "schema.sql"))
	if err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, opt, string(schema))
	for _, table := range []string{"zipcode_features", "credit_history", "credit_inquiries"} {
		rows, err := os.Open(filepath.Join(data, table+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		pgtest.Load(t, opt, table, rows)
		_ = rows.Close()
	}
	return postgres.New(opt)
}

// difference is a case in which a training set is not Feast's.
type difference struct {
	// err is part of the error that replaces Feast's result, or its error.
	err string
	// result says that there is a result where Feast fails.
	result bool
	// rows are rows that replace Feast's; an empty text is a row that Feast lacks.
	rows map[string]string
	// sources are ranges of columns within which Feast has any order.
	sources [][2]int
	reason  string
}

const sourceOrder = "Feast has the features of sources that were not asked for in the order of a Python set"

const otherText = "the error has a text of its own; Feast's is the driver's or Python's"

var differences = map[string]difference{
	"credit_scoring/collision":         {err: `the entity rows have a column "city", which is the name of feature zipcode_features:city, too`, reason: otherText},
	"credit_scoring/missing_join_key":  {err: `the entity rows have no column "zipcode", a join key of feature view zipcode_features; their columns are x, event_timestamp`, reason: otherText},
	"credit_scoring/other_time_column": {result: true, reason: "Feast does not quote the name of the time column"},
	"credit_scoring/range_different_keys": {
		err:    "a range of time needs views with the same join keys: zipcode_features has zipcode (INT64), credit_history has dob_ssn (STRING)",
		reason: otherText,
	},
	"credit_scoring/sql_entity_bad":       {err: `column "nope" does not exist`, reason: otherText},
	"credit_scoring/string_for_int_key":   {result: true, reason: "text that is an integer is the key of that integer"},
	"credit_scoring/unknown_feature":      {err: "Feature nope not found in projection zipcode_features", reason: "Feast's text has Python's quotes around it"},
	"credit_scoring/on_demand":            {sources: [][2]int{{7, 16}}, reason: sourceOrder},
	"credit_scoring/on_demand_no_request": {sources: [][2]int{{2, 8}}, reason: sourceOrder},
	"credit_scoring/on_demand_service":    {sources: [][2]int{{7, 15}, {15, 21}}, reason: sourceOrder},
	"all_types/on_demand_python":          {sources: [][2]int{{6, 8}}, reason: sourceOrder},
	"credit_scoring/range_one_key_two_views": {
		rows:   map[string]string{"2024-03-01T00:00:00Z|text tie_created|2|null": "2024-03-01T00:00:00Z|text tie_created|1|null"},
		reason: "in a range of several views Feast ignores created times, and takes any of the rows of one event time",
	},
	"all_types/entityless":         {rows: map[string]string{"0|2024-03-12T00:00:00Z|3|text é日本🍔": ""}, reason: "Feast's file store loses entity rows of one time that differ only in keys that the view lacks"},
	"all_types/field_mapping_time": {result: true, reason: "Feast cannot read a view whose time column is mapped"},
}

func TestTrainingSetsAreFeasts(t *testing.T) {
	for _, p := range []struct {
		dir, step, project string
		store              func(*testing.T) training.Source
		cases              int
	}{
		{"credit_scoring", "4_incremental", "credit_scoring_aws", recordedTables, 42},
		{"all_types", "3_incremental", "all_types", func(*testing.T) training.Source {
			return parquet.New(filepath.Join(golden, "all_types", "feature_repo"))
		}, 11},
	} {
		t.Run(p.dir, func(t *testing.T) {
			service := recordedService(t, p.dir, p.step, p.project, p.store(t))
			cases := recordedCases(t, p.dir)
			if len(cases) != p.cases {
				t.Fatalf("%d cases, want %d", len(cases), p.cases)
			}
			for _, c := range cases {
				t.Run(c.Name, func(t *testing.T) { compareCase(t, service, c, differences[p.dir+"/"+c.Name]) })
			}
		})
	}
}

func compareCase(t *testing.T, service *training.Service, c *recorded, d difference) {
	set, err := service.Historical(t.Context(), c.request(t))
	if err == nil {
		defer set.Close()
	}
	want := d.err
	if want == "" && c.Error != nil && !d.result {
		want = c.Error.Message
	}
	switch {
	case want != "" && err == nil:
		t.Fatalf("no error; want %q", want)
	case want != "":
		if !strings.Contains(err.Error(), want) || fault.KindOf(err) == fault.Internal {
			t.Errorf("error %q of kind %s; want %q", err, fault.KindOf(err), want)
		}
		return
	case err != nil:
		t.Fatal(err)
	case c.result == nil:
		if got := shown(t, set); len(got.rows) == 0 {
			t.Error("no rows")
		}
		return
	}
	entities := 0
	if c.Start == "" {
		entities = set.Schema().NumFields() - len(set.Features)
	}
	if c.entity != nil {
		if sent := shown(t, fileReader(t, c.entity)); int64(len(sent.rows)) != set.Entities {
			t.Errorf("%d entity rows, want %d", set.Entities, len(sent.rows))
		}
	}
	got := shown(t, set)
	if set.Entities >= 0 && int64(len(got.rows)) != set.Entities {
		t.Errorf("%d rows for %d entity rows", len(got.rows), set.Entities)
	}
	feast := shown(t, fileReader(t, c.result))
	for _, r := range d.sources {
		got.order(r[0], feast.names[r[0]:r[1]])
	}
	compareRows(t, got, feast, entities, d.rows)
}

// shownRows are the cells of a table as text.
type shownRows struct {
	names, types []string
	rows         [][]string
}

// order brings the columns from an index on into the order of some names, if they have
// these names.
func (s *shownRows) order(from int, names []string) {
	for i, name := range names {
		at := slices.Index(s.names[from:min(len(s.names), from+len(names))], name)
		if at < 0 {
			return
		}
		a, b := from+i, from+at
		s.names[a], s.names[b] = s.names[b], s.names[a]
		s.types[a], s.types[b] = s.types[b], s.types[a]
		for _, row := range s.rows {
			row[a], row[b] = row[b], row[a]
		}
	}
}

func shown(t *testing.T, r array.RecordReader) shownRows {
	t.Helper()
	var s shownRows
	for _, f := range r.Schema().Fields() {
		s.names, s.types = append(s.names, f.Name), append(s.types, f.Type.String())
	}
	for r.Next() {
		batch := r.RecordBatch()
		for row := range int(batch.NumRows()) {
			cells := make([]string, len(s.names))
			for i, c := range batch.Columns() {
				cells[i] = shownCell(c, row)
			}
			s.rows = append(s.rows, cells)
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return s
}

// shownCell writes a cell so that equal values have equal texts, in whatever type:
// Feast's integers are floats where a column has nulls.
func shownCell(a arrow.Array, row int) string {
	if a.IsNull(row) {
		return "null"
	}
	switch c := a.(type) {
	case *array.Timestamp:
		return c.Value(row).ToTime(c.DataType().(*arrow.TimestampType).Unit).UTC().Format(time.RFC3339Nano) //nolint:forcetypeassert // of a timestamp
	case *array.Float32:
		return strconv.FormatFloat(float64(c.Value(row)), 'f', -1, 64)
	case *array.Float64:
		return strconv.FormatFloat(c.Value(row), 'f', -1, 64)
	case array.ListLike:
		from, to := c.ValueOffsets(row)
		var list []string
		for i := from; i < to; i++ {
			list = append(list, shownCell(c.ListValues(), int(i)))
		}
		return "[" + strings.Join(list, " ") + "]"
	case *array.Binary:
		return fmt.Sprintf("bytes %x", c.Value(row))
	case *array.String:
		return "text " + c.Value(row)
	}
	return a.ValueStr(row)
}

// asFeast gives the rows of a training set in Feast's types: the file store makes times
// of any unit and zone, and pandas makes integers with nulls floats.
func asFeast(t *testing.T, got, feast shownRows) {
	t.Helper()
	for i, want := range feast.types {
		switch {
		case strings.HasPrefix(want, "timestamp[") && got.types[i] == "timestamp[us]":
			got.types[i] = want
		case want == "float64" && strings.HasPrefix(got.types[i], "int"):
			got.types[i] = want
			for _, row := range got.rows {
				if n, err := strconv.ParseInt(row[i], 10, 64); err == nil {
					row[i] = strconv.FormatFloat(float64(n), 'f', -1, 64)
				}
			}
		}
	}
	if diff := cmp.Diff(feast.types, got.types); diff != "" {
		t.Errorf("types (-Feast +got):\n%s", diff)
	}
}

// compareRows compares rows as multisets. Where Feast has several rows for an entity
// row, since its source has ties, one of them is enough. The first entities columns are
// those of the entity rows.
func compareRows(t *testing.T, got, feast shownRows, entities int, other map[string]string) {
	t.Helper()
	if diff := cmp.Diff(feast.names, got.names); diff != "" {
		t.Fatalf("columns (-Feast +got):\n%s", diff)
	}
	asFeast(t, got, feast)
	expected := map[string][]string{}
	for _, row := range feast.rows {
		at := strings.Join(row[:entities], "|")
		expected[at] = append(expected[at], strings.Join(row, "|"))
	}
	byEntity := map[string][]string{}
	for _, row := range got.rows {
		at, text := strings.Join(row[:entities], "|"), strings.Join(row, "|")
		switch replaced, ok := other[text]; {
		case ok && replaced == "":
			continue
		case ok:
			text = replaced
		}
		byEntity[at] = append(byEntity[at], text)
	}
	for at, rows := range byEntity {
		want := expected[at]
		delete(expected, at)
		slices.Sort(rows)
		slices.Sort(want)
		ties := entities > 0 && len(want) > len(rows)
		if ties && slices.ContainsFunc(rows, func(row string) bool { return !slices.Contains(want, row) }) || !ties && !slices.Equal(rows, want) {
			t.Errorf("entity row %s:\n%s", at, cmp.Diff(want, rows))
		}
	}
	for at, rows := range expected {
		t.Errorf("entity row %s is missing: %q", at, rows)
	}
}
