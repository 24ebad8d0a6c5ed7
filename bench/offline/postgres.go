package offline

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Login of the server that the benchmark starts.
const (
	login    = "feast"
	password = "password"
)

// postgres is a PostgreSQL of the benchmark's own, in a new directory.
type postgres struct {
	dir  string
	port string
	cmd  *exec.Cmd
}

// dsn is how to connect to a database.
func (p *postgres) dsn(database string) string {
	return fmt.Sprintf("host=localhost port=%s user=%s password=%s dbname=%s sslmode=disable", p.port, login, password, database)
}

// program finds one of PostgreSQL's programs; Debian does not put them on the PATH.
func program(name string) (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return found[len(found)-1], nil
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not installed, which the offline benchmark needs: apt-get install postgresql", name)
	}
	return path, nil
}

// owner gives the directory to a user that may run PostgreSQL, which refuses to run as
// root, and returns the attributes of its processes.
func owner(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Pdeathsig: syscall.SIGINT}
	if os.Getuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, os.Chown(dir, uid, gid)
}

// startPostgres starts a server; stop ends it and removes its directory.
func startPostgres(ctx context.Context, port string) (p *postgres, err error) {
	p = &postgres{port: port}
	defer func() {
		if err != nil {
			p.stop()
		}
	}()
	if p.dir, err = os.MkdirTemp("", "banquet-bench-pg"); err != nil {
		return p, err
	}
	attr, err := owner(p.dir)
	if err != nil {
		return p, err
	}
	secret := filepath.Join(p.dir, "password")
	if err := os.WriteFile(secret, []byte(password), 0o644); err != nil {
		return p, err
	}
	initdb, err := program("initdb")
	if err != nil {
		return p, err
	}
	data := filepath.Join(p.dir, "data")
	create := exec.CommandContext(ctx, initdb, "-D", data, "-U", login, "-A", "scram-sha-256", "--pwfile="+secret, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	create.SysProcAttr, create.Dir = attr, p.dir
	if out, err := create.CombinedOutput(); err != nil {
		return p, fmt.Errorf("initdb: %w: %s", err, out)
	}
	server, err := program("postgres")
	if err != nil {
		return p, err
	}
	args := []string{"-D", data, "-k", p.dir, "-p", port, "-c", "listen_addresses=localhost"}
	for _, s := range []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=512MB", "max_wal_size=4GB", "autovacuum=off"} {
		args = append(args, "-c", s)
	}
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), server, args...) // stop ends it
	p.cmd.SysProcAttr, p.cmd.Dir = attr, p.dir
	if err := p.cmd.Start(); err != nil {
		return p, err
	}
	return p, p.await(ctx)
}

// await waits until the server accepts connections.
func (p *postgres) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, p.dsn("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("PostgreSQL does not start: %w", err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

func (p *postgres) stop() {
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Signal(os.Interrupt)
		_ = p.cmd.Wait()
	}
	if p.dir != "" {
		_ = os.RemoveAll(p.dir)
	}
}

// exec runs statements in a database, each by itself.
func (p *postgres) exec(ctx context.Context, database string, statements ...string) error {
	conn, err := pgx.Connect(ctx, p.dsn(database))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// size is how many rows of a table to make.
type size struct {
	*table
	rows int
}

// fill makes a database with tables, and a copy of it without their indexes, whose name
// ends in _plain.
func (p *postgres) fill(ctx context.Context, database string, tables ...size) error {
	if err := p.exec(ctx, "postgres", "CREATE DATABASE "+database); err != nil {
		return err
	}
	for _, t := range tables {
		if err := p.load(ctx, database, t); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	if err := p.exec(ctx, "postgres", "CREATE DATABASE "+database+"_plain TEMPLATE "+database); err != nil {
		return err
	}
	statements := []string{"VACUUM ANALYZE"}
	for _, t := range tables {
		if t.index != "" {
			statements = append(statements, "CREATE INDEX ON "+t.name+" "+t.index)
		}
	}
	return errors.Join(p.exec(ctx, database, statements...), p.exec(ctx, database+"_plain", "VACUUM ANALYZE"))
}

func (p *postgres) load(ctx context.Context, database string, t size) error {
	conn, err := pgx.Connect(ctx, p.dsn(database))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var columns []string
	for _, c := range t.columns {
		columns = append(columns, c.name+" "+c.sql)
	}
	if _, err := conn.Exec(ctx, "CREATE TABLE "+t.name+" ("+strings.Join(columns, ", ")+")"); err != nil {
		return err
	}
	from, to := io.Pipe()
	go func() { to.CloseWithError(t.copyTo(to)) }()
	defer from.Close()
	_, err = conn.PgConn().CopyFrom(ctx, from, "COPY "+t.name+" FROM STDIN (FORMAT binary)")
	return err
}

// copyTo writes the rows in the binary format of COPY.
func (t size) copyTo(w io.Writer) error {
	b := append([]byte("PGCOPY\n\xff\r\n\x00"), make([]byte, 8)...)
	for i := range t.rows {
		b = binary.BigEndian.AppendUint16(b, uint16(len(t.columns)))
		for _, c := range t.columns {
			b = appendCell(b, c.at(i))
		}
		if len(b) > 64<<10 {
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	_, err := w.Write(binary.BigEndian.AppendUint16(b, math.MaxUint16))
	return err
}

// epoch is the zero of PostgreSQL's times, in microseconds.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

func appendCell(b []byte, cell any) []byte {
	be := binary.BigEndian
	switch v := cell.(type) {
	case int64:
		return be.AppendUint64(be.AppendUint32(b, 8), uint64(v))
	case float64:
		return be.AppendUint64(be.AppendUint32(b, 8), math.Float64bits(v))
	case float32:
		return be.AppendUint32(be.AppendUint32(b, 4), math.Float32bits(v))
	case time.Time:
		return be.AppendUint64(be.AppendUint32(b, 8), uint64(v.UnixMicro()-epoch))
	case string:
		return append(be.AppendUint32(b, uint32(len(v))), v...)
	case bool:
		if v {
			return append(be.AppendUint32(b, 1), 1)
		}
		return append(be.AppendUint32(b, 1), 0)
	}
	return be.AppendUint32(b, math.MaxUint32) // null
}

// names lists the names of columns, each after a prefix.
func names(prefix string, columns []column) []string {
	out := slices.Grow([]string(nil), len(columns))
	for _, c := range columns {
		out = append(out, prefix+c.name)
	}
	return out
}
