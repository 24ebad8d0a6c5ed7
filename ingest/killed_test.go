package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/internal/spool"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/sqlite"
	"github.com/banquet-fs/banquet/stores/storetest"
)

// childEnv makes the test's program run a materialization instead of its tests: it
// names the directory of the repository.
const childEnv = "BANQUET_TEST_MATERIALIZE"

// holdEnv makes that run stand still when half of its calls are stored.
const holdEnv = "BANQUET_TEST_MATERIALIZE_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1) //nolint:forbidigo // this is the main function of a program
		}
		return
	}
	os.Exit(m.Run()) //nolint:forbidigo // as every TestMain
}

// killRows is how many keys the killed runs have, killBatch how many they write at
// once; each key has older rows, too.
const killRows, killBatch = 2000, 20

// killShop is a shop whose registry and online store are files in dir.
func killShop(dir string) (ingest.Options, *sqlite.Store, error) {
	online, err := sqlite.Open(filepath.Join(dir, "online.db"))
	if err != nil {
		return ingest.Options{}, nil, err
	}
	source := new(source)
	for _, back := range []time.Duration{time.Minute, time.Hour, 2 * time.Minute} {
		rows := some(killRows, noon.Add(-back))
		for i := range rows {
			rows[i].items += int64(back)
			rows[i].at = noon.Add(-back)
		}
		source.add(rows...)
	}
	storage := file.New(filepath.Join(dir, "registry.db"))
	return ingest.Options{
		Storage: storage, Project: "shop", Offline: source, Online: slow{online, new(atomic.Int64)}, KeyVersion: 3, BatchSize: killBatch, Runs: storage.Records(),
		Spool: spool.Options{Dir: dir, Memory: 100 << 10}, Now: func() time.Time { return noon },
	}, online, nil
}

// slow gives the parent time to kill, and the child time to write its record.
type slow struct {
	stores.Store
	calls *atomic.Int64
}

func (s slow) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	if os.Getenv(childEnv) != "" {
		<-time.After(100 * time.Millisecond)
	}
	if os.Getenv(holdEnv) != "" && s.calls.Add(1) > killRows/killBatch/2 {
		select {} // until it is killed
	}
	return s.Store.Write(ctx, table, features, records, mode)
}

// child runs the window, and prints what it did.
func child(dir string) error {
	opt, online, err := killShop(dir)
	if err != nil {
		return err
	}
	defer online.Close()
	results, err := ingest.New(opt).Materialize(context.Background(), ingest.Request{Start: noon.AddDate(0, 0, -1), End: noon})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(results)
}

// killsEnv is how many kills the test makes at least.
const killsEnv = "BANQUET_TEST_KILLS"

