package server_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/server"
)

// heldWriter is a script that reports to began and waits for release, or for its context.
func heldWriter() (script scripted, began chan string, release chan struct{}) {
	began, release = make(chan string, 100), make(chan struct{})
	return func(ctx context.Context, name string, _ ingest.Rows) (ingest.Report, error) {
		began <- name
		select {
		case <-release:
			return ingest.Report{}, nil
		case <-ctx.Done():
			return ingest.Report{}, ctx.Err()
		}
	}, began, release
}

// Writes that wait for a store take no slot from reads, and more of them are refused.
func TestWritesHaveSlotsOfTheirOwn(t *testing.T) {
	script, began, release := heldWriter()
	s := scriptedServer(t, script, func(o *server.Options) {
		o.Concurrency, o.Queue, o.WriteConcurrency = 1, 1, 2
	})
	push := func() (int, string) {
		return fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/push", `{"push_source_name":"s","df":{}}`, "Content-Type", "application/json")
	}
	done := make(chan int, 2)
	for range 2 {
		go func() {
			code, _ := push()
			done <- code
		}()
	}
	<-began
	<-began
	if code, text := push(); code != http.StatusTooManyRequests || !strings.Contains(text, "banquet.limits.write_concurrency, write_queue") {
		t.Error(code, text)
	}
	if got := told(t, s, 1); got != "null " {
		t.Error(got)
	}
	_, err := banquetv1.NewFeatureServiceClient(s.grpc).Write(t.Context(), &banquetv1.WriteRequest{FeatureView: "v"})
	if status.Code(err) != codes.ResourceExhausted {
		t.Error(err)
	}
	close(release)
	for range 2 {
		if code := <-done; code != http.StatusOK {
			t.Error(code)
		}
	}
}

// A stream that waits for its caller has no share of the memory for large bodies: its
// last line is written.
func TestAWaitingStreamKeepsNoMemory(t *testing.T) {
	written := make(chan string, 2)
	s := scriptedServer(t, func(_ context.Context, name string, _ ingest.Rows) (ingest.Report, error) {
		written <- name
		return ingest.Report{Views: []ingest.ViewReport{{View: "v", Rows: 1, Stored: 1}}}, nil
	}, func(o *server.Options) { o.BodyBytes = 2 << 20 })
	large := `{"feature_view":"v","columns":{"n":["` + strings.Repeat("x", 3<<19) + `"]}}`
	body, caller := io.Pipe()
	t.Cleanup(func() { _ = caller.Close() })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.at.HTTP+"/v1/write:stream", body)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan string, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			done <- err.Error()
			return
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		done <- string(text)
	}()
	send := func() {
		if _, err := io.WriteString(caller, large+"\n"); err != nil {
			t.Fatal(err)
		}
		<-written
	}
	send()
	if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/write", large); code != http.StatusOK {
		t.Fatal(code, text)
	}
	<-written
	send()
	_ = caller.Close()
	if text := <-done; !strings.Contains(text, `"rows":"2"`) {
		t.Error(text)
	}
}

// A stream that waits for its caller does not delay the stop of the server, and its caller
// learns what is stored.
func TestAStoppingServerEndsStreams(t *testing.T) {
	s := scriptedServer(t, func(context.Context, string, ingest.Rows) (ingest.Report, error) {
		return ingest.Report{Views: []ingest.ViewReport{{View: "v", Rows: 7, Stored: 7}}}, nil
	})
	stream, err := banquetv1.NewFeatureServiceClient(s.grpc).StreamWrite(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&banquetv1.StreamWriteRequest{Request: &banquetv1.WriteRequest{FeatureView: "v"}}); err != nil {
		t.Fatal(err)
	}
	until(t, "no row is written", func() bool { return strings.Contains(metric(t, s, "banquet_write_rows_total"), " 7") })
	began := time.Now()
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if d := time.Since(began); d > 15*time.Second {
		t.Errorf("stopping took %v", d)
	}
	err = stream.RecvMsg(new(banquetv1.StreamWriteResponse))
	if text := status.Convert(err).Message(); status.Code(err) != codes.Unavailable || !strings.Contains(text, "begins at row 7; all rows before it are written: the server is stopping") {
		t.Error(err)
	}
}
