package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/postgres"
	"github.com/banquet-fs/banquet/stores/storetest"
)

// pooler, if set, is the pooler that the tests' connections use.
var pooler *pgtest.Pooler

// another makes a pooler alternate between servers: the transactions of a client
// run on different servers, as they do under load.
var another = []string{"server_round_robin = 1", "default_pool_size = 3"}

// behindPoolers runs a test behind poolers with different settings.
func behindPoolers(t *testing.T, test func(*testing.T)) {
	t.Helper()
	for _, c := range []struct {
		name     string
		settings []string
	}{
		{"as installed", nil},
		{"another server for each transaction", another},
		{"one server for all", []string{"default_pool_size = 1"}},
		{"statements are not tracked", append([]string{"max_prepared_statements = 0"}, another...)},
		{"statements are tracked", append([]string{"max_prepared_statements = 200"}, another...)},
	} {
		t.Run(c.name, func(t *testing.T) {
			pooler = pgtest.StartPooler(t, c.settings...)
			t.Cleanup(func() { pooler = nil })
			test(t)
		})
	}
}

// All sentences share one database, and so the servers of one pool: each runs on
// servers that others have used before. A schema of its own separates their
// tables.
func TestContractBehindAPooler(t *testing.T) {
	behindPoolers(t, func(t *testing.T) {
		opt := options(t)
		n := 0
		storetest.Run(t, func(testing.TB) stores.Store {
			n++
			opt.Schema = fmt.Sprintf("sentence %d", n)
			return postgres.New(opt)
		})
	})
}

// The tests of this package also pass behind a pooler.
func TestOtherTestsBehindAPooler(t *testing.T) {
	pooler = pgtest.StartPooler(t, another...)
	t.Cleanup(func() { pooler = nil })
	for name, test := range map[string]func(*testing.T){
		"the tables are Feast's":              TestTheTablesAreFeasts,
		"the rows are Feast's":                TestTheRowsAreFeasts,
		"texts that PostgreSQL cannot hold":   TestTextsThatPostgreSQLCannotHold,
		"one round trip for all views":        TestOneRoundTripForAllViews,
		"a bad table harms only itself":       TestABadTableHarmsOnlyItself,
		"concurrent writers leave whole rows": TestConcurrentWritersLeaveWholeRows,
		"names that are refused":              TestNamesThatWouldBeCutOrSharedAreRefused,
		"outages":                             TestOutages,
	} {
		t.Run(name, test)
	}
}

// The poolers of these tests work as intended: a client's transactions run on
// several servers, and its session state is lost between them.
func TestAPoolerChangesServers(t *testing.T) {
	p := pgtest.StartPooler(t, another...)
	opt := p.Through(options(t))
	held, err := pg.Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	tx, err := held.Begin(t.Context()) // makes the pooler open a second server
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	if got := servers(t, opt); len(got) < 1 {
		t.Fatal("no server at all")
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := servers(t, opt); len(got) < 2 {
		t.Errorf("all transactions run on one server: %v", got)
	}
}

// servers returns the processes that run the transactions of one client.
func servers(t *testing.T, opt pg.Options) map[string]bool {
	t.Helper()
	opt.MaxConn = 1
	pool, err := pg.Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	pids := map[string]bool{}
	for range 6 {
		var pid string
		if err := pool.QueryRow(t.Context(), "SELECT pg_backend_pid()::text", pgx.QueryExecModeSimpleProtocol).Scan(&pid); err != nil {
			t.Fatal(err)
		}
		pids[pid] = true
	}
	return pids
}

// Many clients share few servers: each gets its own rows, also while others
// cancel in the middle of a transaction, and nothing is left behind on a server.
func TestManyClientsBehindAPooler(t *testing.T) {
	p := pgtest.StartPooler(t, another...)
	direct := options(t)
	behind := p.Through(direct)
	behind.MaxConn = 4
	tables := []stores.Table{zip, {Project: "p", View: "other"}}
	first := open(t, behind, tables...)
	for _, tb := range tables {
		write(t, first, tb, 200)
	}
	var group sync.WaitGroup
	for range 5 { // programs
		s := postgres.New(behind)
		defer func() { _ = s.Close() }()
		for range 10 { // requests at a time
			group.Go(func() {
				for i := range 20 {
					readSome(t, s, tables, i%5 == 4)
				}
			})
		}
		group.Go(func() {
			for range 10 {
				write(t, s, tables[0], 20)
			}
		})
	}
	group.Wait()
	// A pooler closes servers whose clients disconnected in the middle of a
	// transaction.
	leftovers := "SELECT 'state ' || state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle' " +
		"UNION ALL SELECT 'lock ' || locktype FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
	deadline := time.Now().Add(5 * time.Second)
	for left := rows(t, direct, leftovers); len(left) > 0; left = rows(t, direct, leftovers) {
		if time.Now().After(deadline) {
			t.Fatalf("left behind: %v", left)
		}
	}
	for range 3 {
		if left := rows(t, behind, "SELECT statement FROM pg_prepared_statements WHERE name <> ''"); len(left) > 0 {
			t.Errorf("statements left behind: %v", left)
		}
	}
}

// readSome reads two views and checks the rows; a hasty caller cancels early.
func readSome(t *testing.T, s stores.Store, tables []stores.Table, hasty bool) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	if hasty {
		ctx, cancel = context.WithTimeout(t.Context(), time.Duration(rand.IntN(3000))*time.Microsecond)
	}
	defer cancel()
	var keys [][]byte
	var want []string
	for range 10 {
		n := rand.IntN(200)
		keys, want = append(keys, fmt.Appendf(nil, "key-%d", n)), append(want, fmt.Sprintf("\x12\x03%03d", n))
	}
	var reads []stores.Read
	for _, tb := range tables {
		reads = append(reads, stores.Read{Table: tb, Features: stores.NewSelection("f"), Keys: keys})
	}
	r, err := s.Read(ctx, reads)
	if err != nil {
		if !hasty || strings.Contains(err.Error(), "exist") {
			t.Errorf("Read: %v", err)
		}
		return
	}
	defer r.Release()
	for i := range r.Reads {
		for j, row := range r.Reads[i] {
			if row.Err == nil && (!row.Found || string(row.Values[0]) != want[j]) {
				t.Errorf("read %d, key %s: %+v", i, keys[j], row)
			}
		}
	}
}
