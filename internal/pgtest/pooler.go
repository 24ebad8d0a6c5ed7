package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/internal/pg"
)

// Pooler is a PgBouncer in transaction mode in front of the tests' server.
type Pooler struct{ port int }

// StartPooler starts a PgBouncer that ends with the test, with its defaults
// except for the given settings ("server_round_robin = 1"). If it is not
// installed the test is skipped, but under CI it fails, since a skipped test
// would go unnoticed there.
func StartPooler(tb testing.TB, settings ...string) *Pooler {
	tb.Helper()
	server.once.Do(start)
	if server.err != nil {
		tb.Fatal(server.err)
	}
	program, err := pgbouncer()
	switch {
	case err != nil && os.Getenv("CI") == "true":
		tb.Fatal(err)
	case err != nil:
		tb.Skip(err)
	}
	skipUnknown(tb, program, settings)
	p, err := launchPooler(tb, program, settings)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// Through sends connections through the pooler.
func (p *Pooler) Through(opt pg.Options) pg.Options {
	opt.Host, opt.Port = "localhost", p.port
	return opt
}

// skipUnknown skips a test of settings that the installed PgBouncer does not
// know: max_prepared_statements came with 1.21; older versions never track
// prepared statements.
func skipUnknown(tb testing.TB, program string, settings []string) {
	tb.Helper()
	if !strings.Contains(strings.Join(settings, "\n"), "max_prepared_statements") {
		return
	}
	out, err := exec.CommandContext(tb.Context(), program, "--version").Output()
	if err != nil {
		tb.Fatalf("%s --version: %v", program, err)
	}
	version := regexp.MustCompile(`PgBouncer 1\.(\d+)`).FindSubmatch(out)
	if version == nil {
		return
	}
	if minor, _ := strconv.Atoi(string(version[1])); minor < 21 {
		tb.Skipf("%s does not know max_prepared_statements", version[0])
	}
}

// pgbouncer finds the program, which Debian puts into a directory of root's
// PATH.
func pgbouncer() (string, error) {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("PgBouncer is not installed, which this test needs: apt-get install pgbouncer")
}

func launchPooler(tb testing.TB, program string, settings []string) (*Pooler, error) {
	dir, err := os.MkdirTemp("", "pgbouncer") //nolint:usetesting // a test's own directory is closed to other users
	if err != nil {
		return nil, err
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	attr, err := owned(dir)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	file, users := filepath.Join(dir, "pgbouncer.ini"), filepath.Join(dir, "users")
	config := fmt.Sprintf("[databases]\n* = host=127.0.0.1 port=%d\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\n"+
		"auth_type = scram-sha-256\nauth_file = %s\nauth_user = %s\npool_mode = transaction\n%s\n", server.port, port, users, superuser, strings.Join(settings, "\n"))
	for path, text := range map[string]string{file: config, users: fmt.Sprintf("%q %q\n", superuser, password)} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	log := new(bytes.Buffer)
	cmd := exec.Command(program, file) //nolint:noctx // lives as long as the test
	attr.Pdeathsig = syscall.SIGKILL
	cmd.SysProcAttr, cmd.Dir, cmd.Stderr = attr, dir, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	tb.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		if tb.Failed() {
			tb.Logf("PgBouncer says:\n%s", lastLines(log.String(), 20))
		}
	})
	if err := listening(tb.Context(), port, ended); err != nil {
		_ = cmd.Process.Kill()
		<-ended
		return nil, fmt.Errorf("the PgBouncer of the tests does not start: %w\n%s", err, log)
	}
	return &Pooler{port: port}, nil
}

// listening waits until a port accepts connections.
func listening(ctx context.Context, port int, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ended:
			return errors.New("it has ended")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
