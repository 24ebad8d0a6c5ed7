package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	gen "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/banquet-fs/banquet/config"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
)

// offlineServer starts serve_offline and returns a client and what it prints.
func offlineServer(t *testing.T, dir string) (gen.FlightServiceClient, string) {
	t.Helper()
	var out bytes.Buffer
	a := &app{
		system: system{out: &out, err: io.Discard, env: func(string) (string, bool) { return "", false }},
		dir:    dir, log: slog.New(slog.DiscardHandler),
	}
	ctx, cancel := context.WithCancel(context.Background())
	s, r, err := a.newOfflineServer(ctx, &serveFlags{host: "127.0.0.1", adminHost: "127.0.0.1"})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	if err := a.sayListening(s); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	conn, err := grpc.NewClient(s.Addresses().GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the server ended with %v", err)
		}
		r.close()
	})
	return gen.NewFlightServiceClient(conn), out.String()
}

// table is a table of texts that a client sends; times are a column ts or at.
func table(t *testing.T, header string, rows ...string) arrow.RecordBatch {
	t.Helper()
	var fields []arrow.Field
	for _, name := range strings.Split(header, ",") {
		f := arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64, Nullable: true}
		switch name {
		case "key":
			f.Type = arrow.BinaryTypes.String
		case "at", "event_timestamp":
			f.Type = &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}
		}
		fields = append(fields, f)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for _, row := range rows {
		for i, cell := range strings.Split(row, ",") {
			if err := b.Field(i).AppendValueFromString(cell); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b.NewRecordBatch()
}

type flightSender interface {
	Send(*gen.FlightData) error
	CloseSend() error
}

func sendTable(to flightSender, command string, batch arrow.RecordBatch) {
	w := flight.NewRecordWriter(to, ipc.WithSchema(batch.Schema()))
	w.SetFlightDescriptor(&gen.FlightDescriptor{Type: gen.FlightDescriptor_CMD, Cmd: []byte(command)})
	_ = errors.Join(w.Write(batch), w.Close(), to.CloseSend()) // an error comes with the response
}

// exchanged is the result of a call, one line for each row.
func exchanged(t *testing.T, c gen.FlightServiceClient, command string, batch arrow.RecordBatch) string {
	t.Helper()
	call, err := c.DoExchange(t.Context())
	if err != nil {
		return err.Error()
	}
	sendTable(call, command, batch)
	r, err := flight.NewRecordReader(call)
	if err != nil {
		return err.Error()
	}
	defer r.Release()
	var out strings.Builder
	for r.Next() {
		b := r.RecordBatch()
		for row := range int(b.NumRows()) {
			for i, column := range b.Columns() {
				fmt.Fprintf(&out, "%s=%s ", b.ColumnName(i), column.ValueStr(row))
			}
			out.WriteByte('\n')
		}
	}
	if r.Err() != nil {
		return r.Err().Error()
	}
	return out.String()
}

func putTable(t *testing.T, c gen.FlightServiceClient, command string, batch arrow.RecordBatch) error {
	t.Helper()
	call, err := c.DoPut(t.Context())
	if err != nil {
		return err
	}
	sendTable(call, command, batch)
	if _, err := call.Recv(); !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func TestServeOfflineNeedsNoOnlineStore(t *testing.T) {
	view := strings.ReplaceAll(oneView, "SOURCE", `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`)
	dir := newRepo(t, sqliteRepo, view)
	if code, _, errText := command(t, nil, "-c", dir, "apply"); code != 0 {
		t.Fatal(errText)
	}
	yaml := strings.Replace(sqliteRepo, "  type: sqlite\n  path: online.db\n", "  type: redis\n  connection_string: localhost\n", 1)
	if err := os.WriteFile(filepath.Join(dir, "feature_store.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	client, printed := offlineServer(t, dir)
	if !strings.HasPrefix(printed, `{"admin":"127.0.0.1:`) || !strings.Contains(printed, `"grpc":"127.0.0.1:`) || strings.Contains(printed, "http") {
		t.Errorf("it prints %s", printed)
	}
	const pull = `{"command_id": "1", "api": "pull_all_from_table_or_query", "data_source_name": "%s", "join_key_columns": ["shopper"], "feature_name_columns": ["items"],
		"timestamp_field": "%s", "created_timestamp_column": null, "start_date": null, "end_date": null}`
	mock := table(t, "key", "m", "o")
	if got := exchanged(t, client, fmt.Sprintf(pull, "carts_source", "at"), mock); got != "shopper=1 items=3 at=2024-01-05T00:00:00 \n" && got != "shopper=1 items=3 at=2024-01-05T00:00:00Z \n" {
		t.Errorf("a pull gives %q", got)
	}
	write := `{"command_id": "2", "api": "offline_write_batch", "feature_view_names": ["carts"], "progress": null, "name_aliases": [null]}`
	if err := putTable(t, client, write, table(t, "at,items,shopper", "2024-01-06T00:00:00Z,7,1")); err != nil {
		t.Fatal(err)
	}
	historical := `{"command_id": "3", "api": "%s", "feature_view_names": ["carts"], "feature_refs": ["carts:items"], "project": "shop", "full_feature_names": false, "name_aliases": [null]%s}`
	rows := table(t, "shopper,event_timestamp", "1,2024-01-05T12:00:00Z", "1,2024-01-06T12:00:00Z")
	got := exchanged(t, client, fmt.Sprintf(historical, "get_historical_features", ""), rows)
	if strings.Count(got, "\n") != 2 || !strings.Contains(got, "items=3") || !strings.Contains(got, "items=7") {
		t.Errorf("a training set is %q", got)
	}
	persist := fmt.Sprintf(historical, "persist", `, "data_source_name": "sets/one.parquet", "allow_overwrite": false, "timeout": null, "retrieve_func": "get_historical_features"`)
	if err := os.Mkdir(filepath.Join(dir, "sets"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := putTable(t, client, persist, rows); err != nil {
		t.Errorf("a saved dataset: %v", err)
	}
	if err := putTable(t, client, strings.Replace(persist, "sets/one", "../one", 1), rows); err == nil || !strings.Contains(err.Error(), "not in the feature repository") {
		t.Errorf("a saved dataset elsewhere: %v", err)
	}

	// What is applied while the server runs is known to the next call.
	next := strings.Replace(view, "carts_source", "renamed_source", 1)
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "feature_store.yaml"), []byte(sqliteRepo), 0o600), os.WriteFile(filepath.Join(dir, "features.py"), []byte(next), 0o600)); err != nil {
		t.Fatal(err)
	}
	if code, _, errText := command(t, nil, "-c", dir, "apply"); code != 0 {
		t.Fatal(errText)
	}
	if got := exchanged(t, client, fmt.Sprintf(pull, "renamed_source", "at"), mock); strings.Count(got, "\n") != 2 {
		t.Errorf("a pull of a source that was just applied: %q", got)
	}
}

// slowChecks is a registry whose first check takes until gate is closed.
type slowChecks struct {
	*file.Storage
	checks atomic.Int32
	gate   chan struct{}
}

func (s *slowChecks) Changed(ctx context.Context, rev registry.Revision) (bool, error) {
	if s.checks.Add(1) == 1 {
		<-s.gate
	}
	return s.Storage.Changed(ctx, rev)
}

// A request is not content with a check of the registry that began before it.
func TestEachRequestChecksTheRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slowChecks{Storage: file.New(filepath.Join(golden, "offline_server", "registry.db")), gate: make(chan struct{})}
		h := registry.NewHolder(registry.HolderOptions{Storage: s})
		if err := h.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		f := newFreshness(h)
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() { f.now(t.Context()) })
			synctest.Wait()
		}
		close(s.gate)
		group.Wait()
		if n := s.checks.Load(); n != 2 {
			t.Errorf("%d checks", n)
		}
		f.turn <- struct{}{} // a check that hangs
		start := time.Now()
		f.now(t.Context())
		if took := time.Since(start); took != freshTime || s.checks.Load() != 2 {
			t.Errorf("%d checks while one hangs, after %v", s.checks.Load(), took)
		}
	})
}

