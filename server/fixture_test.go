package server_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/banquet-fs/banquet/internal/awsconf"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/server"
	"github.com/banquet-fs/banquet/serving"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
	"github.com/banquet-fs/banquet/stores/observed"
	"github.com/banquet-fs/banquet/stores/postgres"
	"github.com/banquet-fs/banquet/stores/retry"
	"github.com/banquet-fs/banquet/stores/sqlite"
)

// fixture describes a test server by files under testdata/golden.
type fixture struct {
	project, registry string
	tables            string // directory of DynamoDB tables
	sqlite            string
	postgres          string // a dump
	versioned         bool
	change            func(*server.Options)
	writing           func(*served, stores.Store, *server.Options) // makes it materialize
	limits            serving.Limits
	budget            *stores.Budget // of DynamoDB's responses
}

// served is a running server.
type served struct {
	at      server.Addresses
	grpc    *grpc.ClientConn
	dynamo  *dynamotest.Server
	file    string // the registry file that it watches
	metrics *prometheus.Registry
	stop    func() error // stops it and returns the result of Run
}

// start runs a server until the test ends.
func start(t *testing.T, f fixture) *served {
	t.Helper()
	s := &served{file: filepath.Join(t.TempDir(), "registry.db"), metrics: prometheus.NewRegistry()}
	if f.registry != "" {
		copyFile(t, filepath.Join(golden, f.registry), s.file)
	}
	opt := registry.Options{VersionedTables: f.versioned}
	holder := registry.NewHolder(registry.HolderOptions{Storage: file.New(s.file), Registry: opt, Every: 5 * time.Millisecond})
	if err := holder.Refresh(t.Context()); err != nil && f.registry != "" {
		t.Fatal(err)
	}
	store := s.reader(t, f)
	o := server.Options{
		Version: "test", Project: f.project, Registry: holder, GRPC: "127.0.0.1:0", HTTP: "127.0.0.1:0", Admin: "127.0.0.1:0",
		Metrics: s.metrics, DrainTime: 30 * time.Second,
		Serving: serving.New(serving.Options{
			Snapshots: holder.Snapshot, Project: f.project, Reader: store, KeyVersion: 3, Versioned: f.versioned, Limits: f.limits, Metrics: s.metrics,
		}),
	}
	if f.change != nil {
		f.change(&o)
	}
	if f.writing != nil {
		f.writing(s, store, &o)
	}
	srv, err := server.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	s.run(t, srv)
	return s
}

func (s *served) run(t *testing.T, srv *server.Server) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	stopped := false
	s.stop = func() error {
		cancel()
		stopped = true
		return <-done
	}
	s.at = srv.Addresses()
	conn, err := grpc.NewClient(s.at.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	s.grpc = conn
	t.Cleanup(func() {
		_ = conn.Close()
		if stopped {
			return
		}
		if err := s.stop(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
}

// reader opens the online store of a fixture.
func (s *served) reader(t *testing.T, f fixture) stores.Store {
	t.Helper()
	if f.sqlite != "" {
		path := filepath.Join(t.TempDir(), "online.db")
		copyFile(t, filepath.Join(golden, f.sqlite), path)
		store, err := sqlite.OpenIn(path, time.UTC) // as it was recorded
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		return store
	}
	if f.postgres != "" {
		dump, err := os.ReadFile(filepath.Join(golden, f.postgres))
		if err != nil {
			t.Fatal(err)
		}
		opt := pgtest.Options(t)
		opt.Schema = "public"
		pgtest.Exec(t, opt, string(dump))
		store := postgres.New(opt)
		t.Cleanup(func() { _ = store.Close() })
		return store
	}
	s.dynamo = dynamotest.Start(t)
	if f.tables != "" {
		load(t, s.dynamo, filepath.Join(golden, f.tables))
	}
	c, err := awsconf.Load(t.Context(), awsconf.Options{Region: "ap-northeast-2", Endpoint: s.dynamo.URL})
	if err != nil {
		t.Fatal(err)
	}
	backend := dynamo.Open(dynamo.Options{AWS: c})
	backend.Limit(f.budget)
	return retry.New(observed.New(backend, s.metrics), retry.Options{Metrics: s.metrics})
}

// load puts recorded tables into the emulator.
func load(t *testing.T, d *dynamotest.Server, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no tables in " + dir)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Items []map[string]json.RawMessage
		}
		if err := json.Unmarshal(b, &doc); err != nil {
			t.Fatal(err)
		}
		for _, it := range doc.Items {
			d.Put(strings.TrimSuffix(filepath.Base(path), ".json"), it)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
