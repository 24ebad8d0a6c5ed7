package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/core"
)

// busy is how long a stopped command may take on a machine that is busy with other tests:
// a command takes a second at most.
const busy = 8 * time.Second

// kills is how often each command is stopped. BANQUET_TEST_KILLS sets it, and also
// holds the commands to a second.
func kills(t *testing.T) (n int, limit time.Duration) {
	text, ok := os.LookupEnv("BANQUET_TEST_KILLS")
	if !ok {
		return 1, busy
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n, time.Second
}

// signaled is a repository whose commands are stopped.
type signaled struct {
	t    *testing.T
	dir  string
	bin  string
	seed int
}

func (s *signaled) command(args ...string) *exec.Cmd {
	return exec.CommandContext(s.t.Context(), s.bin, append([]string{"-c", s.dir}, args...)...)
}

// must runs a command to its end, and returns how long it took.
func (s *signaled) must(args ...string) time.Duration {
	s.t.Helper()
	began := time.Now()
	if out, err := s.command(args...).CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %v: %s", args, err, out)
	}
	return time.Since(began)
}

// define writes the next definitions: one view stays, others come, change and go.
func (s *signaled) define() {
	s.seed++
	const source = `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`
	text := strings.ReplaceAll(oneView, "SOURCE", source)
	for i := range 8 {
		if (s.seed+i)%3 > 0 {
			text += fmt.Sprintf("v%d = FeatureView(name=\"v%d\", entities=[shopper], ttl=timedelta(days=%d), schema=[Field(name=\"items\", dtype=Int64)], source=carts.batch_source)\n", i, i, s.seed)
		}
	}
	s.write("features.py", text)
}

func (s *signaled) write(name, text string) {
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// stop starts a command, signals it after a time and checks how it ends.
func (s *signaled) stop(after, limit time.Duration, args ...string) {
	s.t.Helper()
	cmd := s.command(args...)
	var errText bytes.Buffer
	cmd.Stderr = &errText
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	<-time.After(after)
	began := time.Now()
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	kill := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	_ = cmd.Wait()
	took := time.Since(began)
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	// Before main: the time of the processor, since on a busy machine a start takes long.
	early := status.Signaled() && status.Signal() == syscall.SIGTERM && cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime() < 100*time.Millisecond
	text := errText.String()
	switch {
	case took > limit:
		s.t.Errorf("%v, stopped after %v, ends %v later", args, after, took)
	case early:
	case cmd.ProcessState.ExitCode() == 0:
	case cmd.ProcessState.ExitCode() != 1, !strings.HasPrefix(text, "banquet: stopped"), strings.Count(text, "\n") != 1:
		s.t.Errorf("%v, stopped after %v: %v: %s", args, after, cmd.ProcessState, text)
	}
}

// check reads the registry and the tables: each view has its table. Settled, each table
// also has its view, and nothing else is left.
func (s *signaled) check(settled bool) {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "registry.db"))
	if err != nil {
		s.t.Fatal(err)
	}
	reg := &core.Registry{}
	if err := proto.Unmarshal(b, reg); err != nil {
		s.t.Fatal(err)
	}
	var views []string
	for _, v := range reg.GetFeatureViews() {
		views = append(views, "shop_"+v.GetSpec().GetName())
	}
	tables := tableNames(s.t, filepath.Join(s.dir, "online.db"))
	slices.Sort(views)
	for _, v := range views {
		if !slices.Contains(tables, v) {
			s.t.Errorf("the registry lists %v, the tables are %v", views, tables)
		}
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains([]string{"feature_store.yaml", "features.py", "carts.csv", "registry.db", ".registry.db.lock", "registry.db.runs", "online.db", "online.db-journal"}, e.Name()) {
			s.t.Errorf("%s is left", e.Name())
		}
		if settled && (e.Name() == "registry.db.runs" || e.Name() == "online.db-journal") {
			s.t.Errorf("%s is left after a complete run", e.Name())
		}
	}
	if settled && !slices.Equal(views, tables) {
		s.t.Errorf("the registry lists %v, the tables are %v", views, tables)
	}
}

func tableNames(t *testing.T, path string) []string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

// TestSignalsAtAnyMoment stops commands at random moments: each ends within a second, the
// registry stays readable, no table of a listed view is lost, and the same command, run
// again, completes.
func TestSignalsAtAnyMoment(t *testing.T) {
	s := &signaled{t: t, bin: program(t), dir: newRepo(t, sqliteRepo, "")}
	var rows strings.Builder
	rows.WriteString("shopper,items,at\n")
	for i := range 5_000 {
		rows.WriteString(strconv.Itoa(i) + "," + strconv.Itoa(i%9) + ",2024-01-10T00:00:00\n")
	}
	s.write("carts.csv", rows.String())
	s.define()
	s.must("apply")
	times := map[string]time.Duration{"serve": 300 * time.Millisecond}
	times["plan"] = s.must("plan")
	times["push"] = s.must("push", "--view", "carts", filepath.Join(s.dir, "carts.csv"), "--no-progress")
	s.define()
	times["apply"] = s.must("apply")
	times["materialize"] = s.must("materialize", "2024-01-01", "2024-02-01", "--no-progress")
	n, limit := kills(t)
	for command, full := range times {
		t.Run(command, func(t *testing.T) {
			s.t = t
			for range n {
				s.round(command, rand.N(full), limit)
				if t.Failed() {
					return
				}
			}
		})
	}
	if out, err := exec.CommandContext(t.Context(), s.bin, "-c", s.dir, "get-online-features", "-e", "shopper=17", "-f", "carts:items").CombinedOutput(); err != nil || !strings.Contains(string(out), "8") {
		t.Errorf("%v: %s", err, out)
	}
}

// round stops a command once, and then completes what it was to do.
func (s *signaled) round(command string, after, limit time.Duration) {
	s.t.Helper()
	materialize := []string{"materialize", "2024-01-01", "2024-02-01", "--no-progress"}
	args, then := []string{command}, []string{"apply"}
	s.define()
	switch command {
	case "materialize":
		args, then = materialize, materialize
		s.must("apply")
	case "push":
		args = []string{"push", "--view", "carts", filepath.Join(s.dir, "carts.csv"), "--no-progress"}
		s.must("apply")
		then = args
	case "serve":
		args = []string{"serve", "-p", "0", "--grpc-port", "0", "--admin-port", "0"}
	}
	s.stop(after, limit, args...)
	s.check(false)
	s.must(then...)
	s.check(true)
}
