package flight

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/training"
	"github.com/banquet-fs/banquet/value"
)

// The calls of Feast's remote offline store. The others have no result: they run when
// their table has been uploaded.
const (
	Historical = "get_historical_features"
	PullAll    = "pull_all_from_table_or_query"
	PullLatest = "pull_latest_from_table_or_query"
	Columns    = "get_table_column_names_and_types_from_data_source"
	Validate   = "validate_data_source"
	Write      = "offline_write_batch"
	WriteLogs  = "write_logged_features"
	Persist    = "persist"
)

// maxCommand bounds a command in bytes. SQL with thousands of literal rows fits.
const maxCommand = 4 << 20

// Command is what a client asks for, in the JSON of a flight descriptor. Fields that a
// call does not need are not read.
type Command struct {
	API     string `json:"api"`
	Project string `json:"project"`

	// Of Historical and, for the first two, of Write.
	Views     []string  `json:"feature_view_names"`
	Aliases   []*string `json:"name_aliases"`
	Features  []string  `json:"feature_refs"`
	FullNames *bool     `json:"full_feature_names"`
	SQL       *string   `json:"entity_df_sql"`

	// Of PullAll and PullLatest; the dates also of Historical.
	Source    *string  `json:"data_source_name"`
	Keys      []string `json:"join_key_columns"`
	Columns   []string `json:"feature_name_columns"`
	Timestamp *string  `json:"timestamp_field"`
	Created   *string  `json:"created_timestamp_column"`
	Start     *string  `json:"start_date"`
	End       *string  `json:"end_date"`

	// Of Columns and Validate: a data source in protobuf's JSON.
	SourceProto *string `json:"data_source_proto"`

	// Of Persist, with the fields of the call whose result is kept.
	Overwrite *bool    `json:"allow_overwrite"`
	Timeout   *float64 `json:"timeout"`
	Retrieve  string   `json:"retrieve_func"`
}

// ParseCommand decodes a command. Whether it is complete is checked when it is used.
func ParseCommand(b []byte) (*Command, error) {
	if len(b) > maxCommand {
		return nil, fault.New(fault.TooLarge, "the command has more than %d MB; upload entity rows as a table instead of SQL", maxCommand>>20)
	}
	c := &Command{}
	err := json.Unmarshal(b, c)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field != "":
		return nil, fault.New(fault.Invalid, "%s of the command is of the JSON type %s; want %s", wrong.Field, wrong.Value, jsonType(wrong.Type.Kind().String()))
	case err != nil:
		return nil, fault.New(fault.Invalid, "the command of the flight descriptor is not a JSON object").Because(err)
	case c.API == "":
		return nil, fault.New(fault.Invalid, "api parameter is mandatory")
	}
	return c, nil
}

func jsonType(goKind string) string {
	switch goKind {
	case "slice":
		return "a list of texts"
	case "string":
		return "a text"
	case "bool":
		return "true or false"
	}
	return "a number"
}

// missing reports a field that a call needs.
func missing(name string) error {
	return fault.New(fault.Invalid, "%s is mandatory", name)
}

// Reads reports whether the call has a result.
func (c *Command) Reads() bool {
	switch c.API {
	case Historical, PullAll, PullLatest, Columns:
		return true
	}
	return false
}

// Known reports whether the call exists.
func (c *Command) Known() bool {
	switch c.API {
	case Validate, Write, WriteLogs, Persist:
		return true
	}
	return c.Reads()
}

// Training is the request for a training set. The caller sets its Rows.
func (c *Command) Training(rows bool) (training.Request, error) {
	r := training.Request{Project: c.Project, Features: c.Features, Views: c.Views}
	switch {
	case c.Views == nil:
		return r, missing("feature_view_names")
	case c.Aliases == nil:
		return r, missing("name_aliases")
	case c.Features == nil:
		return r, missing("feature_refs")
	case c.Project == "":
		return r, missing("project")
	case c.FullNames == nil:
		return r, missing("full_feature_names")
	}
	r.FullNames = *c.FullNames
	var err error
	if r.Aliases, err = c.aliases(); err != nil {
		return r, err
	}
	if rows {
		return r, nil
	}
	if c.SQL != nil {
		r.SQL = *c.SQL
		if strings.TrimSpace(r.SQL) == "" {
			return r, fault.New(fault.Invalid, "entity_df_sql is empty; give a SELECT that returns the entity rows")
		}
		return r, nil
	}
	if r.Start, r.End, err = c.dates(); err != nil {
		return r, err
	}
	if r.Start.IsZero() && r.End.IsZero() {
		return r, fault.New(fault.Invalid, "the call has no entity rows: neither a table nor entity_df_sql, nor a range from start_date to end_date")
	}
	return r, nil
}

