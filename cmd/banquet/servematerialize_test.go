package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/timestamppb"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/server"
)

// postTo sends a request to a server, and returns the response's status and body.
func postTo(t *testing.T, address, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// TestServeMaterializes loads a repository of files and SQLite by its server: over
// Feast's HTTP, in the background, and over gRPC. The server serves the rows at once.
func TestServeMaterializes(t *testing.T) {
	bin, dir := program(t), t.TempDir()
	repo := filepath.Join(dir, "shop", "feature_repo")
	for _, args := range [][]string{{"init", filepath.Join(dir, "shop")}, {"-c", repo, "apply"}} {
		if out, err := exec.CommandContext(t.Context(), bin, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", args, out)
		}
	}
	_, at := startServing(t, repo)
	stored := func(feature, entity, want string) bool {
		return strings.Contains(online(t, at.HTTP, `{"features":["`+feature+`"],"entities":{`+entity+`}}`), want)
	}
	const city, zipcode = "zipcode_features:city", `"zipcode":[76104]`
	if !stored(city, zipcode, "NOT_FOUND") {
		t.Error("the store is not empty")
	}
	if code, text := postTo(t, at.HTTP, "/materialize", `{"start_ts":"2023-01-01","end_ts":"2024-12-01","feature_views":["zipcode_features"]}`); code != http.StatusOK || text != "null" {
		t.Errorf("%d %s", code, text)
	}
	if !stored(city, zipcode, "FORT WORTH") {
		t.Error("/materialize stored nothing")
	}
	if code, text := postTo(t, at.HTTP, "/materialize?async=true", `{"disable_event_timestamp":true,"feature_views":["credit_history"]}`); code != http.StatusAccepted || text != `{"status":"accepted","feature_views":["credit_history"]}` {
		t.Errorf("%d %s", code, text)
	}
	const due, person = "credit_history:credit_card_due", `"dob_ssn":["19530219_5179"]`
	for end := time.Now().Add(20 * time.Second); !stored(due, person, "PRESENT"); <-time.After(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the asynchronous run stored nothing")
		}
	}
	conn, err := grpc.NewClient(at.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	end := timestamppb.New(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC))
	stream, err := banquetv1.NewMaterializeServiceClient(conn).Materialize(t.Context(), &banquetv1.MaterializeRequest{
		FeatureViews: []string{"zipcode_features"}, Range: &banquetv1.MaterializeRequest_IncrementalEnd{IncrementalEnd: end},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		e, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case e.GetPlan() != nil:
			w := e.GetPlan().GetWindows()[0].GetWindow()
			got = append(got, "plan "+w.GetStart().AsTime().Format(time.DateOnly)+" "+w.GetEnd().AsTime().Format(time.DateOnly))
		case e.GetResult() != nil:
			got = append(got, "result "+e.GetResult().GetFeatureView())
		case e.GetSummary() != nil:
			got = append(got, "summary")
		}
	}
	if want := "plan 2024-12-01 2025-01-01, result zipcode_features, summary"; strings.Join(got, ", ") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, ", "), want)
	}
	if code, text := postTo(t, at.HTTP, "/materialize-incremental", `{"end_ts":"2025-01-01","feature_views":["nope"]}`); code != http.StatusNotFound || !strings.Contains(text, "FeatureViewNotFoundException") {
		t.Errorf("%d %s", code, text)
	}
}

// TestMaterializeRuns covers how many runs a server has at once.
func TestMaterializeRuns(t *testing.T) {
	dir := newRepo(t, sqliteRepo+"banquet:\n  materialize:\n    runs: 5\n    queue: 0\n", oneView)
	for _, c := range []struct {
		env  map[string]string
		want int
	}{
		{nil, 5},
		{map[string]string{"FEAST_MATERIALIZE_MAX_WORKERS": "3"}, 3},
		{map[string]string{"FEAST_MATERIALIZE_MAX_WORKERS": "-1"}, 1},
		{map[string]string{"FEAST_MATERIALIZE_MAX_WORKERS": ""}, 5},
		{map[string]string{"FEAST_MATERIALIZE_MAX_WORKERS": "many"}, 5},
	} {
		a := &app{system: system{err: io.Discard, env: func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }}, dir: dir, logLevel: "error"}
		if err := a.setLog(); err != nil {
			t.Fatal(err)
		}
		r, err := a.open(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.materializeRuns(); got != c.want {
			t.Errorf("%v: %d, want %d", c.env, got, c.want)
		}
	}
	code, _, errText := command(t, nil, "-c", newRepo(t, sqliteRepo+"banquet:\n  materialize:\n    runs: 0\n", oneView), "validate")
	if code != 1 || !strings.Contains(errText, "feature_store.yaml:12") || !strings.Contains(errText, "banquet.materialize.runs: want 1 or more") {
		t.Errorf("exit %d: %s", code, errText)
	}
}

// TestTheLoaderOpensItsOwnStores once, and not those of the requests.
func TestTheLoaderOpensItsOwnStores(t *testing.T) {
	dir := newRepo(t, sqliteRepo, strings.ReplaceAll(oneView, "SOURCE", `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`))
	if code, _, errText := command(t, nil, "-c", dir, "apply"); code != 0 {
		t.Fatal(errText)
	}
	a := &app{system: system{err: io.Discard, env: os.LookupEnv}, dir: dir, logLevel: "error"}
	if err := a.setLog(); err != nil {
		t.Fatal(err)
	}
	r, err := a.open(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	l := r.loader()
	var made []server.Materializer
	for range 2 {
		m, err := l.materializer(t.Context(), "shop", ingest.Observer{})
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, m)
	}
	if views, err := made[1].Views(t.Context(), ingest.Request{}); err != nil || len(views) != 1 {
		t.Errorf("%v %v", views, err)
	}
	if r.online != nil || r.offline != nil || l.repo.online == nil || l.repo.offline == nil || len(l.repo.closers) != 1 {
		t.Errorf("the loader has %d closers", len(l.repo.closers))
	}
}
