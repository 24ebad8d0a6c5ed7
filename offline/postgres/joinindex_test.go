package postgres_test

import (
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/offline/postgres"
)

// plainQueries are queries with the table of whose rows they consist, if it is one.
var plainQueries = map[string]string{
	"SELECT * FROM t":                         "t",
	"select  a , \"B\"\"c\" from\ts . t ;":    "s . t",
	"-- all\nSELECT /* of */ * FROM \"a b\";": `"a b"`,
	`SELECT "from" FROM "select"."from"`:      `"select"."from"`,
	"SELECT * FROM t AS u":                    "",
	"SELECT * FROM t, u":                      "",
	"SELECT * FROM t LIMIT 1":                 "",
	"SELECT * FROM ONLY t":                    "",
	"SELECT * FROM f()":                       "",
	"SELECT DISTINCT a FROM t":                "",
	"SELECT a AS b FROM t":                    "",
	"SELECT a b FROM t":                       "",
	"SELECT t.* FROM t":                       "",
	"SELECT a + 1 FROM t":                     "",
	"SELECT *, a FROM t":                      "",
	"SELECT FROM t":                           "",
	"SELECT 'a' FROM t":                       "",
	"TABLE t":                                 "",
	"WITH a AS (SELECT 1) SELECT * FROM a":    "",
	"SELECT * FROM t -- \"u\"\n WHERE a":      "",
	"SELECT * FROM (SELECT * FROM t) u":       "",
	"SELECT * FROM t UNION SELECT * FROM t":   "",
	"SELECT * FROM a.b.c":                     "",
	"":                                        "",
}

func TestPlainQueries(t *testing.T) {
	for query, want := range plainQueries {
		if got, ok := postgres.PlainTable(query); got != want || ok != (want != "") {
			t.Errorf("%q: table %q, %v, want %q", query, got, ok, want)
		}
	}
}

// A query that is taken for a table is a SELECT that ends with this table's name.
func FuzzPlainQuery(f *testing.F) {
	for query := range plainQueries {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		name, ok := postgres.PlainTable(query)
		if !ok {
			return
		}
		last := strings.TrimSpace(name[strings.LastIndexByte(name, '.')+1:])
		if last == "" || !strings.Contains(query, last) || !strings.Contains(strings.ToLower(query), "select") || !strings.Contains(name, `"`) && strings.ContainsAny(name, "();,*'-/") {
			t.Errorf("%q: table %q", query, name)
		}
	})
}