func (c *Command) aliases() ([]registry.Alias, error) {
	if len(c.Aliases) != len(c.Views) {
		return nil, fault.New(fault.Invalid, "the command has %d feature_view_names and %d name_aliases; want one alias, or null, for each view", len(c.Views), len(c.Aliases))
	}
	var out []registry.Alias
	for i, view := range c.Views {
		if a := c.Aliases[i]; a != nil {
			out = append(out, registry.Alias{View: view, Name: *a})
		}
	}
	return out, nil
}

// dates are the bounds of event times; a missing one is zero.
func (c *Command) dates() (start, end time.Time, err error) {
	read := func(name string, text *string, into *time.Time) {
		if text == nil || err != nil {
			return
		}
		var t time.Time
		if t, err = value.ParseTime(*text); err != nil {
			err = fault.New(fault.Invalid, "%s: %s", name, fault.Of(err).Text)
			return
		}
		*into = training.Given(t)
	}
	read("start_date", c.Start, &start)
	read("end_date", c.End, &end)
	return start, end, err
}

// Pull is the request for the rows of a data source.
func (c *Command) Pull(latest bool) (training.Pull, error) {
	p := training.Pull{Keys: c.Keys, Features: c.Columns, Latest: latest}
	switch {
	case c.Source == nil:
		return p, missing("data_source_name")
	case c.Keys == nil:
		return p, missing("join_key_columns")
	case c.Columns == nil:
		return p, missing("feature_name_columns")
	case c.Timestamp == nil || *c.Timestamp == "":
		return p, missing("timestamp_field")
	}
	p.Source, p.Timestamp = *c.Source, *c.Timestamp
	if c.Created != nil {
		p.Created = *c.Created
	}
	var err error
	p.Start, p.End, err = c.dates()
	return p, err
}

// DataSource is the data source that the client describes.
func (c *Command) DataSource() (*core.DataSource, error) {
	if c.SourceProto == nil {
		return nil, missing("data_source_proto")
	}
	m := &core.DataSource{}
	// Unknown fields are of a later Feast. They are harmless: what is read is the
	// registered source.
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true, RecursionLimit: 100}).Unmarshal([]byte(*c.SourceProto), m); err != nil {
		return nil, fault.New(fault.Invalid, "data_source_proto is not a data source in protobuf's JSON").Because(err)
	}
	return m, nil
}

// View is the feature view whose source is written.
func (c *Command) View() (string, error) {
	switch {
	case c.Views == nil:
		return "", missing("feature_view_names")
	case len(c.Views) != 1:
		return "", fault.New(fault.Invalid, "feature_view_names list should only have one item")
	}
	return c.Views[0], nil
}

// Target is where Persist writes, and the longest time that it may take; 0 means no
// bound.
func (c *Command) Target() (name string, overwrite bool, limit time.Duration, err error) {
	switch {
	case c.Source == nil || *c.Source == "":
		err = missing("data_source_name")
	case c.Overwrite == nil:
		err = missing("allow_overwrite")
	case c.Retrieve == "":
		err = missing("retrieve_func")
	case c.Timeout != nil && (*c.Timeout <= 0 || *c.Timeout > 1e6):
		err = fault.New(fault.Invalid, "timeout of %v is not a number of seconds", *c.Timeout)
	default:
		name, overwrite = *c.Source, *c.Overwrite
		if c.Timeout != nil {
			limit = time.Duration(*c.Timeout * float64(time.Second))
		}
	}
	return name, overwrite, limit, err
}

// Unknown refuses a call that does not exist.
func (c *Command) Unknown() error {
	name := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, c.API)
	if short := []rune(name); len(short) > 100 {
		name = string(short[:100]) + " …"
	}
	return fault.New(fault.Unimplemented, "Unknown read API: %s", name)
}
