package pg_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/pg"
)

// A server's error is classified, and shown in one line with its own words.
func TestFaultsOfAServer(t *testing.T) {
	opt := pg.Options{Host: "db", Port: 5432, Database: "features", User: "feast", SSLMode: "prefer"}
	for code, kind := range map[string]fault.Kind{
		"28P01": fault.Denied, "28000": fault.Denied, "42501": fault.Denied, "25006": fault.Denied,
		"3D000": fault.NotFound, "42P01": fault.NotFound, "42703": fault.NotFound, "42883": fault.NotFound, "42704": fault.NotFound, "3F000": fault.NotFound,
		"57014": fault.TimedOut, "25P03": fault.TimedOut, "25P04": fault.TimedOut, "55P03": fault.TimedOut, "57P05": fault.TimedOut,
		"53300": fault.Overloaded, "53200": fault.Overloaded, "53400": fault.Overloaded,
		"57P01": fault.Unavailable, "57P03": fault.Unavailable, "53100": fault.Unavailable, "58030": fault.Unavailable, "08006": fault.Unavailable,
		"40001": fault.Unavailable, "40P01": fault.Unavailable, "XX000": fault.Unavailable,
		"22012": fault.Invalid, "42702": fault.Invalid, "P0001": fault.Invalid, "54001": fault.Invalid, "": fault.Invalid, "4": fault.Invalid,
	} {
		err := opt.Fault(fmt.Errorf("query: %w", &pgconn.PgError{Code: code, Message: "it is so\nand more"}), "data source src")
		if fault.KindOf(err) != kind {
			t.Errorf("%s: %v is %v, want %v", code, err, fault.KindOf(err), kind)
		}
		says := "it is so"
		if code == "28P01" || code == "28000" || code == "3D000" {
			says = "features"
		}
		if !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "and more") {
			t.Errorf("%s: %q", code, err)
		}
	}
}

func TestFaultsOfAConnection(t *testing.T) {
	opt := pg.Options{Host: "db", Port: 5432, Database: "features", User: "feast"}
	own := fault.New(fault.Conflict, "ours")
	for name, c := range map[string]struct {
		err  error
		kind fault.Kind
		says string
	}{
		"none":         {nil, fault.Internal, ""},
		"ours":         {own, fault.Conflict, "ours"},
		"stopped":      {fmt.Errorf("read: %w", context.Canceled), fault.Canceled, ""},
		"late":         {fmt.Errorf("read: %w", context.DeadlineExceeded), fault.TimedOut, "data source src: the time allowed ran out before PostgreSQL at db:5432 answered"},
		"lost":         {io.ErrUnexpectedEOF, fault.Unavailable, "data source src: the connection to PostgreSQL at db:5432 was lost"},
		"unclassified": {errors.New("broken pipe"), fault.Unavailable, "was lost"},
	} {
		err := opt.Fault(c.err, "data source src")
		switch {
		case c.err == nil:
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.says):
			t.Errorf("%s: %v (%v)", name, err, fault.KindOf(err))
		}
	}
}

// Text from outside is shown as one line without control characters.
func TestLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"one\ntwo":                      "one",
		"a\x1b[31mb\rc\u202ed":          "a?[31mb?c?d",
		"\xff":                          "?",
		"가":                             "가",
		strings.Repeat("é", 1000):       strings.Repeat("é", 150) + "…",
		"x" + strings.Repeat("é", 1000): "x" + strings.Repeat("é", 149) + "…",
	} {
		if got := pg.Line(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

// The search path is what the server makes of the setting that Feast sends.
func TestSearchPath(t *testing.T) {
	for schema, want := range map[string]string{
		"":                     `"feast", "public"`,
		"public":               `"public"`,
		" public ":             `"public"`,
		"shop":                 `"shop", "public"`,
		"Shop":                 `"shop", "public"`,
		`"Shop"`:               `"Shop", "public"`,
		"shop,Carts":           `"shop", "carts", "public"`,
		`shop , "My Carts"`:    `"shop", "My Carts", "public"`,
		`"a""b","c,d"`:         `"a""b", "c,d", "public"`,
		"a-b":                  `"a-b", "public"`,
		"My Schema":            `"My Schema", "public"`,
		`"open`:                `"""open", "public"`,
		"a,,b":                 `"a,,b", "public"`,
		"a,":                   `"a,", "public"`,
		`a"; DROP TABLE t; --`: `"a""; DROP TABLE t; --", "public"`,
	} {
		opt := pg.Options{User: "feast", Schema: schema}
		if got := opt.SearchPath(); got != want {
			t.Errorf("%q is %s, want %s", schema, got, want)
		}
	}
}

// What the environment sets counts as it does under Feast, and a fault says so.
func TestSettingsOfTheEnvironment(t *testing.T) {
	for name, v := range map[string]string{"PGSERVICE": "nope", "PGCONNECT_TIMEOUT": "soon"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, v)
			_, err := pg.Connect(t.Context(), pg.Options{Host: "db", Port: 5432, Database: "features", User: "feast", Password: "secret"})
			if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		})
	}
}
