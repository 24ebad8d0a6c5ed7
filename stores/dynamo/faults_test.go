package dynamo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/awsconf"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
	"github.com/banquet-fs/banquet/stores/observed"
	"github.com/banquet-fs/banquet/stores/retry"
)

// ignored are goroutines that end by themselves some time after a client is
// closed: fasthttp's cleaner of idle connections sleeps between its checks.
var ignored = []goleak.Option{
	goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*HostClient).connsCleaner"),
	goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*TCPDialer).tcpAddrsClean"),
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, ignored...) }

// bench is a store as the server builds it, over two tables of three rows.
type bench struct {
	server  *dynamotest.Server
	store   stores.Store
	metrics *prometheus.Registry
	keys    [][]byte
}

var history = stores.Table{Project: "credit_scoring_aws", View: "credit_history"}

func newBench(t *testing.T, server *dynamotest.Server, open func(testing.TB, *dynamotest.Server) *dynamo.Store) *bench {
	t.Helper()
	inner := open(t, server)
	b := &bench{server: server, metrics: prometheus.NewRegistry()}
	b.store = retry.New(observed.New(inner, b.metrics), retry.Options{})
	ready(t, inner, zip, history)
	recs, keys := records(3)
	b.keys = keys
	for _, tb := range []stores.Table{zip, history} {
		if w, err := inner.Write(t.Context(), tb, stores.NewSelection("f"), recs, stores.Replace); err != nil || len(w.Failed.Indexes) > 0 {
			t.Fatal(w, err)
		}
	}
	return b
}

// read reads all rows of both tables within a time limit and returns how long it
// took. An existing row that is returned as missing, or with another value, fails
// the test, whatever the fault.
func (b *bench) read(t *testing.T, within time.Duration) (failed int, kind fault.Kind, took time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	start := time.Now()
	rows, err := b.store.Read(ctx, []stores.Read{
		{Table: zip, Features: stores.NewSelection("f"), Keys: b.keys},
		{Table: history, Features: stores.NewSelection("f"), Keys: b.keys},
	})
	took = time.Since(start)
	if err != nil {
		if k := fault.KindOf(err); k == fault.NotFound || k == fault.Internal {
			t.Errorf("the read fails as %v: %v", k, err)
		}
		return 2 * len(b.keys), fault.KindOf(err), took
	}
	defer rows.Release()
	for _, read := range rows.Reads {
		for i, r := range read {
			switch {
			case r.Err != nil:
				failed, kind = failed+1, fault.KindOf(r.Err)
			case !r.Found:
				t.Errorf("row %d is returned as missing", i)
			case string(r.Values[0]) != fmt.Sprintf("\x12\x03%03d", i):
				t.Errorf("row %d is %q", i, r.Values[0])
			}
		}
	}
	return failed, kind, took
}