func TestServeOfflineIsForLoopback(t *testing.T) {
	dir := newRepo(t, sqliteRepo, "")
	warehouse := newRepo(t, strings.Replace(sqliteRepo, "  type: file\n", "  type: bigquery\n", 1), "")
	for _, c := range []struct {
		dir  string
		args []string
		want string
	}{
		{dir, []string{"-h", "0.0.0.0"}, "--allow-offline"},
		{dir, []string{"-h", "0.0.0.0", "--allow-offline"}, "--listen-insecure"},
		{dir, []string{"--key", "nope.pem"}, "TLS needs both --cert and --key"},
		{warehouse, nil, "bigquery"},
	} {
		code, out, errText := command(t, nil, append([]string{"-c", c.dir, "serve_offline", "-p", "0"}, c.args...)...)
		if code != 1 || out != "" || strings.Count(errText, "\n") != 1 || !strings.Contains(errText, c.want) {
			t.Errorf("%v: exit %d, %s%s", c.args, code, out, errText)
		}
	}
}

func TestSavedDatasetsStayInTheRepository(t *testing.T) {
	dir := t.TempDir()
	files := &repository{config: &config.Config{Dir: dir, Offline: config.OfflineStore{Type: "file"}}}
	for name, want := range map[string]string{
		"set.parquet": "set.parquet", "data/set.parquet": "data/set.parquet", filepath.Join(dir, "set.parquet"): "set.parquet",
		"../set.parquet": "", "/etc/passwd": "", "": "", "data/../../set.parquet": "", "s3://bucket/set.parquet": "s3://bucket/set.parquet",
		"features.py": "", ".feastignore": "", "set.csv": "", "set": "set",
	} {
		m, err := files.savedDataset(name)
		if got := m.GetFileOptions().GetUri(); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v", name, got, err)
		}
	}
	tables := &repository{config: &config.Config{Dir: dir, Offline: config.OfflineStore{Type: "postgres"}}}
	m, err := tables.savedDataset(`a "table"`)
	if err != nil || m.GetName() != `a "table"` || string(m.GetCustomOptions().GetConfiguration()) != `{"name":"","query":"","table":"a \"table\""}` {
		t.Errorf("%v, %v", m, err)
	}
}
