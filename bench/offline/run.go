package offline

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/banquet-fs/banquet/bench/fake"
)

// Options say what is measured.
type Options struct {
	// Banquet is the measured program, Self the benchmark, which runs the floors as
	// processes. Python has Feast; without it Feast is not measured.
	Banquet, Self, Python string
	// Only are the cases, by the start of their names, separated by commas; without it
	// the first five. Contenders are all if empty.
	Only, Contenders string
	// Work is where files are written. Env is added to the environment of the processes.
	Work string
	Env  []string
	// Store is the address of the fake, Postgres a free port.
	Store, Postgres string
	// Registry is the registry of the data set.
	Registry []byte
	Rounds   int
	Fake     fake.Control
}

// run is a benchmark in progress.
type run struct {
	Options
	pg     *postgres
	data   string // where the Parquet files are
	filled map[string]bool
}

// experiment is one case of the benchmark.
type experiment struct {
	name string
	rows int // of the result
	// prepare makes data and returns the contenders.
	prepare func(context.Context, *run) ([]*contender, error)
	// extra cases are measured only when they are named.
	extra bool
}

// contender is a way to do an experiment. measure runs it once and checks its result.
type contender struct {
	name    string
	measure func(context.Context) (cost, string, error)
}

func experiments() []experiment {
	return []experiment{
		{"train-10k", 10_000, fromPostgres(10_000, 100_000), false},
		{"train-100k", 100_000, fromPostgres(100_000, 1_000_000), false},
		{"files-100k", 100_000, fromFiles(100_000, 1_000_000), false},
		{"write-0ms", 1_000_000, materialize(1_000_000, 0), false},
		{"write-5ms", 1_000_000, materialize(1_000_000, 5*time.Millisecond), false},
		{"train-1m", 1_000_000, fromPostgres(1_000_000, 1_000_000), true},
		{"files-1m", 1_000_000, fromFiles(1_000_000, 1_000_000), true},
		{"write-10m", 10_000_000, materialize(10_000_000, 0), true},
	}
}

// chosen reports whether the list of cases has it: extra ones by their full names only.
func (e *experiment) chosen(only string) bool {
	if e.extra {
		return slices.Contains(strings.Split(only, ","), e.name)
	}
	return only == "" || named(only, e.name)
}

// named reports whether a list of names that are separated by commas has the start of a
// name.
func named(list, name string) bool {
	return slices.ContainsFunc(strings.Split(list, ","), func(n string) bool { return n != "" && strings.HasPrefix(name, n) })
}

// Run measures and prints. It fails if a contender failed, or gave a wrong result.
func Run(ctx context.Context, opt Options) error {
	r := &run{Options: opt, filled: map[string]bool{}, data: filepath.Join(opt.Work, "data")}
	if err := os.MkdirAll(r.data, 0o755); err != nil {
		return err
	}
	defer os.RemoveAll(r.data)
	var err error
	if r.pg, err = startPostgres(ctx, opt.Postgres); err != nil {
		return err
	}
	defer r.pg.stop()
	head(os.Stdout)
	failed := 0
	for _, e := range experiments() {
		if !e.chosen(opt.Only) {
			continue
		}
		n, err := r.experiment(ctx, e)
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		failed += n
	}
	foot(os.Stdout)
	if failed > 0 {
		return fmt.Errorf("%d measurements failed", failed)
	}
	return nil
}

// experiment measures a case with every contender and returns how many failed. Each round
// measures all of them, so that other load on the machine affects all.
func (r *run) experiment(ctx context.Context, e experiment) (failed int, err error) {
	all, err := e.prepare(ctx, r)
	if err != nil {
		return 0, err
	}
	rounds := make([][]row, len(all))
	for range max(r.Rounds, 1) {
		for i, c := range all {
			if r.Contenders != "" && !named(r.Contenders, c.name) {
				continue
			}
			used, checked, err := c.measure(ctx)
			if ctx.Err() != nil {
				return failed, context.Cause(ctx)
			}
			rounds[i] = append(rounds[i], row{e.name, c.name, e.rows, used, checked, err})
			if err != nil {
				failed++
			}
		}
	}
	floor := 0.0
	for _, rows := range rounds {
		if len(rows) > 0 {
			m := median(rows)
			if m.contender == "floor" {
				floor = m.wall.Seconds()
			}
			m.print(os.Stdout, floor)
		}
	}
	return failed, nil
}

// once does something for a name the first time.
func (r *run) once(name string, do func() error) error {
	if r.filled[name] {
		return nil
	}
	r.filled[name] = true
	return do()
}

// label is a number of rows in names of databases and files.
func label(n int) string { return strconv.Itoa(n/1000) + "k" }