// Runs that are killed at random times, over and over, end in the same state as a
// run that was not disturbed, and do not start over each time.
func TestRunsThatAreKilled(t *testing.T) {
	wanted, resumed := 6, 0
	if n, err := strconv.Atoi(os.Getenv(killsEnv)); err == nil {
		wanted = n
	}
	undisturbed := killDir(t)
	opt, online, err := killShop(undisturbed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ingest.New(opt).Materialize(t.Context(), ingest.Request{Start: noon.AddDate(0, 0, -1), End: noon}); err != nil {
		t.Fatal(err)
	}
	_ = online.Close()
	want := cells(t, filepath.Join(undisturbed, "online.db"))
	for kills := 0; kills < wanted; {
		dir := killDir(t)
		most := math.MaxInt
		if kills == 0 {
			most = 1 // what is killed once, with rows stored, is surely continued
		}
		n, r := killUntilDone(t, dir, most)
		kills, resumed = kills+n, resumed+r.Resumed
		if r.Keys != killRows || r.Written != killRows {
			t.Errorf("%+v", r)
		}
		if diff := cmp.Diff(want, cells(t, filepath.Join(dir, "online.db"))); diff != "" {
			t.Errorf("-undisturbed +killed\n%.2000s", diff)
		}
		onlyTheResultIsLeft(t, dir)
	}
	if resumed == 0 {
		t.Error("no run was continued")
	}
}

// killUntilDone kills runs, at most most of them, until one is done, and returns how
// many were killed.
func killUntilDone(t *testing.T, dir string, most int) (kills int, r ingest.Result) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env, cmd.Stderr = append(os.Environ(), childEnv+"="+dir), os.Stderr
		// The first run stands still, and is killed when its record says that rows are
		// stored, so that the second can continue it, the others at random: each is given more time than the one
		// before, or none would end on a slow machine.
		moment := func() { <-time.After(rand.N(time.Second + time.Duration(kills)*300*time.Millisecond)) }
		switch kills {
		case 0:
			cmd.Env = append(cmd.Env, holdEnv+"=1")
			moment = func() { untilStored(t, dir) }
		case most:
			moment = func() { <-t.Context().Done() }
		}
		out, err := killed(cmd, moment)
		if err != nil && cmd.ProcessState.ExitCode() >= 0 {
			t.Fatal("the run fails:", err)
		}
		if err != nil {
			kills++
			continue
		}
		var results []ingest.Result
		if err := json.Unmarshal(out, &results); err != nil {
			t.Fatal(err)
		}
		return kills, results[0]
	}
}

// onlyTheResultIsLeft checks the registry, and that nothing is beside it but the
// store.
func onlyTheResultIsLeft(t *testing.T, dir string) {
	t.Helper()
	reg, _, err := file.New(filepath.Join(dir, "registry.db")).Load(t.Context())
	// A run that was killed after it had recorded its window leaves nothing to
	// continue: the next one records the window again.
	intervals := reg.GetFeatureViews()[0].GetMeta().GetMaterializationIntervals()
	if err != nil || len(intervals) == 0 {
		t.Fatal(reg, err)
	}
	for _, i := range intervals {
		if !i.GetStartTime().AsTime().Equal(noon.AddDate(0, 0, -1)) || !i.GetEndTime().AsTime().Equal(noon) {
			t.Error(reg)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		switch e.Name() {
		case "registry.db", ".registry.db.lock", "online.db":
		case "registry.db.runs": // a run that is killed while it writes its record leaves a file, which later runs remove after an hour
			left, err := filepath.Glob(filepath.Join(dir, e.Name(), "*.run"))
			if len(left) > 0 || err != nil {
				t.Error(left, err)
			}
		default:
			t.Errorf("%s is left", e.Name())
		}
	}
}

// killed runs a program, and kills it when moment returns.
func killed(cmd *exec.Cmd, moment func()) ([]byte, error) {
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		moment()
		_ = cmd.Process.Kill() // fails if the program has ended
	}()
	err := cmd.Wait()
	return out.Bytes(), err
}

// untilStored waits until the record of the run in dir says that rows are stored.
func untilStored(t *testing.T, dir string) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		records, _ := filepath.Glob(filepath.Join(dir, "registry.db.runs", "*.run"))
		for _, name := range records {
			var record struct{ Done []byte }
			if b, err := os.ReadFile(name); err == nil && json.Unmarshal(b, &record) == nil && len(record.Done) > 0 {
				return
			}
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			return
		}
	}
}

// killDir is a directory with the registry of a shop and the table of its view.
func killDir(t *testing.T) string {
	t.Helper()
	s := newShop(t, false, "carts")
	storage, _ := s.opt.Storage.(*file.Storage)
	dir := filepath.Dir(storage.Path())
	online, err := sqlite.Open(filepath.Join(dir, "online.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer online.Close()
	table := stores.TableSpec{Table: stores.Table{Project: "shop", View: "carts"}}
	if _, err := storetest.Update(t.Context(), online, stores.Tables{Keep: []stores.TableSpec{table}}); err != nil {
		t.Fatal(err)
	}
	return dir
}
