// Package pg opens connections to PostgreSQL and explains their failures in
// plain words. It contains no SQL of its callers.
package pg

import (
	"context"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/dial"
)

// connectTime bounds how long one attempt to connect takes.
const connectTime = 5 * time.Second

// Parting bounds how long ending a query or a connection takes, whatever the
// server does: a failed run reports within a second.
const Parting = 400 * time.Millisecond

// Options say how to connect.
type Options struct {
	Host     string
	Port     int
	Database string
	User     string
	Password string
	// Schema is looked up before "public". It may be several, as in search_path.
	Schema string
	// SSLMode is libpq's: disable, allow, prefer, require, verify-ca, verify-full.
	SSLMode                      string
	SSLKey, SSLCert, SSLRootCert string
	MinConn, MaxConn             int
	KeepalivesIdle               time.Duration
	ApplicationName              string
	// Lookup resolves host names; nil asks the system.
	Lookup dial.Lookup
}

// Address is the server's address for messages.
func (o *Options) Address() string {
	if strings.HasPrefix(o.Host, "/") {
		return o.Host
	}
	return net.JoinHostPort(o.Host, strconv.Itoa(o.Port))
}

// SearchPath is the value of search_path: the schema, then public. Feast passes
// the schema to the server as it is written, so it may be a list, and a name is
// in lower case unless it is quoted. A text that is not such a list is one name.
func (o *Options) SearchPath() string {
	schema := strings.TrimSpace(o.Schema)
	if schema == "" {
		schema = o.User
	}
	names, ok := schemas(schema)
	if !ok {
		names = []string{schema}
	}
	if schema != "public" {
		names = append(names, "public")
	}
	for i, n := range names {
		names[i] = pgx.Identifier{n}.Sanitize()
	}
	return strings.Join(names, ", ")
}

// schemas reads a list of names as the server reads that of search_path.
func schemas(list string) (names []string, ok bool) {
	for {
		list = strings.TrimSpace(list)
		var name string
		if quoted, found := strings.CutPrefix(list, `"`); found {
			name, list, ok = unquoted(quoted)
			if !ok {
				return nil, false
			}
		} else {
			end := strings.IndexAny(list+",", ", \t\n")
			name, list = strings.ToLower(list[:end]), list[end:]
		}
		if name == "" {
			return nil, false
		}
		names = append(names, name)
		if list = strings.TrimSpace(list); list == "" {
			return names, true
		}
		if list, ok = strings.CutPrefix(list, ","); !ok {
			return nil, false
		}
	}
}

// unquoted reads a name up to its closing quote, and returns the rest of the text.
func unquoted(text string) (name, rest string, ok bool) {
	for {
		part, rest, found := strings.Cut(text, `"`)
		name += part
		if !found {
			return "", "", false
		}
		if !strings.HasPrefix(rest, `"`) {
			return name, rest, true
		}
		name, text = name+`"`, rest[1:]
	}
}

// Connect opens a pool and checks that the server responds.
func Connect(ctx context.Context, opt Options) (*pgxpool.Pool, error) {
	pool, err := Pool(opt)
	if err != nil {
		return nil, err
	}
	ping, cancel := context.WithTimeout(ctx, 2*connectTime)
	defer cancel()
	if err := pool.Ping(ping); err != nil {
		Close(pool)
		switch {
		case ctx.Err() != nil:
			return nil, opt.Fault(ctx.Err(), "connect")
		case ping.Err() != nil:
			return nil, opt.unreachable(err)
		}
		return nil, opt.Fault(err, "connect")
	}
	return pool, nil
}

// Close closes a pool. It waits only a short time for connections that are
// still in use, or for a server that does not respond; those close by
// themselves.
func Close(pool *pgxpool.Pool) {
	done := make(chan struct{})
	go func() {
		pool.Close()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(Parting):
	}
}

// Pool opens a pool; it connects when a connection is first needed. Connections
// may pass through a pooler that changes servers between transactions: so the
// start-up requests no setting that a pooler would refuse, no statement is kept
// on the server, and a query is one round trip. Asking the server for a query's
// columns takes two round trips, which must be in one transaction.
func Pool(opt Options) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(opt.dsn())
	if err != nil {
		for _, file := range []struct{ key, path string }{{"sslkey_path", opt.SSLKey}, {"sslcert_path", opt.SSLCert}, {"sslrootcert_path", opt.SSLRootCert}} {
			if _, failed := os.ReadFile(file.path); file.path != "" && failed != nil {
				return nil, fault.New(fault.Invalid, "PostgreSQL at %s: the file of %s, %s, cannot be read", opt.Address(), file.key, file.path).Because(failed)
			}
		}
		return nil, fault.New(fault.Invalid, "the settings of PostgreSQL at %s do not fit together; look at sslmode and the certificates, and at variables such as PGSERVICE and PGCONNECT_TIMEOUT, which count, too", opt.Address())
	}
	c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	c.ConnConfig.ConnectTimeout = connectTime
	// Databases may be in other encodings; poolers know this setting.
	c.ConnConfig.RuntimeParams["client_encoding"] = "UTF8"
	c.ConnConfig.OnNotice = keepLastWords
	if opt.MaxConn > 0 {
		c.MaxConns = int32(opt.MaxConn)
	}
	idle := opt.KeepalivesIdle
	if idle <= 0 {
		idle = time.Minute
	}
	dialer := &dial.Dialer{Timeout: connectTime, KeepAlive: idle, Lookup: opt.Lookup}
	c.ConnConfig.DialFunc = dialer.DialContext
	c.ConnConfig.LookupFunc = func(_ context.Context, host string) ([]string, error) { return []string{host}, nil } // the dialer resolves it
	pool, err := pgxpool.NewWithConfig(context.Background(), c)                                                     // it outlives its first caller
	if err != nil {
		return nil, opt.Fault(err, "connect")
	}
	return pool, nil
}

// dsn writes the settings as a connection URL.
func (o *Options) dsn() string {
	q := url.Values{"sslmode": {o.SSLMode}}
	if o.SSLMode == "" {
		q.Set("sslmode", "prefer")
	}
	for key, v := range map[string]string{"sslkey": o.SSLKey, "sslcert": o.SSLCert, "sslrootcert": o.SSLRootCert, "application_name": o.ApplicationName} {
		if v != "" {
			q.Set(key, v)
		}
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(o.User, o.Password), Path: "/" + o.Database, RawQuery: q.Encode()}
	if strings.HasPrefix(o.Host, "/") {
		q.Set("host", o.Host)
		q.Set("port", strconv.Itoa(o.Port))
		u.RawQuery = q.Encode()
	} else {
		u.Host = o.Address()
	}
	return u.String()
}

// lastWords holds what the server said before it closed the connection.
const lastWords = "last words"

// keepLastWords keeps the warning that a server sends instead of an error when
// it shuts down at once.
func keepLastWords(conn *pgconn.PgConn, notice *pgconn.Notice) {
	if strings.HasPrefix(notice.Code, "57P") {
		conn.CustomData()[lastWords] = notice.Message
	}
}

// LastWords is what the server said before it closed the connection, or empty.
func LastWords(conn *pgconn.PgConn) string {
	text, _ := conn.CustomData()[lastWords].(string)
	return Line(text)
}
