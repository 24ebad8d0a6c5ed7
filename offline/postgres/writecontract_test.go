package postgres_test

import (
	"testing"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline/offlinetest"
)

func TestContractOfWriters(t *testing.T) {
	const pooled = "through a pooler"
	for name, through := range map[string]func(*testing.T, pg.Options) pg.Options{
		"straight": func(_ *testing.T, opt pg.Options) pg.Options { return opt },
		pooled:     func(t *testing.T, opt pg.Options) pg.Options { return pgtest.StartPooler(t).Through(opt) },
	} {
		t.Run(name, func(t *testing.T) {
			direct := pgtest.Options(t)
			pgtest.Exec(t, direct, "ALTER DATABASE "+direct.Database+" SET timezone = 'America/St_Johns'; ALTER DATABASE "+direct.Database+" SET datestyle = 'SQL, DMY'")
			opt := through(t, direct)
			pool, err := pg.Connect(t.Context(), direct)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			var exceptions []offlinetest.Exception
			if name == pooled {
				exceptions = offlinetest.Elsewhere("straight", "memory is bounded by the batch")
			}
			offlinetest.RunWriter(t, func(tb testing.TB) offlinetest.WriterBackend {
				return &writerBackend{freshBackend(tb, direct, opt, pool)}
			}, exceptions...)
		})
	}
}

// writerBackend is backend for writers.
type writerBackend struct{ *backend }

func (b *writerBackend) Place(_ testing.TB, name string) *core.DataSource {
	return named(name, name, "")
}

// Objects lists the relations and their comments.
func (b *writerBackend) Objects(tb testing.TB) (names []string) {
	rows, err := b.pool.Query(tb.Context(), "SELECT c.relname || c.relkind::text || COALESCE(obj_description(c.oid, 'pg_class'), '') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' ORDER BY 1")
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			tb.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}
