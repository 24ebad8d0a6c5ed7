// Package pgtest runs a real PostgreSQL for tests: one server for each test
// process, without fsync, as an unprivileged user, with a separate database for
// each test.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/internal/pg"
)

// Superuser and its password, which TCP connections need.
const (
	superuser = "feast"
	password  = "password"
)

// server is the one server of the process.
var server struct {
	once sync.Once
	process
	err error
	n   int
	mu  sync.Mutex
}

// process is a PostgreSQL with its own directory.
type process struct {
	dir  string
	port int
	cmd  *exec.Cmd
}

// Server is a PostgreSQL for one test, which the test may stop.
type Server struct{ process }

// Start starts a server for one test. It takes a second or two: most tests need
// only a database, which Options gives them.
func Start(tb testing.TB) *Server {
	tb.Helper()
	p, err := startServer()
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{process: p}
	tb.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		_ = os.RemoveAll(s.dir)
	})
	return s
}

// Options returns the settings of the server's database.
func (s *Server) Options() pg.Options {
	return pg.Options{Host: "localhost", Port: s.port, Database: "postgres", User: superuser, Password: password, SSLMode: "prefer"}
}

// Shutdown stops the server: after running transactions, or at once as if it
// crashed.
func (s *Server) Shutdown(immediate bool) error {
	if immediate {
		return s.cmd.Process.Signal(syscall.SIGQUIT)
	}
	return s.cmd.Process.Signal(os.Interrupt)
}

// Options returns the settings of a new database, which is dropped after the
// test.
func Options(tb testing.TB) pg.Options {
	tb.Helper()
	server.once.Do(start)
	if server.err != nil {
		tb.Fatal(server.err)
	}
	server.mu.Lock()
	server.n++
	name := fmt.Sprintf("test_%d", server.n)
	server.mu.Unlock()
	opt := pg.Options{Host: "localhost", Port: server.port, Database: name, User: superuser, Password: password, SSLMode: "prefer"}
	admin := func(statement string) error {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, fmt.Sprintf("host=%s port=%d user=%s dbname=postgres", server.dir, server.port, superuser))
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, statement)
		return err
	}
	if err := admin("CREATE DATABASE " + name + " TEMPLATE template0"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = admin("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)") })
	return opt
}

// Exec runs statements in a database.
func Exec(tb testing.TB, opt pg.Options, statements string) {
	tb.Helper()
	pool, err := pg.Connect(tb.Context(), opt)
	if err != nil {
		tb.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(tb.Context(), statements, pgx.QueryExecModeSimpleProtocol); err != nil {
		tb.Fatalf("%s: %v", statements, err)
	}
}

// find finds one of PostgreSQL's programs; Debian does not put them on the
// PATH.
func find(name string) (string, error) {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.Reverse(dirs)
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", errors.New("PostgreSQL is not installed, which these tests need: apt-get install postgresql")
	}
	return path, nil
}

// start makes and starts the server. It ends with the test process.
func start() { server.process, server.err = startServer() }

func startServer() (p process, err error) {
	initdb, err := find("initdb")
	if err != nil {
		return p, err
	}
	postgres, err := find("postgres")
	if err != nil {
		return p, err
	}
	dir, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return p, err
	}
	attr, err := owned(dir)
	if err != nil {
		return p, err
	}
	pwfile := filepath.Join(dir, "pw")
	if err := os.WriteFile(pwfile, []byte(password), 0o644); err != nil {
		return p, err
	}
	data := filepath.Join(dir, "data")
	init := exec.Command(initdb, "-D", data, "-U", superuser, "--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile="+pwfile, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync") //nolint:noctx // lives as long as the process
	init.SysProcAttr, init.Dir = attr, dir
	if out, err := init.CombinedOutput(); err != nil {
		return p, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	p.dir = dir
	if p.port, err = freePort(); err != nil {
		return p, err
	}
	err = p.launch(postgres, data, attr)
	return p, err
}

func (p *process) launch(postgres, data string, attr *syscall.SysProcAttr) error {
	cmd := exec.Command(postgres, "-D", data, "-k", p.dir, "-p", strconv.Itoa(p.port), "-c", "listen_addresses=127.0.0.1", "-c", "timezone=UTC", "-c", "fsync=off", //nolint:noctx // lives as long as the process
		"-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=100", "-c", "logging_collector=off", "-c", "log_min_messages=panic")
	p.cmd = cmd
	child := *attr
	child.Pdeathsig = syscall.SIGKILL // no server outlives its tests
	cmd.SysProcAttr, cmd.Dir = &child, p.dir
	if err := cmd.Start(); err != nil {
		return err
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		conn, err := pgx.Connect(ctx, fmt.Sprintf("host=%s port=%d user=%s dbname=postgres", p.dir, p.port, superuser))
		if err == nil {
			_ = conn.Close(ctx)
			cancel()
			return nil
		}
		cancel()
		if time.Now().After(deadline) {
			return fmt.Errorf("the PostgreSQL of the tests does not start: %w", err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// owned gives a directory to the user that runs PostgreSQL's programs, and
// returns the attributes to start them with: they refuse to run as root.
func owned(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		var err error
		if attr.Credential, err = unprivileged(); err != nil {
			return nil, err
		}
		if err := os.Chown(dir, int(attr.Credential.Uid), int(attr.Credential.Gid)); err != nil {
			return nil, err
		}
	}
	return attr, os.Chmod(dir, 0o755)
}

// unprivileged is the user that the server runs as when the test runs as root.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.ParseUint(u.Uid, 10, 32)
		gid, _ := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("no unprivileged user exists that can run PostgreSQL")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		return 0, err
	}
	defer l.Close()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.New("no TCP address")
	}
	return addr.Port, nil
}

// Load copies rows of CSV, below a line of names, into a table; \N is null.
func Load(tb testing.TB, opt pg.Options, table string, rows io.Reader) {
	tb.Helper()
	pool, err := pg.Connect(tb.Context(), opt)
	if err != nil {
		tb.Fatal(err)
	}
	defer pool.Close()
	conn, err := pool.Acquire(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Conn().PgConn().CopyFrom(tb.Context(), rows, "COPY "+table+` FROM STDIN WITH (FORMAT csv, HEADER, NULL '\N')`); err != nil {
		tb.Fatalf("%s: %v", table, err)
	}
}
