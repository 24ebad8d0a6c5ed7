package postgres_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/postgres"
	"github.com/banquet-fs/banquet/stores/retry"
)

// noise is text that does not compress.
func noise(n int) string {
	var b strings.Builder
	sum := sha256.Sum256([]byte("seed"))
	for b.Len() < n {
		sum = sha256.Sum256(sum[:])
		b.WriteString(hex.EncodeToString(sum[:]) + " ")
	}
	return b.String()[:n]
}

// textValue is a serialized STRING Value.
func textValue(s string) []byte {
	b := []byte{2<<3 | 2}
	n := len(s)
	for ; n >= 128; n >>= 7 {
		b = append(b, byte(n)|128)
	}
	return append(append(b, byte(n)), s...)
}

// many returns records with one text.
func many(n int) []stores.Record {
	recs := make([]stores.Record, n)
	for i := range recs {
		recs[i] = stores.Record{Key: fmt.Appendf(nil, "key-%d", i), Event: moment, Values: [][]byte{textValue("x")}}
	}
	return recs
}

const table = `"public"."credit_scoring_aws_zipcode_features"`

// Rows that PostgreSQL rejects fail alone, whatever rejects them.
func TestRowsThatAreRefusedFailAlone(t *testing.T) {
	for name, c := range map[string]struct {
		prepare string
		spoil   func(*stores.Record)
		says    string
	}{
		"a key that no index holds": {"", func(r *stores.Record) { r.Key = []byte(noise(9000)) }, "its entity key has 9000 bytes"},
		"a constraint": {
			"ALTER TABLE " + table + " ADD CHECK (length(value) < 100)",
			func(r *stores.Record) { r.Values[0] = textValue(noise(100)) }, "check constraint",
		},
		"a trigger": {
			"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.value_text = 'bad' THEN RAISE 'no such thing'; END IF; RETURN NEW; END $$; " +
				"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON " + table + " FOR EACH ROW EXECUTE FUNCTION refuse()",
			func(r *stores.Record) { r.Values[0] = textValue("bad") }, "no such thing",
		},
		"a trigger with a code of its own": {
			"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.value_text = 'bad' THEN RAISE 'not this' USING ERRCODE = 'AB123'; END IF; RETURN NEW; END $$; " +
				"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON " + table + " FOR EACH ROW EXECUTE FUNCTION refuse()",
			func(r *stores.Record) { r.Values[0] = textValue("bad") }, "not this",
		},
		"a shorter column": {
			"ALTER TABLE " + table + " ALTER value_text TYPE varchar(20)",
			func(r *stores.Record) { r.Values[0] = textValue(noise(30)) }, "too long for type",
		},
		"a partition that is missing": {
			"DROP TABLE " + table + "; CREATE TABLE " + table + " (entity_key BYTEA, feature_name TEXT, value BYTEA, value_text TEXT, vector_value BYTEA, " +
				"event_ts TIMESTAMPTZ, created_ts TIMESTAMPTZ, PRIMARY KEY (entity_key, feature_name)) PARTITION BY RANGE (entity_key); " +
				"CREATE TABLE part PARTITION OF " + table + " FOR VALUES FROM ('key') TO ('kez')",
			func(r *stores.Record) { r.Key = []byte("other") }, "no partition",
		},
	} {
		t.Run(name, func(t *testing.T) {
			opt := options(t)
			s := open(t, opt, zip)
			if c.prepare != "" {
				pgtest.Exec(t, opt, c.prepare)
			}
			for name, mode := range map[string]stores.Mode{"Replace": stores.Replace, "Newer": stores.Newer} {
				for _, s := range []stores.Store{s, retry.New(s, retry.Options{})} {
					refusedAlone(t, opt, s, mode, c.spoil, name+": "+c.says, c.says)
				}
			}
		})
	}
}

