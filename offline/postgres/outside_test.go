package postgres_test

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/postgres"
)

// outside is an interference with a read from outside of its query.
type outside struct {
	watch  *pgx.Conn
	proxy  *proxy
	store  *postgres.Store
	cancel context.CancelFunc
}

// exec runs a statement about the connections that read.
func (o *outside) exec(t *testing.T, function string) {
	t.Helper()
	if _, err := o.watch.Exec(t.Context(), "SELECT "+function+"(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'failing'"); err != nil {
		t.Error(err)
	}
}

var outsides = []struct {
	name string
	do   func(t *testing.T, o *outside)
	kind fault.Kind
	says string
}{
	{"somebody ends the query", func(t *testing.T, o *outside) { o.exec(t, "pg_cancel_backend") }, fault.Unavailable, "user request"},
	{"somebody ends the connection", func(t *testing.T, o *outside) { o.exec(t, "pg_terminate_backend") }, fault.Unavailable, "administrator command"},
	{"the connection is cut", func(_ *testing.T, o *outside) { o.proxy.cut() }, fault.Unavailable, "was lost"},
	{"the caller stops", func(_ *testing.T, o *outside) { o.cancel() }, fault.Canceled, ""},
	{"the store is closed", func(_ *testing.T, o *outside) { o.store.Close() }, fault.Canceled, ""},
}

// An interference from outside ends the read at once, too, at any moment, and
// the server does not continue the query.
func TestFailuresFromOutside(t *testing.T) {
	admin, user := failureDatabase(t)
	watch := connectAdmin(t, admin)
	for _, c := range outsides {
		for _, m := range moments {
			t.Run(c.name+" "+m.name, func(t *testing.T) {
				p := newProxy(t, user)
				opt := p.through(user)
				opt.ApplicationName = "failing"
				store := postgres.SmallBatches(postgres.New(opt), rowsOfBatch)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				done := whenAsleep(t, watch, func() { c.do(t, &outside{watch: watch, proxy: p, store: store, cancel: cancel}) })
				told := readAll(ctx, store, failing(m.row, "SELECT pg_sleep(30)"), done)
				checkFailure(t, told, c.kind, c.says)
				checkGone(t, watch, store)
			})
		}
	}
}

// A passed deadline is reported as such.
func TestADeadlineThatPasses(t *testing.T) {
	t.Parallel()
	admin, user := failureDatabase(t)
	watch := connectAdmin(t, admin)
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			opt := user
			opt.ApplicationName = "failing"
			store := postgres.SmallBatches(postgres.New(opt), rowsOfBatch)
			if err := store.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			told := readAll(ctx, store, failing(m.row, "SELECT pg_sleep(30)"), nil)
			checkFailure(t, told, fault.TimedOut, "data source src", "the time allowed ran out")
			checkGone(t, watch, store)
		})
	}
}

// whenAsleep does something as soon as a query sleeps. The function that it
// returns waits for that and returns its time.
func whenAsleep(t *testing.T, watch *pgx.Conn, do func()) func() time.Time {
	t.Helper()
	var at time.Time
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 2000 {
			var n int
			err := watch.QueryRow(t.Context(), "SELECT count(*)::int4 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'failing' AND wait_event = 'PgSleep'").Scan(&n)
			if err != nil {
				t.Error(err)
				return
			}
			if n > 0 {
				at = time.Now()
				do()
				return
			}
			<-time.After(2 * time.Millisecond)
		}
		t.Error("the query never sleeps")
	}()
	return func() time.Time {
		<-done
		return at
	}
}

// A server that no longer responds delays neither a canceled caller nor the end
// of the program.
func TestAServerThatFallsSilent(t *testing.T) {
	t.Parallel()
	admin, user := failureDatabase(t)
	watch := connectAdmin(t, admin)
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			p := newProxy(t, user)
			opt := p.through(user)
			opt.ApplicationName = "failing"
			store := postgres.SmallBatches(postgres.New(opt), rowsOfBatch)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := whenAsleep(t, watch, func() {
				p.stall()
				cancel()
			})
			told := readAll(ctx, store, failing(m.row, "SELECT pg_sleep(30)"), done)
			checkFailure(t, told, fault.Canceled)
			began := time.Now()
			store.Close()
			if took := time.Since(began); took > soon {
				t.Errorf("closing took %v", took)
			}
			p.cut()
			(&outside{watch: watch}).exec(t, "pg_terminate_backend")
			checkGone(t, watch, store)
		})
	}
}

// A server that is shut down says so if it can.
func TestAServerThatIsShutDown(t *testing.T) {
	t.Parallel()
	for name, immediate := range map[string]bool{"fast": false, "immediate": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := pgtest.Start(t)
			opt := server.Options()
			opt.Schema = "public"
			pgtest.Exec(t, opt, fmt.Sprintf(failureSchema, "reader"))
			watch := connectAdmin(t, opt)
			opt.ApplicationName = "failing"
			store := postgres.SmallBatches(postgres.New(opt), rowsOfBatch)
			done := whenAsleep(t, watch, func() {
				if err := server.Shutdown(immediate); err != nil {
					t.Error(err)
				}
			})
			told := readAll(t.Context(), store, failing(700, "SELECT pg_sleep(30)"), done)
			checkFailure(t, told, fault.Unavailable, "terminating connection due to")
			store.Close()
			if _, err := store.Range(t.Context(), offline.Query{Source: source("t", ""), Timestamp: "ts"}); fault.KindOf(err) != fault.Unavailable && fault.KindOf(err) != fault.Canceled {
				t.Errorf("behind the shutdown: %v (%v)", err, fault.KindOf(err))
			}
		})
	}
}

