package pg

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/banquet-fs/banquet/fault"
)

func (o *Options) at() string { return "PostgreSQL at " + o.Address() }

func (o *Options) refuse(kind fault.Kind, err error, format string, args ...any) error {
	return fault.Store(kind, format, args...).About("PostgreSQL", o.Address(), "").Because(err)
}

func (o *Options) unreachable(err error) error {
	return o.refuse(fault.Unavailable, err, "%s cannot be reached; is it running, and are host and port right?", o.at())
}

// Fault classifies an error of PostgreSQL. what names the thing that was
// requested.
func (o *Options) Fault(err error, what string) error {
	if err == nil {
		return nil
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return o.serverFault(pgErr, what, func(kind fault.Kind, format string, args ...any) error {
			return o.refuse(kind, err, format, args...)
		})
	}
	if errors.Is(err, context.Canceled) {
		return fault.Of(err)
	}
	var connect *pgconn.ConnectError
	var tlsErr tls.RecordHeaderError
	switch {
	case strings.Contains(err.Error(), "server refused TLS"):
		return o.refuse(fault.Unavailable, err, "%s offers no TLS, and sslmode is %s; set sslmode: disable or prefer if that is meant", o.at(), o.SSLMode)
	case errors.As(err, &tlsErr), strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "x509: "):
		return o.refuse(fault.Unavailable, err, "%s is not trusted (sslmode %s): %s", o.at(), o.SSLMode, o.certificateFault(err))
	case errors.As(err, &connect):
		return o.unreachable(err)
	case errors.Is(err, context.DeadlineExceeded):
		return o.refuse(fault.TimedOut, err, "%s: the time allowed ran out before %s answered", what, o.at())
	}
	return o.Lost(err, what, "")
}

// certificateFault says what is wrong with a server's TLS, and what to do.
func (o *Options) certificateFault(err error) string {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &name):
		return "its certificate is for " + namesOf(name.Certificate) + ", not for " + name.Host + "; set host to a name of the certificate, or sslmode to verify-ca"
	case errors.As(err, &authority) && o.SSLRootCert == "":
		return "no known authority has signed its certificate; name the file of the authority's certificate in sslrootcert_path"
	case errors.As(err, &authority):
		return "the authority in sslrootcert_path (" + o.SSLRootCert + ") has not signed its certificate"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired or is not valid yet; renew it, or check the clock of this machine"
	case strings.Contains(err.Error(), "remote error: tls: "):
		return "it does not accept this side; if it wants the certificate of a client, check sslcert_path and sslkey_path"
	}
	return "its certificate is not accepted; check sslrootcert_path"
}

// namesOf lists the first names of a certificate.
func namesOf(c *x509.Certificate) string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "no host name"
	}
	return Line(strings.Join(names[:min(len(names), 3)], ", "))
}

// Lost says that the connection broke, and what the server said before, if
// anything.
func (o *Options) Lost(err error, what, lastWords string) error {
	if lastWords != "" {
		lastWords = ": " + lastWords
	}
	return o.refuse(fault.Unavailable, err, "%s: the connection to %s was lost%s", what, o.at(), lastWords)
}

// serverFault classifies an error of the server by its SQLSTATE.
func (o *Options) serverFault(e *pgconn.PgError, what string, refuse func(fault.Kind, string, ...any) error) error {
	first := Line(e.Message)
	switch poolerCode(e) {
	case "28P01", "28000":
		return refuse(fault.Denied, "%s does not let user %s in: wrong password, or no right to connect to database %s", o.at(), o.User, o.Database)
	case "3D000":
		return refuse(fault.NotFound, "%s has no database %s", o.at(), o.Database)
	case "42P01":
		return refuse(fault.NotFound, "%s: %s in database %s", what, first, o.Database)
	case "42703", "42883", "42704", "3F000": // a column, function, type or schema
		return refuse(fault.NotFound, "%s: %s", what, describe(e, first))
	case "42501":
		return refuse(fault.Denied, "%s: user %s has no right: %s", what, o.User, first)
	case "25006":
		return refuse(fault.Denied, "%s: the connection is read-only: %s", what, first)
	case "57014":
		if strings.Contains(first, "user request") {
			return refuse(fault.Unavailable, "%s: the query was ended on the server: %s", what, first)
		}
		return refuse(fault.TimedOut, "%s: the query took too long and was ended: %s", what, first)
	case "25P03", "57P05", "55P03", "25P04": // an idle transaction or session, a lock, a transaction
		return refuse(fault.TimedOut, "%s: %s", what, first)
	case "53300":
		return refuse(fault.Overloaded, "%s has no connection left: %s; allow it more, or lower max_conn in feature_store.yaml", o.at(), first)
	case "53200", "53400": // memory, or the temporary files of a query
		return refuse(fault.Overloaded, "%s: %s", what, first)
	case "42702":
		return refuse(fault.Invalid, "%s: %s; give each column of the query a name of its own", what, describe(e, first))
	}
	return o.otherFault(e, what, first, refuse)
}

// otherFault classifies by the class of the SQLSTATE, and by the message where
// poolers have no code of their own.
func (o *Options) otherFault(e *pgconn.PgError, what, first string, refuse func(fault.Kind, string, ...any) error) error {
	if strings.Contains(e.Message, "unsupported startup parameter") {
		return refuse(fault.Invalid, "%s is a pooler and refuses a setting of PGOPTIONS or PGTZ (%s); unset it, or list it in the pooler's ignore_startup_parameters", o.at(), first)
	}
	if strings.Contains(e.Message, "statement pooling mode") {
		return refuse(fault.Invalid, "%s is a pooler of single statements, and transactions are needed; set its pool_mode to transaction", o.at())
	}
	switch e.Code[:min(2, len(e.Code))] {
	case "08", "57", "58", "53":
		return refuse(fault.Unavailable, "%s: %s cannot serve at the moment: %s", what, o.at(), first)
	case "40", "55", "XX":
		return refuse(fault.Unavailable, "%s: %s", what, first)
	}
	return refuse(fault.Invalid, "%s: %s", what, describe(e, first))
}

// poolerCode is the SQLSTATE of an error. PgBouncer has one code, that of a
// protocol violation, for all errors of its own; only the message distinguishes
// wrong settings from a passing failure.
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

// longest is how much foreign text an error shows.
const longest = 300

// Line makes one line of text that comes from outside, such as the server or a
// cell: its first line, without the control characters that a terminal would
// obey, and cut if it is long.
func Line(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	if len(line) > longest {
		line = strings.ToValidUTF8(line[:longest], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError || unicode.Is(unicode.Bidi_Control, r) {
			return '?'
		}
		return r
	}, line)
}

func describe(e *pgconn.PgError, first string) string {
	if e.Position > 0 {
		return fmt.Sprintf("%s (character %d)", first, e.Position)
	}
	return first
}
