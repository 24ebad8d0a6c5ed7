package main

import (
	"bufio"
	"bytes"
	"database/sql"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/internal/pgtest"
)

// stuck is a repository whose materialization stops and waits at some point.
type stuck struct {
	yaml, source string
	// hold causes the wait, once the repository is applied in dir.
	hold func(t *testing.T, dir string)
	want string
}

func stuckRuns(t *testing.T) map[string]stuck {
	opt := pgtest.Options(t)
	pgtest.Exec(t, opt, "CREATE TABLE src AS SELECT 1::int8 AS shopper, 2::int8 AS items, timestamptz '2024-01-15 10:00Z' AS at")
	d := dynamotest.Start(t)
	store := "\n  type: postgres\n  host: " + opt.Host + "\n  port: " + strconv.Itoa(opt.Port) + "\n  database: " + opt.Database + "\n  user: " + opt.User + "\n  password: " + opt.Password + "\n"
	repo := func(online, offline string) string {
		return "project: shop\nprovider: local\nregistry: registry.db\nonline_store:" + online + "offline_store:" + offline + "entity_key_serialization_version: 3\n"
	}
	const sqlite, files = "\n  type: sqlite\n  path: online.db\n", "\n  type: file\n"
	csv := `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`
	table := func(t *testing.T, statement string) {
		conn, err := pgx.Connect(t.Context(), "host="+opt.Host+" port="+strconv.Itoa(opt.Port)+" dbname="+opt.Database+" user="+opt.User+" password="+opt.Password)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close(t.Context()) })
		if _, err := conn.Exec(t.Context(), "BEGIN; "+statement); err != nil {
			t.Fatal(err)
		}
	}
	return map[string]stuck{
		"reading PostgreSQL": {
			repo(sqlite, store), `PostgreSQLSource(name="carts_source", query="SELECT * FROM src WHERE pg_sleep(30) IS NOT NULL", timestamp_field="at")`,
			func(*testing.T, string) {}, "stopped; nothing of feature view carts is written, and its window is not recorded\n",
		},
		"waiting for a table": {
			repo(sqlite, store), `PostgreSQLSource(name="carts_source", table="src", timestamp_field="at")`,
			func(t *testing.T, _ string) { table(t, "LOCK TABLE src") }, "stopped; nothing of feature view carts is written",
		},
		"writing to PostgreSQL": {repo(store, files), csv, func(t *testing.T, _ string) { table(t, "LOCK TABLE shop_carts") }, "stopped; of 1 row of feature view carts none is known to be stored, and its window is not recorded\n"},
		"writing to SQLite": {repo(sqlite, files), csv, func(t *testing.T, dir string) {
			db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "online.db")+"?_txlock=immediate")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = tx.Rollback() })
		}, "stopped; of 1 row of feature view carts none is known"},
		"writing to DynamoDB": {
			repo("\n  type: dynamodb\n  region: ap-northeast-2\n  endpoint_url: "+d.URL+"\n", files), csv,
			func(t *testing.T, _ string) {
				d.Set(dynamotest.Faults{Hang: 1})
				t.Cleanup(func() { d.Set(dynamotest.Faults{}) })
			}, "stopped; of 1 row of feature view carts none is known",
		},
		"recording": {repo(sqlite, files), csv, func(t *testing.T, dir string) {
			f, err := os.OpenFile(filepath.Join(dir, ".registry.db.lock"), os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.Close() })
			if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
				t.Fatal(err)
			}
		}, "stopped; the one row of feature view carts is stored, and its window is not recorded; the same command goes on after what is stored\n"},
	}
}

// TestMaterializeIsStopped stops a run by a signal at each point where it may
// have to wait: it ends within a second and says what is stored.
func TestMaterializeIsStopped(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s3cr3t")
	t.Setenv("FEAST_NO_PROGRESS", "1")
	bin := program(t)
	for name, c := range stuckRuns(t) {
		t.Run(name, func(t *testing.T) {
			dir := newRepo(t, c.yaml, strings.ReplaceAll(oneView, "SOURCE", c.source))
			if out, err := exec.CommandContext(t.Context(), bin, "-c", dir, "apply").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			before, err := os.ReadFile(filepath.Join(dir, "registry.db"))
			if err != nil {
				t.Fatal(err)
			}
			c.hold(t, dir)
			cmd := exec.CommandContext(t.Context(), bin, "-c", dir, "materialize", "2024-01-01", "2024-02-01")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(out)
			for line := ""; line != "carts:\n"; {
				if line, err = lines.ReadString('\n'); err != nil {
					t.Fatalf("%v: %s", err, stderr.String())
				}
			}
			<-time.After(300 * time.Millisecond) // until it reaches the wait
			began := time.Now()
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			kill := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
			defer kill.Stop()
			_, _ = io.Copy(io.Discard, lines)
			_ = cmd.Wait()
			if took := time.Since(began); took > busy || cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("exit %d after %s", cmd.ProcessState.ExitCode(), took)
			}
			if text := stderr.String(); strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "banquet: "+c.want) {
				t.Errorf("%s\nwant %s", text, c.want)
			}
			if after, err := os.ReadFile(filepath.Join(dir, "registry.db")); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the registry has changed: %v", err)
			}
		})
	}
}
