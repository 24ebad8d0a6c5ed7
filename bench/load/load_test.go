package load_test

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/bench/dataset"
	"github.com/banquet-fs/banquet/bench/fake"
	"github.com/banquet-fs/banquet/bench/floor"
	"github.com/banquet-fs/banquet/bench/load"
)

// start starts a store and a floor in front of it, and returns the targets.
func start(t *testing.T) (store string, targets map[string]load.Target) {
	t.Helper()
	s, err := fake.New()
	if err != nil {
		t.Fatal(err)
	}
	var listen net.ListenConfig
	lis, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(lis) }()
	t.Cleanup(func() { _ = lis.Close() })
	addr := [2]string{}
	for i := range addr {
		free, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr[i] = free.Addr().String()
		if err := free.Close(); err != nil {
			t.Fatal(err)
		}
	}
	store = lis.Addr().String()
	go func() {
		if err := floor.Serve(t.Context(), addr[0], addr[1], floor.NewClient(store, dataset.Region, "key", "secret")); err != nil {
			t.Error(err)
		}
	}()
	targets = map[string]load.Target{"grpc": {Addr: addr[0], Method: "/feast.serving.ServingService/GetOnlineFeatures"}, "http": {Addr: addr[1]}}
	for protocol, target := range targets {
		for run(t, target, "a").Responses == 0 {
			t.Log("waiting for", protocol)
		}
	}
	return store, targets
}

func run(t *testing.T, target load.Target, shape string) *load.Result {
	t.Helper()
	c, ok := dataset.CaseOf(shape)
	if !ok {
		t.Fatal("no case " + shape)
	}
	for length := 100 * time.Millisecond; ; length *= 4 { // comparing takes its time on a slow machine
		r, err := load.Run(target, load.Options{
			Case: c, Workers: 2, Warm: time.Millisecond, For: length, Timeout: 5 * time.Second, Check: 1, Window: func(bool) {},
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.Responses+r.Errors > 0 || length > 10*time.Second {
			return r
		}
	}
}

func set(t *testing.T, store string, s fake.Settings) {
	t.Helper()
	body, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+store+"/_set", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func TestAnswersAreComparedWithTheStore(t *testing.T) {
	store, targets := start(t)
	for protocol, target := range targets {
		for _, shape := range []string{"a", "b", "c", "d1", "d100"} {
			if r := run(t, target, shape); r.Responses == 0 || r.Errors > 0 || r.Wrong+r.Lost > 0 || r.Cells == 0 {
				t.Errorf("%s %s: %+v", protocol, shape, *r)
			}
		}
	}
	for name, s := range map[string]fake.Settings{
		"throttle": {Throttle: 1}, "500": {Error500: 1}, "503": {Error503: 1}, "reset": {Reset: 1}, "cut": {Cut: 1}, "corrupt": {Corrupt: 1}, "unprocessed": {Unprocessed: 1},
	} {
		set(t, store, s)
		if r := run(t, targets["grpc"], "b"); r.Errors == 0 || r.Responses > 0 {
			t.Errorf("%s: the floor, which cannot retry, gave a response: %+v", name, *r)
		}
	}
}

// A slow response also counts for the requests that were due meanwhile.
func TestOpenLoopCountsFromTheTimeDue(t *testing.T) {
	store, targets := start(t)
	set(t, store, fake.Settings{Latency: 50 * time.Millisecond})
	c, _ := dataset.CaseOf("a")
	r, err := load.Run(targets["http"], load.Options{
		Case: c, Workers: 1, Rate: 100, Warm: time.Millisecond, For: 200 * time.Millisecond, Timeout: 5 * time.Second, Check: 1, Window: func(bool) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	// Twenty requests are due in 200 ms, and one worker needs 50 ms for each: the last
	// one ends 1 s after the start, 800 ms after it was due.
	if r.Responses < 18 || r.Quantile(1) < 600*time.Millisecond {
		t.Errorf("%d responses, the slowest after %s", r.Responses, r.Quantile(1))
	}
}
