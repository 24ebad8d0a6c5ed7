package pg_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
)

// A pooler's errors are classified and name a remedy, like those of the server,
// although it has one SQLSTATE for nearly everything: that of a lost
// connection.
func TestWhatAPoolerRefuses(t *testing.T) {
	direct := pgtest.Options(t)
	for _, c := range []struct {
		name     string
		settings string
		edit     func(*testing.T, *pg.Options)
		kind     fault.Kind
		says     []string
	}{
		{"a wrong password", "", func(_ *testing.T, o *pg.Options) { o.Password = "secret-wrong" }, fault.Denied, []string{"user feast", "password"}},
		{"an unknown user", "", func(_ *testing.T, o *pg.Options) { o.User = "nobody-here" }, fault.Denied, []string{"user nobody-here"}},
		{"an unknown database", "", func(_ *testing.T, o *pg.Options) { o.Database = "nope" }, fault.NotFound, []string{"database nope"}},
		{"a startup parameter", "", func(t *testing.T, _ *pg.Options) { t.Setenv("PGOPTIONS", "-c work_mem=4MB") }, fault.Invalid, []string{"options", "PGOPTIONS", "ignore_startup_parameters"}},
		{"too many clients", "max_client_conn = 2", hold, fault.Overloaded, []string{"no connection left"}},
		{"statement pooling", "pool_mode = statement", nil, fault.Invalid, []string{"pool_mode", "transaction"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			opt := pgtest.StartPooler(t, c.settings).Through(direct)
			if c.edit != nil {
				c.edit(t, &opt)
			}
			pool, err := pg.Connect(t.Context(), opt)
			if err == nil {
				defer pool.Close()
				err = opt.Fault(pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
					_, err := tx.Exec(t.Context(), "SELECT 1")
					return err
				}), "offline store")
			}
			if fault.KindOf(err) != c.kind || err == nil || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") {
				t.Fatalf("%v (%v), want %v", err, fault.KindOf(err), c.kind)
			}
			for _, text := range c.says {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%v does not say %q", err, text)
				}
			}
		})
	}
}

// hold occupies the connections that the pooler allows, until the test ends. A
// connection that was just closed still counts for a moment, hence the many
// attempts.
func hold(t *testing.T, opt *pg.Options) {
	t.Helper()
	for range 10 {
		if pool, err := pg.Connect(t.Context(), *opt); err == nil {
			t.Cleanup(pool.Close)
		}
	}
}

// A query outside a transaction is one round trip: its parts cannot run on two
// servers.
func TestQueriesBehindAPooler(t *testing.T) {
	opt := pgtest.StartPooler(t, "server_round_robin = 1", "default_pool_size = 2").Through(pgtest.Options(t))
	var group sync.WaitGroup
	for range 4 {
		pool, err := pg.Connect(t.Context(), opt)
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		group.Go(func() {
			for i := range 50 {
				var got, other int
				var err error
				if i%2 == 0 {
					err = pool.QueryRow(t.Context(), "SELECT $1::int8, $2::int8", i, -i).Scan(&got, &other)
				} else {
					got = i
					_, err = pgx.CollectRows(must(pool.Query(t.Context(), "SELECT 'a' UNION SELECT 'b'")), pgx.RowTo[string])
				}
				if err != nil || got != i {
					t.Errorf("%d, %v, want %d", got, err, i)
				}
			}
		})
	}
	group.Wait()
}

func must(rows pgx.Rows, _ error) pgx.Rows { return rows }
