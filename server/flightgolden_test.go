package server_test

import (
	"bufio"
	"bytes"
	zip "compress/gzip"
	"context"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	gen "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline/postgres"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/server"
	"github.com/banquet-fs/banquet/training"
	"github.com/banquet-fs/banquet/value"
)

// flightCall is a recorded call.
type flightCall struct {
	Call, Command, Label string
	Stream               string   `json:"arrow_ipc_stream_base64"`
	Schema               []column `json:"schema"`
	OutSchema            []column `json:"out_schema"`
	Rows                 int
	OutRows              int `json:"out_rows"`
	Error                string
}

type column [2]string

func flightCalls(t *testing.T, version string) []flightCall {
	t.Helper()
	f, err := os.Open(filepath.Join(golden, "offline_server", "flight_calls_"+version+".jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var calls []flightCall
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c flightCall
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		calls = append(calls, c)
	}
	return calls
}

// command is what the calls of Feast's client have in common.
type command struct {
	API string
	SQL string `json:"entity_df_sql"`
}

// recordedTables makes the tables of the recordings.
func recordedTables(t *testing.T, opt pg.Options) {
	t.Helper()
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
}

// offlineTables is the offline store of the recordings.
func offlineTables(t *testing.T) *postgres.Store {
	t.Helper()
	opt := pgtest.Options(t)
	recordedTables(t, opt)
	s := postgres.New(opt)
	t.Cleanup(s.Close)
	return s
}

// trainingOf makes the use case of an offline store.
func trainingOf(t *testing.T, store *postgres.Store) func(context.Context) (*training.Service, error) {
	t.Helper()
	h := registry.NewHolder(registry.HolderOptions{Storage: file.New(filepath.Join(golden, "offline_server", "registry.db"))})
	if err := h.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := training.New(training.Options{Snapshots: h.Snapshot, Project: "credit_scoring_aws", Source: store, Querier: store, Writer: store})
	return func(context.Context) (*training.Service, error) { return s, nil }
}

func startFlight(t *testing.T, change func(*server.Options)) (*served, gen.FlightServiceClient) {
	t.Helper()
	s := start(t, fixture{project: "credit_scoring_aws", registry: "offline_server/registry.db", change: change})
	return s, gen.NewFlightServiceClient(s.grpc)
}

// uploader is the sending side of a DoPut or DoExchange.
type uploader interface {
	Send(*gen.FlightData) error
	CloseSend() error
}

// upload sends a recorded table as Feast's client does. exchange sends the descriptor
// alone first.
func upload(t *testing.T, to uploader, text, stream string, exchange bool) {
	t.Helper()
	descriptor := &gen.FlightDescriptor{Type: gen.FlightDescriptor_CMD, Cmd: []byte(text)}
	b, err := base64.StdEncoding.DecodeString(stream)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ipc.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if exchange {
		_ = to.Send(&gen.FlightData{FlightDescriptor: descriptor}) // the error comes with the response
	}
	w := flight.NewRecordWriter(to, ipc.WithSchema(r.Schema()))
	w.SetFlightDescriptor(descriptor)
	for r.Next() {
		_ = w.Write(r.RecordBatch())
	}
	_ = w.Close()
	_ = to.CloseSend()
}

// tableRows is a result.
type tableRows struct {
	columns []column
	rows    [][]string
}

func received(from flight.DataStreamReader) (tableRows, error) {
	r, err := flight.NewRecordReader(from)
	if err != nil {
		return tableRows{}, err
	}
	defer r.Release()
	return tableOf(r)
}

func tableOf(r array.RecordReader) (tableRows, error) {
	var out tableRows
	for _, f := range r.Schema().Fields() {
		out.columns = append(out.columns, column{f.Name, f.Type.String()})
	}
	for r.Next() {
		b := r.RecordBatch()
		for i := range int(b.NumRows()) {
			var row []string
			for _, c := range b.Columns() {
				row = append(row, cellText(c, i))
			}
			out.rows = append(out.rows, row)
		}
	}
	return out, r.Err()
}

// cellText is a cell as in a CSV file of pandas, but for times.
func cellText(a arrow.Array, row int) string {
	if a.IsNull(row) {
		return ""
	}
	if c, ok := a.(*array.Timestamp); ok {
		return c.Value(row).ToTime(c.DataType().(*arrow.TimestampType).Unit).Format(time.RFC3339Nano)
	}
	return a.ValueStr(row)
}

// doExchange runs a call by DoExchange.
func doExchange(t *testing.T, c gen.FlightServiceClient, text, stream string) (tableRows, error) {
	t.Helper()
	s, err := c.DoExchange(t.Context())
	if err != nil {
		return tableRows{}, err
	}
	upload(t, s, text, stream, true)
	return received(s)
}

func doPut(t *testing.T, c gen.FlightServiceClient, text, stream string) error {
	t.Helper()
	s, err := c.DoPut(t.Context())
	if err != nil {
		return err
	}
	upload(t, s, text, stream, false)
	if _, err = s.Recv(); errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// inSteps runs a call by DoPut, GetFlightInfo and DoGet.
func inSteps(t *testing.T, c gen.FlightServiceClient, text, stream string) (tableRows, error) {
	t.Helper()
	if err := doPut(t, c, text, stream); err != nil {
		return tableRows{}, err
	}
	d := &gen.FlightDescriptor{Type: gen.FlightDescriptor_CMD, Cmd: []byte(text)}
	info, err := c.GetFlightInfo(t.Context(), d)
	if err != nil {
		return tableRows{}, err
	}
	if !bytes.Equal(info.GetFlightDescriptor().GetCmd(), d.GetCmd()) || info.GetFlightDescriptor().GetType() != d.GetType() || len(info.GetEndpoint()) != 1 || info.GetTotalRecords() != -1 {
		t.Errorf("FlightInfo %v", info)
	}
	s, err := c.DoGet(t.Context(), info.GetEndpoint()[0].GetTicket())
	if err != nil {
		return tableRows{}, err
	}
	return received(s)
}

// replayed is the result of a recorded call of Feast 0.66 or 0.67, in either form.
type replayed struct {
	command
	label  string
	want   []column
	rows   int
	failed bool
	got    tableRows
	err    error
}

// replay runs the recorded calls.
func replay(t *testing.T, c gen.FlightServiceClient, version string) []replayed {
	t.Helper()
	calls := flightCalls(t, version)
	var out []replayed
	label := ""
	for i, call := range calls {
		r := replayed{label: label, want: call.OutSchema, rows: call.OutRows, failed: call.Error != ""}
		if call.Command != "" {
			if err := json.Unmarshal([]byte(call.Command), &r.command); err != nil {
				t.Fatal(err)
			}
		}
		switch {
		case call.Label != "":
			label = call.Label
		case call.Call == "DoExchange":
			r.got, r.err = doExchange(t, c, call.Command, call.Stream)
			out = append(out, r)
		case call.Call == "DoPut" && i+2 < len(calls) && calls[i+1].Call == "GetFlightInfo":
			r.got, r.err = inSteps(t, c, call.Command, call.Stream)
			get := calls[i+2]
			r.want, r.rows, r.failed = get.Schema, get.Rows, get.Schema == nil
			out = append(out, r)
		case call.Call == "DoPut":
			r.err = doPut(t, c, call.Command, call.Stream)
			out = append(out, r)
		}
	}
	return out
}

func TestRecordedFlightCalls(t *testing.T) {
	want := sdkOutput(t)
	for _, version := range []string{"0.66", "0.67"} {
		t.Run(version, func(t *testing.T) {
			store := offlineTables(t)
			_, client := startFlight(t, func(o *server.Options) { o.Training = trainingOf(t, store) })
			n := 0
			for _, r := range replay(t, client, version) {
				name := r.label
				if name == "" && r.API == "get_historical_features" {
					name = []string{"entity df", "full names", "service with aliases", "sql", "range", "sql error", "missing key column"}[n]
					n++
				}
				t.Run(fmt.Sprint(r.API, " ", name), func(t *testing.T) { checkReplayed(t, r, name, want[name]) })
			}
		})
	}
}

// flightErrors are the errors of recorded calls: as Feast's, or in plain words.
var flightErrors = map[string]struct {
	code codes.Code
	text string
}{
	"unknown view":          {codes.NotFound, `Flight error: {"module": "feast.errors", "class": "FeatureViewNotFoundException", "message": "Feature view nope does not exist in project credit_scoring_aws"}`},
	"write to unknown view": {codes.NotFound, `Flight error: {"module": "feast.errors", "class": "FeatureViewNotFoundException", "message": "Feature view nope does not exist in project credit_scoring_aws"}`},
	"unknown source":        {codes.NotFound, `Flight error: {"module": "feast.errors", "class": "DataSourceObjectNotFoundException", "message": "Data source nope does not exist in project credit_scoring_aws"}`},
	"unknown api":           {codes.Unimplemented, "Unknown read API: nope"},
	"no api":                {codes.InvalidArgument, "api parameter is mandatory"},
	"sql error":             {codes.NotFound, `column "nope" does not exist`},
	"missing key column":    {codes.InvalidArgument, `the entity rows have no column "zipcode", a join key of feature view zipcode_features`},
}

func checkReplayed(t *testing.T, r replayed, name string, rows [][]string) {
	if want, ok := flightErrors[name]; ok {
		s := status.Convert(r.err)
		if s.Code() != want.code || !strings.Contains(s.Message(), want.text) || strings.Contains(s.Message(), "\n") {
			t.Errorf("%v: %s", s.Code(), s.Message())
		}
		return
	}
	if r.err != nil {
		t.Fatal(r.err)
	}
	switch {
	case name == "null dates": // Feast's server fails; here null means no bound
		if len(r.got.rows) < 50 {
			t.Errorf("%d rows", len(r.got.rows))
		}
		return
	case r.API == "offline_write_batch": // Feast's server does not write to PostgreSQL
		return
	}
	if diff := cmp.Diff(feastTypes(r.want), feastTypes(r.got.columns)); diff != "" {
		t.Errorf("columns (-Feast +banquet):\n%s", diff)
	}
	if len(r.got.rows) != r.rows {
		t.Errorf("%d rows, Feast has %d", len(r.got.rows), r.rows)
	}
	if rows != nil {
		slices.SortFunc(r.got.rows, slices.Compare)
		if diff := cmp.Diff(rows, r.got.rows); diff != "" {
			t.Errorf("rows (-Feast +banquet):\n%s", diff)
		}
	}
}

// feastTypes writes types as pyarrow does.
func feastTypes(columns []column) []column {
	names := map[string]string{"utf8": "string", "float64": "double", "float32": "float", "timestamp[us, tz=]": "timestamp[us]"}
	out := slices.Clone(columns)
	for i, c := range out {
		if name, ok := names[c[1]]; ok {
			out[i][1] = name
		}
	}
	return out
}

// sdkOutput is what Feast's client printed: sorted rows by the name of the call.
func sdkOutput(t *testing.T) map[string][][]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(golden, "offline_server", "sdk_output.txt"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][][]string{}
	for _, part := range strings.Split("\n"+string(b), "\n## ")[1:] {
		name, table, _ := strings.Cut(part, "\n")
		if strings.Contains(name, "raised") || name == "materialize" {
			continue
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimSpace(table))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			for i, cell := range row {
				if at, err := value.ParseTime(cell); err == nil {
					row[i] = at.Format(time.RFC3339Nano)
				}
			}
		}
		rows = rows[1:]
		slices.SortFunc(rows, slices.Compare)
		out[name] = rows
	}
	return out
}
