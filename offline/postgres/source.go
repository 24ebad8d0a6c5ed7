package postgres

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// relation is a data source as the server sees it.
type relation struct {
	// source is nil for a query that a caller gives.
	source *core.DataSource
	// from is the relation in FROM: a table, or a query in brackets.
	from string
	// query reports that the relation is a query.
	query bool
}

// what is the source's name in errors.
func (r *relation) what() string {
	if r.source == nil {
		return callersSQL
	}
	return "data source " + r.source.GetName()
}

// callersSQL is the name of a query that a caller gives.
const callersSQL = "the SQL of the entity rows"

// refuse makes a fault about the data source.
func (r *relation) refuse(kind fault.Kind, format string, args ...any) *fault.Error {
	f := fault.New(kind, "%s: %s", r.what(), fmt.Sprintf(format, args...))
	if r.source == nil {
		return f
	}
	return f.About("data source", r.source.GetName(), r.source.GetProject())
}

// newRelation reads the options of a data source.
func newRelation(source *core.DataSource) (*relation, error) {
	refuse := func(why string) error {
		return fault.New(fault.Invalid, "data source %s %s", source.GetName(), why).About("data source", source.GetName(), source.GetProject())
	}
	// Sources of other stores may have the same options: only the class tells
	// them apart.
	class := source.GetDataSourceClassType()
	class = class[strings.LastIndexByte(class, '.')+1:]
	var options struct{ Table, Query string }
	if err := json.Unmarshal(source.GetCustomOptions().GetConfiguration(), &options); err != nil || class != "" && class != "PostgreSQLSource" {
		return nil, refuse("is not a PostgreSQLSource, and the offline store of this repository is PostgreSQL; set offline_store.type to the store that holds it")
	}
	if table := strings.TrimSpace(options.Table); table != "" {
		return &relation{source: source, from: tableName(table)}, nil
	}
	query, problem := oneSelect(options.Query)
	if problem != "" {
		return nil, refuse("has " + problem)
	}
	return &relation{source: source, from: "(" + query + "\n)", query: true}, nil
}

// tableName is a table as a definition names it: schema.table and quoted names
// stay as they are, anything else is quoted.
func tableName(name string) string {
	if regexp.MustCompile(`^("([^"]|"")+"|[A-Za-z_][\w$]*)(\.("([^"]|"")+"|[A-Za-z_][\w$]*))*$`).MatchString(name) && !reserved(name) {
		return name
	}
	return pgx.Identifier(strings.Split(name, ".")).Sanitize()
}

// reserved reports whether a bare name is a reserved word of SQL.
func reserved(name string) bool {
	switch strings.ToLower(name) {
	case "all", "and", "any", "array", "as", "asc", "both", "case", "cast", "check", "collate", "column", "constraint", "create", "default", "desc",
		"distinct", "do", "else", "end", "except", "fetch", "for", "foreign", "from", "grant", "group", "having", "in", "initially", "intersect", "into",
		"lateral", "leading", "limit", "not", "null", "offset", "on", "only", "or", "order", "placing", "primary", "references", "returning", "select",
		"some", "symmetric", "table", "then", "to", "trailing", "true", "union", "unique", "user", "using", "variadic", "when", "where", "window", "with":
		return true
	}
	return false
}