// The search index accepts no text of more than a megabyte.
func TestATextThatCannotBeSearchedFailsAlone(t *testing.T) {
	s := open(t, options(t), zip)
	recs := many(9)
	recs[4].Values[0] = textValue(noise(1300 << 10))
	w, err := s.Write(t.Context(), zip, stores.NewSelection("f"), recs, stores.Replace)
	if err != nil || !slices.Equal(w.Failed.Indexes, []int{4}) || !strings.Contains(w.Failed.Errs[0].Error(), "its texts is too long for the search index credit_scoring_aws_zipcode_features_fts_idx") {
		t.Errorf("%v, %v", w, err)
	}
}

// refusedAlone makes two of many records bad, and a repeat of a third.
func refusedAlone(t *testing.T, opt pg.Options, s stores.Store, mode stores.Mode, spoil func(*stores.Record), name, says string) {
	t.Helper()
	recs := many(103)
	recs[102].Key = recs[7].Key
	bad := []int{0, 50, 102}
	for _, i := range bad {
		spoil(&recs[i])
	}
	w, err := s.Write(t.Context(), zip, stores.NewSelection("f"), recs, mode)
	if err != nil || !slices.Equal(w.Failed.Indexes, bad) || len(w.Older) > 0 {
		t.Fatalf("%s: %v older, %v failed, %v; want %v to fail", name, w.Older, w.Failed.Indexes, err, bad)
	}
	for _, err := range w.Failed.Errs {
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v: %v", name, fault.KindOf(err), err)
		}
	}
	var n int
	pool, err := pg.Connect(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := pool.QueryRow(t.Context(), "WITH d AS (DELETE FROM "+table+" RETURNING entity_key) SELECT count(*) FROM d").Scan(&n); err != nil || n != 100 {
		t.Errorf("%s: %d rows are stored, want 100: %v", name, n, err)
	}
}

// A fault of the table or the connection is not a fault of the records: it is one
// error, at once.
func TestWritesToWrongTablesFail(t *testing.T) {
	for name, prepare := range map[string]string{
		"no table":      "DROP TABLE " + table,
		"another type":  "ALTER TABLE " + table + " ALTER event_ts TYPE bigint USING 0",
		"no such right": "CREATE ROLE nobody LOGIN PASSWORD 'password'; GRANT ALL ON SCHEMA public TO nobody",
	} {
		opt := options(t)
		open(t, opt, zip)
		pgtest.Exec(t, opt, prepare)
		if name == "no such right" {
			opt.User = "nobody"
		}
		s := postgres.New(opt)
		w, err := s.Write(t.Context(), zip, stores.NewSelection("f"), many(100), stores.Replace)
		if err == nil {
			t.Errorf("%s: %v", name, w)
		}
		_ = s.Close()
		if name == "no such right" {
			pgtest.Exec(t, options(t), "DROP OWNED BY nobody")
		}
	}
}

// A server that only reads says so: no right is missing.
func TestAWriteToAServerThatOnlyReads(t *testing.T) {
	opt := options(t)
	open(t, opt, zip)
	pgtest.Exec(t, opt, "CREATE ROLE reader LOGIN PASSWORD 'password'; ALTER ROLE reader SET default_transaction_read_only = on; GRANT ALL ON ALL TABLES IN SCHEMA public TO reader; GRANT ALL ON SCHEMA public TO reader")
	defer pgtest.Exec(t, options(t), "DROP OWNED BY reader")
	opt.User = "reader"
	s := postgres.New(opt)
	defer s.Close()
	w, err := s.Write(t.Context(), zip, stores.NewSelection("f"), many(3), stores.Replace)
	if err == nil && len(w.Failed.Errs) > 0 {
		err = w.Failed.Errs[0]
	}
	if fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), "is read-only for user reader; is it a replica, or is default_transaction_read_only on?") {
		t.Error(w, err)
	}
}