// failures sums the failure counter.
func (b *bench) failures(t *testing.T) float64 {
	t.Helper()
	families, err := b.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() == "banquet_store_errors_total" {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// Whatever fails: no existing row is returned as missing, the deadline is kept,
// the metrics count the failure, and reads succeed afterwards.
func TestFaultsAreNeverMissingRows(t *testing.T) {
	faults := map[string]dynamotest.Faults{
		"unprocessed": {Unprocessed: 1}, "throttled": {Throttle: 1}, "500": {Error500: 1}, "503": {Error503: 1}, "hang": {Hang: 1},
		"reset": {Reset: 1}, "cut": {Cut: 1}, "bad crc": {BadCRC: 1}, "garbage": {Garbage: 1}, "expired": {Expired: true},
		"slow": {SlowFirstByte: 1, Delay: 10 * time.Second},
	}
	eachClient(t, func(t *testing.T, open func(testing.TB, *dynamotest.Server) *dynamo.Store) {
		for name, f := range faults {
			t.Run(name, func(t *testing.T) {
				b := newBench(t, dynamotest.Start(t), open)
				b.server.Set(f)
				const deadline, slack = 150 * time.Millisecond, 20 * time.Millisecond
				late := true
				for try := 0; try < 2 || late && try < 30; try++ { // on a busy machine a read may be late, not each
					failed, _, took := b.read(t, deadline)
					if failed != 2*len(b.keys) {
						t.Errorf("%d of %d rows fail", failed, 2*len(b.keys))
					}
					late = late && took > deadline+slack
				}
				if late {
					t.Errorf("the deadline of %v is overrun by more than %v each time", deadline, slack)
				}
				if b.failures(t) == 0 {
					t.Error("the metrics count no failure")
				}
				b.server.Set(dynamotest.Faults{})
				if failed, kind, _ := b.read(t, 20*time.Second); failed > 0 {
					t.Errorf("%d rows still fail (%v) when the fault has passed", failed, kind)
				}
			})
		}
	})
}

// Rare faults are hidden by retries.
func TestTransientFaultsAreHidden(t *testing.T) {
	faults := map[string]dynamotest.Faults{
		"unprocessed": {Unprocessed: 0.3}, "throttled": {Throttle: 0.3}, "500": {Error500: 0.2}, "503": {Error503: 0.2},
		"reset": {Reset: 0.2}, "cut": {Cut: 0.2}, "bad crc": {BadCRC: 0.2}, "garbage": {Garbage: 0.2},
		"slow": {SlowFirstByte: 0.3, Delay: 10 * time.Millisecond},
	}
	eachClient(t, func(t *testing.T, open func(testing.TB, *dynamotest.Server) *dynamo.Store) {
		for name, f := range faults {
			t.Run(name, func(t *testing.T) {
				b := newBench(t, dynamotest.Start(t), open)
				b.server.Set(f)
				b.server.Reset()
				const reads = 40
				unanswered := 0
				for range reads {
					if failed, _, _ := b.read(t, 20*time.Second); failed > 0 {
						unanswered++
					}
				}
				if unanswered > reads/20 {
					t.Errorf("%d of %d reads are incomplete", unanswered, reads)
				}
				if calls := b.server.Count("BatchGetItem"); calls > 12*reads {
					t.Errorf("%d calls for %d reads", calls, reads)
				}
			})
		}
	})
}

func TestATableThatCannotBeReadFailsAlone(t *testing.T) {
	eachClient(t, func(t *testing.T, open func(testing.TB, *dynamotest.Server) *dynamo.Store) {
		for name, spoil := range map[string]func(*dynamotest.Server){
			"missing": func(s *dynamotest.Server) { s.Drop("credit_scoring_aws.credit_history") },
			"forbidden": func(s *dynamotest.Server) {
				s.Set(dynamotest.Faults{Forbidden: map[string]bool{"credit_scoring_aws.credit_history": true}})
			},
		} {
			t.Run(name, func(t *testing.T) {
				b := newBench(t, dynamotest.Start(t), open)
				spoil(b.server)
				if failed, kind, _ := b.read(t, 20*time.Second); failed != len(b.keys) || kind != fault.NotFound && kind != fault.Denied {
					t.Errorf("%d rows fail (%v), want those of the one table", failed, kind)
				}
				b.server.Reset()
				b.read(t, 20*time.Second)
				if n := b.server.Count("BatchGetItem"); n != 2 {
					t.Errorf("the next read takes %d calls, want 2: the bad table gets a call of its own", n)
				}
			})
		}
	})
}

// A server that closes idle connections early causes no errors.
func TestConnectionsClosedWhileIdleCauseNoErrors(t *testing.T) {
	eachClient(t, func(t *testing.T, open func(testing.TB, *dynamotest.Server) *dynamo.Store) {
		b := newBench(t, dynamotest.Start(t), open)
		fast, reads := 0, 0
		for ; fast < 9 && reads < 60; reads++ {
			b.server.CloseIdle()
			failed, kind, took := b.read(t, 20*time.Second)
			if failed > 0 {
				t.Fatalf("%d rows fail (%v)", failed, kind)
			}
			if took <= 20*time.Millisecond {
				fast++
			}
		}
		if fast < 9 { // on a busy machine some reads are slow
			t.Errorf("%d of %d reads take at most 20ms", fast, reads)
		}
	})
}

// A response that misses the read timeout does not mean a stale connection: the
// call is not repeated on the next connection, to wait as long again.
func TestALateResponseIsNotRequestedAgain(t *testing.T) {
	server := dynamotest.Start(t)
	c, err := awsconf.Load(t.Context(), awsconf.Options{Region: "ap-northeast-2", Endpoint: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	s := dynamo.Open(dynamo.Options{AWS: c, ReadTime: 50 * time.Millisecond})
	defer func() { _ = s.Close() }()
	ready(t, s, zip)
	read := func() error {
		rows, err := s.Read(t.Context(), []stores.Read{{Table: zip, Features: stores.NewSelection("f"), Keys: [][]byte{[]byte("k")}}})
		if err == nil {
			rows.Release()
		}
		return err
	}
	err = read() // leaves a connection for reuse
	for try := 0; fault.KindOf(err) == fault.TimedOut && try < 50; try++ {
		err = read() // the machine is busy
	}
	if err != nil {
		t.Fatal(err)
	}
	server.Set(dynamotest.Faults{Hang: 1})
	server.Reset()
	if err := read(); fault.KindOf(err) != fault.TimedOut {
		t.Errorf("%v (%v)", err, fault.KindOf(err))
	}
	if n := server.Count("BatchGetItem"); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// provider returns credentials that change with each request.
type provider struct{ asked atomic.Int32 }

func (p *provider) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: fmt.Sprintf("key%d", p.asked.Add(1)), SecretAccessKey: "secret", SessionToken: "token"}, nil
}

func openWith(t testing.TB, url string, p aws.CredentialsProvider, sdk bool) *dynamo.Store {
	t.Helper()
	c, err := awsconf.Load(t.Context(), awsconf.Options{Region: "ap-northeast-2", Endpoint: url})
	if err != nil {
		t.Fatal(err)
	}
	c.AWS.Credentials = aws.NewCredentialsCache(p)
	s := dynamo.Open(dynamo.Options{AWS: c, SDK: sdk})
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// Credentials that the service no longer accepts are renewed within the call.
func TestExpiredCredentialsAreRenewed(t *testing.T) {
	for name, sdk := range map[string]bool{"direct": false, "sdk": true} {
		t.Run(name, func(t *testing.T) {
			p := new(provider)
			b := newBench(t, dynamotest.Start(t), func(t testing.TB, s *dynamotest.Server) *dynamo.Store { return openWith(t, s.URL, p, sdk) })
			b.server.Set(dynamotest.Faults{ValidKey: "key2"})
			if failed, kind, _ := b.read(t, 20*time.Second); failed > 0 {
				t.Errorf("%d rows fail (%v)", failed, kind)
			}
			if n := p.asked.Load(); n != 2 {
				t.Errorf("credentials were asked for %d times, want 2", n)
			}
		})
	}
}

// Calls that fail together renew the credentials once, and credentials that are
// always rejected are not fetched by every call.
func TestCredentialsAreRenewedOnceForAll(t *testing.T) {
	for name, sdk := range map[string]bool{"direct": false, "sdk": true} {
		t.Run(name, func(t *testing.T) {
			p := new(provider)
			b := newBench(t, dynamotest.Start(t), func(t testing.TB, s *dynamotest.Server) *dynamo.Store { return openWith(t, s.URL, p, sdk) })
			b.server.Set(dynamotest.Faults{ValidKey: "key2"})
			start := time.Now()
			var group sync.WaitGroup
			for range 32 {
				group.Go(func() {
					if failed, kind, _ := b.read(t, time.Minute); failed > 0 {
						t.Errorf("%d rows fail (%v)", failed, kind)
					}
				})
			}
			group.Wait()
			// A call that comes back a second late, on a busy machine, renews them once more.
			asked := p.asked.Load()
			if most := 2 + int32(time.Since(start)/time.Second); asked < 2 || asked > most {
				t.Errorf("32 calls asked for credentials %d times, want 2 to %d", asked, most)
			}
			b.server.Set(dynamotest.Faults{ValidKey: "none"})
			start = time.Now()
			for range 20 {
				if failed, kind, _ := b.read(t, 20*time.Second); failed == 0 || kind != fault.Denied {
					t.Errorf("rejected credentials: %d rows fail as %v", failed, kind)
				}
			}
			if n, most := p.asked.Load(), asked+1+int32(time.Since(start)/time.Second); n > most {
				t.Errorf("credentials were asked for %d times, want %d at most", n, most)
			}
		})
	}
}

// Signatures are valid with and without a session token, for reads and writes; a
// wrong clock is corrected within the call.
func TestSignatures(t *testing.T) {
	for name, sdk := range map[string]bool{"direct": false, "sdk": true} {
		t.Run(name, func(t *testing.T) {
			server := dynamotest.Start(t)
			server.Set(dynamotest.Faults{Secret: "secret"})
			b := newBench(t, server, func(t testing.TB, s *dynamotest.Server) *dynamo.Store { return openWith(t, s.URL, new(provider), sdk) })
			recs, _ := records(3)
			if w, err := b.store.Write(t.Context(), zip, stores.NewSelection("f"), recs, stores.Newer); err != nil || len(w.Failed.Indexes) > 0 {
				t.Error(w, err)
			}
			if failed, kind, _ := b.read(t, 20*time.Second); failed > 0 {
				t.Errorf("%d rows fail (%v)", failed, kind)
			}
			server.Set(dynamotest.Faults{Secret: "another"})
			if failed, kind, _ := b.read(t, 20*time.Second); failed == 0 || kind != fault.Denied {
				t.Errorf("a wrong secret fails %d rows as %v", failed, kind)
			}
			if sdk {
				return // the SDK corrects its clock with the next call
			}
			server.Set(dynamotest.Faults{Secret: "secret", Ahead: 20 * time.Minute})
			if failed, kind, _ := b.read(t, 20*time.Second); failed > 0 {
				t.Errorf("with a clock that is behind %d rows fail (%v)", failed, kind)
			}
		})
	}
}

// A caller that cancels ends its call at once, together with the connection.
func TestACanceledCallEndsAtOnce(t *testing.T) {
	eachClient(t, func(t *testing.T, open func(testing.TB, *dynamotest.Server) *dynamo.Store) {
		b := newBench(t, dynamotest.Start(t), open)
		b.server.Set(dynamotest.Faults{Hang: 1})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(30*time.Millisecond, cancel)
		start := time.Now()
		_, err := b.store.Read(ctx, []stores.Read{{Table: zip, Features: stores.NewSelection("f"), Keys: b.keys}})
		if took := time.Since(start); took > 5*time.Second || fault.KindOf(err) != fault.Canceled {
			t.Errorf("after %v: %v", took, err)
		}
		b.server.Reset()
		if _, err := b.store.Read(ctx, []stores.Read{{Table: zip, Features: stores.NewSelection("f"), Keys: b.keys}}); fault.KindOf(err) != fault.Canceled {
			t.Errorf("a canceled call returned: %v", err)
		}
		if n := b.server.Count("BatchGetItem"); n != 0 {
			t.Errorf("%d calls were made for a canceled caller", n)
		}
	})
}

// Connections serve many reads, and none stays open after the store is closed.
func TestConnectionsAreReusedAndClosed(t *testing.T) {
	eachClient(t, func(t *testing.T, open func(testing.TB, *dynamotest.Server) *dynamo.Store) {
		server := dynamotest.Start(t)
		b := newBench(t, server, open)
		for range 50 {
			b.read(t, 20*time.Second)
		}
		if made, _ := server.Connections(); made > 8 {
			t.Errorf("%d connections for 50 reads, one after the other", made)
		}
		if err := b.store.Close(); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(20 * time.Second); ; <-time.After(5 * time.Millisecond) {
			if _, open := server.Connections(); open == 0 {
				return
			} else if time.Now().After(end) {
				t.Fatalf("%d connections are open after the store was closed", open)
			}
		}
	})
}

// Keys left unprocessed because the response was full are requested at once,
// without a retry of the decorator.
func TestFullResponsesAreContinued(t *testing.T) {
	eachClient(t, func(t *testing.T, open func(testing.TB, *dynamotest.Server) *dynamo.Store) {
		server := dynamotest.Start(t)
		s := open(t, server)
		ready(t, s, zip)
		var recs []stores.Record
		var keys [][]byte
		for i := range 90 {
			keys = append(keys, fmt.Appendf(nil, "large-%d", i))
			recs = append(recs, stores.Record{Key: keys[i], Event: moment, Values: [][]byte{fmt.Appendf(nil, "\x12\x03%03d", i)}})
		}
		if w, err := s.Write(t.Context(), zip, stores.NewSelection("f"), recs, stores.Replace); err != nil || len(w.Failed.Indexes) > 0 {
			t.Fatal(w, err)
		}
		// What is not read counts, too: 22 MB, of which a response holds 16.
		large := json.RawMessage(`{"S":"` + strings.Repeat("x", 250<<10) + `"}`)
		for _, it := range server.Items(zipItems) {
			it["large"] = large
			server.Put(zipItems, it)
		}
		server.Reset()
		rows, err := s.Read(t.Context(), []stores.Read{{Table: zip, Features: stores.NewSelection("f"), Keys: keys}})
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Release()
		for i, r := range rows.Reads[0] {
			if r.Err != nil || !r.Found || string(r.Values[0]) != fmt.Sprintf("\x12\x03%03d", i) {
				t.Fatalf("row %d: %v %v", i, r.Found, r.Err)
			}
		}
		if n := server.Count("BatchGetItem"); n < 2 {
			t.Errorf("%d calls", n)
		}
	})
}
