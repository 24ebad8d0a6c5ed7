package server_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gen "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/server"
	"github.com/banquet-fs/banquet/training"
)

// onDemandCall is a recorded call for features of an on-demand view, and the table that Feast's server gave.
type onDemandCall struct {
	Name, Call, Command string
	Stream              string `json:"arrow_ipc_stream_base64"`
	Result              string
	Error               string // what Feast's client raised
}

// Feast's clients get the features of on-demand views from banquet as from Feast's own server.
func TestRecordedFlightCallsOfOnDemandViews(t *testing.T) {
	for _, version := range []string{"0.66", "0.67"} {
		t.Run(version, func(t *testing.T) {
			dir := filepath.Join("feast_"+version, "on_demand")
			training := trainingOfFiles(t, filepath.Join(golden, dir))
			s := start(t, fixture{project: "rides", registry: filepath.Join(dir, "registry", "applied.db"), versioned: true, change: func(o *server.Options) { o.Training = training }})
			client := gen.NewFlightServiceClient(s.grpc)
			for _, c := range onDemandCalls(t, dir) {
				t.Run(c.Name, func(t *testing.T) { checkOnDemandCall(t, client, c) })
			}
		})
	}
}

// trainingOfFiles makes the use case over Parquet files and the registry beside them.
func trainingOfFiles(t *testing.T, dir string) func(context.Context) (*training.Service, error) {
	t.Helper()
	h := registry.NewHolder(registry.HolderOptions{Storage: file.New(filepath.Join(dir, "registry", "applied.db")), Registry: registry.Options{VersionedTables: true}})
	if err := h.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := training.New(training.Options{Snapshots: h.Snapshot, Project: "rides", Versioned: true, Source: parquet.New(dir)})
	return func(context.Context) (*training.Service, error) { return s, nil }
}

func onDemandCalls(t *testing.T, dir string) []onDemandCall {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(golden, dir, "flight_calls.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var calls []onDemandCall
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c onDemandCall
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		calls = append(calls, c)
	}
	if len(calls) < 6 {
		t.Fatalf("%d calls", len(calls))
	}
	return calls
}

func checkOnDemandCall(t *testing.T, client gen.FlightServiceClient, c onDemandCall) {
	run := inSteps
	if c.Call == "DoExchange" {
		run = doExchange
	}
	got, err := run(t, client, c.Command, c.Stream)
	if c.Result == "" { // Feast fails: the call has the alias of an on-demand view, but not the view
		if s := status.Convert(err); s.Code() != codes.NotFound || !strings.Contains(s.Message(), "Feature view opinion does not exist") {
			t.Errorf("%v: %s; Feast: %s", s.Code(), s.Message(), c.Error)
		}
		return
	}
	if err != nil {
		t.Fatal(status.Convert(err).Message())
	}
	b, err := base64.StdEncoding.DecodeString(c.Result)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ipc.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	want, err := tableOf(r)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(byColumn(want), byColumn(got)); diff != "" {
		t.Errorf("(-Feast +banquet):\n%s", diff)
	}
}

// byColumn writes each row by the names of its columns, since Feast has the columns of sources in any order, and its rows.
func byColumn(table tableRows) []string {
	out := make([]string, len(table.rows))
	for i, row := range table.rows {
		cells := make([]string, len(row))
		for j, cell := range row {
			cells[j] = table.columns[j][0] + "=" + strings.TrimSuffix(cell, ".0")
		}
		slices.Sort(cells)
		out[i] = strings.Join(cells, " ")
	}
	slices.Sort(out)
	return out
}