// A write canceled during the search for bad rows returns the outcome of each
// record.
func TestAWriteThatIsCanceledTellsWhatIsStored(t *testing.T) {
	opt := options(t)
	s := open(t, opt, zip)
	pgtest.Exec(t, opt, "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.value_text = 'bad' THEN RAISE 'no'; END IF; "+
		"IF NEW.value_text = 'slow' THEN PERFORM pg_sleep(60); END IF; RETURN NEW; END $$; CREATE TRIGGER slow BEFORE INSERT OR UPDATE ON "+table+" FOR EACH ROW EXECUTE FUNCTION slow()")
	recs := many(8)
	recs[1].Values[0], recs[5].Values[0] = textValue("bad"), textValue("slow")
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	w, err := s.Write(ctx, zip, stores.NewSelection("f"), recs, stores.Replace)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 4, 5, 6, 7}, w.Failed.Indexes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for i, err := range w.Failed.Errs {
		want := fault.TimedOut
		if i == 0 {
			want = fault.Invalid
		}
		if fault.KindOf(err) != want {
			t.Errorf("record %d: %v: %v", w.Failed.Indexes[i], fault.KindOf(err), err)
		}
	}
}

// A write too large for one statement is divided, and a record too large for any
// is refused. Nothing is sent here.
func TestLargeWritesAreDivided(t *testing.T) {
	large := make([]byte, 300<<20)
	large[0] = 1<<3 | 2 // bytes, which have no text
	record := func(values ...[]byte) stores.Record {
		return stores.Record{Key: []byte("k"), Event: moment, Values: values}
	}
	refused, parts := postgres.Divide([]string{"a", "b", "c", "d"}, []stores.Record{
		record(large[:20<<20]), record(large[:20<<20]), record(large[:20<<20]), record(large[:40<<20]),
		record(large, large, large), record(large, large, large, large), record([]byte{}),
	})
	if diff := cmp.Diff([]int{5}, refused); diff != "" {
		t.Errorf("refused (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([][]int{{0, 1, 2}, {3}, {4}, {6}}, parts); diff != "" {
		t.Errorf("parts (-want +got)\n%s", diff)
	}
}

// A plan says what the user may not do with the tables there are.
func TestPlansNameMissingRights(t *testing.T) {
	admin := options(t)
	s := open(t, admin, zip)
	defer func() { _ = s.Close() }()
	pgtest.Exec(t, admin, `DO $$ BEGIN CREATE ROLE planner LOGIN PASSWORD 'password'; EXCEPTION WHEN duplicate_object THEN NULL; END $$; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO planner`)
	opt := admin
	opt.User = "planner"
	planner := postgres.New(opt)
	defer func() { _ = planner.Close() }()
	keep := stores.Tables{Keep: []stores.TableSpec{{Table: zip}}}
	plan := func(tables stores.Tables) string {
		t.Helper()
		p, err := planner.Plan(t.Context(), tables)
		if err != nil {
			t.Fatal(err)
		}
		var text string
		for _, f := range p.Findings {
			text += fmt.Sprintf("%t %s\n", f.Refused, f.Text)
		}
		return text
	}
	if got := plan(keep); !strings.HasPrefix(got, "false user planner may not read and write table ") || !strings.Contains(got, "grant SELECT, INSERT and UPDATE") || strings.Count(got, "\n") != 1 {
		t.Error(got)
	}
	pgtest.Exec(t, admin, "GRANT UPDATE ON ALL TABLES IN SCHEMA public TO planner")
	if got := plan(keep); got != "" {
		t.Error(got)
	}
	if got := plan(stores.Tables{Drop: []stores.Table{zip}}); !strings.Contains(got, "true user planner does not own table ") || !strings.Contains(got, "may not drop it") {
		t.Error(got)
	}
	pgtest.Exec(t, admin, `ALTER TABLE "`+zip.SQLName()+`" DROP COLUMN value_text`)
	if got := plan(keep); !strings.Contains(got, "true user planner does not own table ") || !strings.Contains(got, "may not add column value_text") {
		t.Error(got)
	}
}
