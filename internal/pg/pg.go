// Package pg opens connections to PostgreSQL and says in plain words what went
// wrong with one. It knows no SQL of anybody.
package pg

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/banquet-fs/banquet/fault"
)

// connectTime bounds how long one attempt to connect takes.
const connectTime = 5 * time.Second

// Options say how to connect.
type Options struct {
	Host     string
	Port     int
	Database string
	User     string
	Password string
	// Schema is looked up before "public".
	Schema string
	// SSLMode is libpq's: disable, allow, prefer, require, verify-ca, verify-full.
	SSLMode                      string
	SSLKey, SSLCert, SSLRootCert string
	MinConn, MaxConn             int
	KeepalivesIdle               time.Duration
	ApplicationName              string
}

// Address is where the server is, for texts.
func (o *Options) Address() string {
	if strings.HasPrefix(o.Host, "/") {
		return o.Host
	}
	return net.JoinHostPort(o.Host, strconv.Itoa(o.Port))
}

// SearchPath is the statement's value of search_path: the schema, then public.
func (o *Options) SearchPath() string {
	schema := o.Schema
	if schema == "" {
		schema = o.User
	}
	if schema == "public" {
		return `"public"`
	}
	return pgx.Identifier{schema}.Sanitize() + `, "public"`
}

// Connect opens a pool and makes sure that the server answers.
func Connect(ctx context.Context, opt Options) (*pgxpool.Pool, error) {
	pool, err := Pool(opt)
	if err != nil {
		return nil, err
	}
	ping, cancel := context.WithTimeout(ctx, 2*connectTime)
	defer cancel()
	if err := pool.Ping(ping); err != nil {
		pool.Close()
		return nil, opt.Fault(err, "connect")
	}
	return pool, nil
}

// Pool opens a pool; it connects when a connection is first needed. Connections
// may lead through a pooler that changes servers between transactions: nothing is
// asked for at start-up that a pooler would refuse, no statement is kept on the
// server, and a query is one round trip. To ask a server what a query's columns
// are takes two, which must be in one transaction.
func Pool(opt Options) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(opt.dsn())
	if err != nil {
		return nil, fault.New(fault.Invalid, "the settings of PostgreSQL at %s do not fit together; look at sslmode and the certificates", opt.Address())
	}
	c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	c.ConnConfig.ConnectTimeout = connectTime
	if opt.MaxConn > 0 {
		c.MaxConns = int32(opt.MaxConn)
	}
	idle := opt.KeepalivesIdle
	if idle <= 0 {
		idle = time.Minute
	}
	c.ConnConfig.DialFunc = (&net.Dialer{Timeout: connectTime, KeepAlive: idle}).DialContext
	pool, err := pgxpool.NewWithConfig(context.Background(), c) // it outlives whoever needs it first
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

// Fault says what PostgreSQL refused. what is the thing that was asked for.
func (o *Options) Fault(err error, what string) error {
	if err == nil {
		return nil
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	at := "PostgreSQL at " + o.Address()
	refuse := func(kind fault.Kind, format string, args ...any) error {
		return fault.New(kind, format, args...).About("PostgreSQL", o.Address(), "").Because(err)
	}
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return o.serverFault(pgErr, at, what, refuse)
	}
	if errors.Is(err, context.Canceled) {
		return fault.Of(err)
	}
	var connect *pgconn.ConnectError
	var tlsErr tls.RecordHeaderError
	switch {
	case strings.Contains(err.Error(), "server refused TLS"):
		return refuse(fault.Unavailable, "%s offers no TLS, and sslmode is %s; set sslmode: disable or prefer if that is meant", at, o.SSLMode)
	case errors.As(err, &tlsErr), strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "x509: "):
		return refuse(fault.Unavailable, "the TLS certificate of %s is not accepted (sslmode %s); check sslrootcert_path", at, o.SSLMode)
	case errors.As(err, &connect) || errors.Is(err, context.DeadlineExceeded):
		return refuse(fault.Unavailable, "%s cannot be reached; is it running, and are host and port right?", at)
	}
	return refuse(fault.Unavailable, "the connection to %s was lost", at)
}

// serverFault classifies what the server itself said, by its SQLSTATE.
func (o *Options) serverFault(e *pgconn.PgError, at, what string, refuse func(fault.Kind, string, ...any) error) error {
	first, _, _ := strings.Cut(e.Message, "\n")
	switch poolerCode(e) {
	case "28P01", "28000":
		return refuse(fault.Denied, "%s does not let user %s in: wrong password, or no right to connect to database %s", at, o.User, o.Database)
	case "3D000":
		return refuse(fault.NotFound, "%s has no database %s", at, o.Database)
	case "42P01":
		return refuse(fault.NotFound, "%s: %s in database %s", what, first, o.Database)
	case "42703":
		return refuse(fault.NotFound, "%s: %s", what, first)
	case "42501":
		return refuse(fault.Denied, "%s: user %s has no right: %s", what, o.User, first)
	case "25006":
		return refuse(fault.Denied, "%s: the connection is read-only: %s", what, first)
	case "57014":
		return refuse(fault.TimedOut, "%s: the statement took too long and was ended", what)
	case "53300":
		return refuse(fault.Overloaded, "%s has no connection left: %s", at, first)
	}
	if strings.Contains(e.Message, "unsupported startup parameter") {
		return refuse(fault.Invalid, "%s is a pooler and refuses a setting of PGOPTIONS or PGTZ (%s); unset it, or list it in the pooler's ignore_startup_parameters", at, first)
	}
	if strings.Contains(e.Message, "statement pooling mode") {
		return refuse(fault.Invalid, "%s is a pooler of single statements, and transactions are needed; set its pool_mode to transaction", at)
	}
	switch e.Code[:2] {
	case "08", "57", "58", "53":
		return refuse(fault.Unavailable, "%s cannot serve at the moment: %s", at, first)
	case "40", "55":
		return refuse(fault.Unavailable, "%s: %s", what, first)
	}
	return refuse(fault.Invalid, "%s: %s", what, describe(e, first))
}

// poolerCode is the SQLSTATE of what a server said. PgBouncer has one, that of a
// broken protocol, for all that it refuses by itself, and says in words only
// what is a lasting fault of the settings and what will pass.
func poolerCode(e *pgconn.PgError) string {
	if e.Code != "08P01" {
		return e.Code
	}
	for _, c := range []struct{ says, code string }{
		{"authentication failed", "28P01"}, // "SASL ...", "password ..."
		{"no such user", "28P01"},
		{"no such database", "3D000"},
		{"does not exist", "3D000"}, // `database "..."`, handed on from the server
		{"no more connections allowed", "53300"},
	} {
		if strings.Contains(e.Message, c.says) {
			return c.code
		}
	}
	return e.Code
}

func describe(e *pgconn.PgError, first string) string {
	if e.Position > 0 {
		return fmt.Sprintf("%s (character %d)", first, e.Position)
	}
	return first
}