// fromPostgres is a training set from two tables in PostgreSQL.
func fromPostgres(entityRows, viewRows int) func(context.Context, *run) ([]*contender, error) {
	return func(ctx context.Context, r *run) ([]*contender, error) {
		database := fmt.Sprintf("train_%s_%s", label(entityRows), label(viewRows))
		err := r.once(database, func() error {
			return r.pg.fill(ctx, database, size{zipcodes(), viewRows}, size{credits(), viewRows}, size{entities(), entityRows})
		})
		if err != nil {
			return nil, err
		}
		file, err := r.entityFile(entityRows)
		if err != nil {
			return nil, err
		}
		want := expect(entityRows, viewRows)
		all := []*contender{r.floor(want, "offline", "join-floor", r.pg.dsn(database), strconv.Itoa(entityRows))}
		for _, c := range []struct{ name, kind, database, entities string }{
			{"cli", asTable, database, file},
			{"cli-sql", asTable, database, "SELECT * FROM " + entities().name},
			{"cli-query", asQuery, database, file},
			{"cli-noindex", asTable, database + "_plain", file},
		} {
			repo, err := r.repository(c.name, c.kind, r.store(c.database))
			if err != nil {
				return nil, err
			}
			all = append(all, r.command(c.name, repo, c.entities, want))
		}
		repo, err := r.repository("flight", asTable, r.store(database))
		if err != nil {
			return nil, err
		}
		if all, err = r.withFlight(all, repo, file, want); err != nil {
			return nil, err
		}
		return r.withFeast(all, r.store(database), asQuery, file, want)
	}
}

// fromFiles is a training set from two Parquet files.
func fromFiles(entityRows, viewRows int) func(context.Context, *run) ([]*contender, error) {
	return func(_ context.Context, r *run) ([]*contender, error) {
		err := r.once("files", func() error {
			for _, t := range []*table{zipcodes(), credits()} {
				if err := (size{t, viewRows}).writeFile(filepath.Join(r.data, t.name+".parquet")); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		file, err := r.entityFile(entityRows)
		if err != nil {
			return nil, err
		}
		repo, err := r.repository("cli-files", asFile, "type: file")
		if err != nil {
			return nil, err
		}
		want := expect(entityRows, viewRows)
		read := &contender{"floor", func(ctx context.Context) (cost, string, error) {
			c, err := r.measure(ctx, r.Self, "offline", "read-floor", r.data)
			return c, "read only", err
		}}
		return r.withFeast([]*contender{read, r.command("cli", repo, file, want)}, "type: dask", asFile, file, want)
	}
}

func (r *run) entityFile(rows int) (string, error) {
	path := filepath.Join(r.data, "entities_"+label(rows)+".parquet")
	return path, r.once(path, func() error { return size{entities(), rows}.writeFile(path) })
}

// floor is a command of the benchmark that prints its counts.
func (r *run) floor(want *expected, argv ...string) *contender {
	return &contender{"floor", func(ctx context.Context) (c cost, checked string, err error) {
		if c, err = r.measure(ctx, append([]string{r.Self}, argv...)...); err != nil {
			return c, "", err
		}
		var got counts
		if err := json.Unmarshal(c.stdout, &got); err != nil {
			return c, "", err
		}
		if got != want.total {
			return c, "", fmt.Errorf("%d rows with %d features, want %d with %d", got.Rows, got.Filled, want.total.Rows, want.total.Filled)
		}
		return c, fmt.Sprintf("%d rows, %d features counted", got.Rows, got.Filled), nil
	}}
}

// command is banquet's command.
func (r *run) command(name, repo, entityRows string, want *expected) *contender {
	out := filepath.Join(r.Work, "training.parquet")
	return r.writes(name, out, want, r.Banquet, "-c", repo, "get-historical-features", "--entity-df", entityRows, "--feature-service", "credit_model", "-o", out)
}

// writes is a command that writes a training set to a file.
func (r *run) writes(name, out string, want *expected, argv ...string) *contender {
	return &contender{name, func(ctx context.Context) (cost, string, error) {
		defer os.RemoveAll(out)
		c, err := r.measure(ctx, argv...)
		if err != nil {
			return c, "", err
		}
		n, err := want.check(ctx, out)
		return c, fmt.Sprintf("%d rows, %d features compared", n.Rows, n.Filled), err
	}}
}

// materialize writes rows to the fake, which has a latency.
func materialize(rows int, latency time.Duration) func(context.Context, *run) ([]*contender, error) {
	return func(ctx context.Context, r *run) ([]*contender, error) {
		t := balances()
		database := "write_" + label(rows)
		if err := r.once(database, func() error { return r.pg.fill(ctx, database, size{t, rows}) }); err != nil {
			return nil, err
		}
		if err := r.Fake.Set(ctx, fake.Settings{Latency: latency}); err != nil {
			return nil, err
		}
		end := t.time(rows - 1).Format("2006-01-02T15:04:05.999999")
		run := func(name string, argv func() ([]string, error)) *contender {
			return &contender{name, func(ctx context.Context) (c cost, checked string, err error) {
				if err := r.Fake.Clear(ctx); err != nil {
					return c, "", err
				}
				args, err := argv()
				if err != nil {
					return c, "", err
				}
				if c, err = r.measure(ctx, args...); err != nil {
					return c, "", err
				}
				w, err := r.Fake.Written(ctx)
				if err != nil {
					return c, "", err
				}
				return c, fmt.Sprintf("%d items, %d compared", w.Items, len(w.Sample)), checkItems(t, rows, w)
			}}
		}
		all := []*contender{run("floor", func() ([]string, error) {
			return []string{r.Self, "offline", "write-floor", r.pg.dsn(database), r.Store, strconv.Itoa(rows), "64"}, nil
		})}
		for _, client := range []string{"direct", "sdk"} {
			all = append(all, run(client, func() ([]string, error) {
				// A new repository each time: a registry without intervals.
				repo, err := r.repository("write-"+client, asTable, r.store(database)+"}\nbanquet: {dynamodb: {client: "+client+"}")
				return []string{r.Banquet, "-c", repo, "materialize", "2026-09-30T00:00:00", end, "-v", t.view}, err
			}))
		}
		return all, nil
	}
}