// Failures before a query starts.
func TestFailuresOfConnecting(t *testing.T) {
	t.Parallel()
	admin, user := failureDatabase(t)
	watch := connectAdmin(t, admin)
	for _, c := range []struct {
		name string
		edit func(t *testing.T, opt *pg.Options)
		kind fault.Kind
		says string
	}{
		{"a wrong password", func(_ *testing.T, opt *pg.Options) { opt.Password = "secret-wrong" }, fault.Denied, "wrong password"},
		{"an unknown database", func(_ *testing.T, opt *pg.Options) { opt.Database = "nope" }, fault.NotFound, "no database nope"},
		{"nothing that listens", func(_ *testing.T, opt *pg.Options) { opt.Port = 1 }, fault.Unavailable, "cannot be reached"},
		{"no connection left", func(t *testing.T, _ *pg.Options) {
			connectAdmin(t, user)
			pgtest.Exec(t, admin, "ALTER ROLE "+user.User+" CONNECTION LIMIT 1")
			t.Cleanup(func() {
				_, _ = watch.Exec(context.WithoutCancel(t.Context()), "ALTER ROLE "+user.User+" CONNECTION LIMIT -1")
			})
		}, fault.Overloaded, "too many connections"},
		{"a deadline that has passed", nil, fault.TimedOut, "the time allowed ran out"},
		{"a transaction that idles", func(t *testing.T, opt *pg.Options) {
			set(t, watch, admin, user, "idle_in_transaction_session_timeout = '20ms'")
			p := newProxy(t, user)
			p.delay = 100 * time.Millisecond
			*opt = p.through(*opt)
		}, fault.TimedOut, "idle-in-transaction timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			opt := user
			opt.ApplicationName = "failing"
			ctx := t.Context()
			if c.edit != nil {
				c.edit(t, &opt)
			} else {
				var cancel context.CancelFunc
				ctx, cancel = context.WithDeadline(ctx, time.Unix(0, 0))
				defer cancel()
			}
			store := postgres.New(opt)
			told := readAll(ctx, store, "SELECT 1 AS v, timestamptz '2024-01-01' AS ts", nil)
			checkFailure(t, told, c.kind, c.says)
			if strings.Contains(told.err.Error(), "secret") {
				t.Errorf("%q tells a password", told.err)
			}
			checkGone(t, watch, store)
		})
	}
}

// A released reader reads neither the remaining rows nor one more first.
func TestAReaderThatIsGivenUp(t *testing.T) {
	t.Parallel()
	admin, user := failureDatabase(t)
	watch := connectAdmin(t, admin)
	for name, batches := range map[string]int{"at once": 0, "after a batch": 1} {
		t.Run(name, func(t *testing.T) {
			opt := user
			opt.ApplicationName = "failing"
			store := postgres.SmallBatches(postgres.New(opt), rowsOfBatch)
			r, err := store.Range(t.Context(), offline.Query{
				Source: source("", "SELECT generate_series(1, 1000000000) AS v, timestamptz '2024-01-01' AS ts"), Columns: []string{"v"}, Timestamp: "ts",
			})
			if err != nil {
				t.Fatal(err)
			}
			for range batches {
				if !r.Next() {
					t.Fatal(r.Err())
				}
			}
			began := time.Now()
			r.Release()
			if took := time.Since(began); took > soon {
				t.Errorf("giving up took %v", took)
			}
			checkGone(t, watch, store)
		})
	}
}

// proxy forwards connections to a server, and can fail.
type proxy struct {
	listener net.Listener
	target   string
	delay    time.Duration
	mu       sync.Mutex
	conns    []net.Conn
	stalled  bool
}

func newProxy(t *testing.T, opt pg.Options) *proxy {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, target: net.JoinHostPort("127.0.0.1", strconv.Itoa(opt.Port))}
	t.Cleanup(func() {
		_ = l.Close()
		p.cut()
	})
	go p.serve()
	return p
}

func (p *proxy) through(opt pg.Options) pg.Options {
	addr, ok := p.listener.Addr().(*net.TCPAddr)
	if ok {
		opt.Host, opt.Port, opt.SSLMode = "127.0.0.1", addr.Port, "disable"
	}
	return opt
}

func (p *proxy) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target) //nolint:noctx // ends with the test's proxy
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		go p.copy(server, client, p.delay)
		go p.copy(client, server, 0)
	}
}

func (p *proxy) copy(to, from net.Conn, delay time.Duration) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if delay > 0 {
			<-time.After(delay)
		}
		p.mu.Lock()
		stalled := p.stalled
		p.mu.Unlock()
		if stalled {
			continue
		}
		if n > 0 {
			_, _ = to.Write(buf[:n])
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

// cut cuts all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = false
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// stall swallows all data, both ways.
func (p *proxy) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stalled = true
}
