package flight

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/training"
)

const historicalCommand = `{"command_id": "1", "api": "get_historical_features", "feature_view_names": ["drv", "drv"], "feature_refs": ["d2:trips", "drv:ok"],
	"project": "p", "full_feature_names": true, "name_aliases": ["d2", null]`

const pullCommand = `{"command_id": "1", "api": "pull_all_from_table_or_query", "data_source_name": "src", "join_key_columns": ["k"],
	"feature_name_columns": ["f", "g"], "timestamp_field": "ts", "created_timestamp_column": null`

func parsed(t *testing.T, text string) *Command {
	t.Helper()
	c, err := ParseCommand([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCommandsBecomeRequests(t *testing.T) {
	historical := training.Request{Project: "p", Views: []string{"drv", "drv"}, Features: []string{"d2:trips", "drv:ok"}, Aliases: []registry.Alias{{View: "drv", Name: "d2"}}, FullNames: true}
	sql, span := historical, historical
	sql.SQL = "SELECT 1"
	span.Start, span.End = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 1, 2, 3, 0, 0, 5000, time.UTC)
	for _, c := range []struct {
		name, text string
		rows       bool
		want       training.Request
	}{
		{"a table", historicalCommand + `, "entity_df_sql": "ignored"}`, true, historical},
		{"SQL", historicalCommand + `, "entity_df_sql": "SELECT 1"}`, false, sql},
		{"a range, the end in the client's own time without a zone", historicalCommand + `, "start_date": "2024-01-01T01:00:00+01:00", "end_date": "2024-01-02T03:00:00.000005"}`, false, span},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parsed(t, c.text).Training(c.rows)
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	first, err := parsed(t, historicalCommand+`, "start_date": "0001-01-01T00:00:00"}`).Training(false)
	if err != nil || first.Start.IsZero() || first.Start.Year() != 1 {
		t.Errorf("from the first day: %v, %v", first.Start, err)
	}
	pull, err := parsed(t, pullCommand+`, "start_date": null, "end_date": "2024-01-02T03:00:00.000005"}`).Pull(true)
	want := training.Pull{Source: "src", Keys: []string{"k"}, Features: []string{"f", "g"}, Timestamp: "ts", End: span.End, Latest: true}
	if diff := cmp.Diff(want, pull); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	source, err := parsed(t, `{"api": "validate_data_source", "data_source_proto": "{\"name\": \"s\", \"timestampField\": \"ts\", \"ofALaterFeast\": 1}"}`).DataSource()
	if err != nil || source.GetName() != "s" || source.GetTimestampField() != "ts" {
		t.Errorf("%v, %v", source, err)
	}
	name, overwrite, limit, err := parsed(t, `{"api": "persist", "data_source_name": "t", "allow_overwrite": true, "timeout": 1.5, "retrieve_func": "x"}`).Target()
	if name != "t" || !overwrite || limit != 1500*time.Millisecond || err != nil {
		t.Errorf("%s %v %v %v", name, overwrite, limit, err)
	}
}

// use reads a command as its call does.
func use(c *Command) error {
	var err error
	switch c.API {
	case Historical:
		_, err = c.Training(false)
	case PullAll, PullLatest:
		_, err = c.Pull(c.API == PullLatest)
	case Columns, Validate:
		_, err = c.DataSource()
	case Write:
		_, err = c.View()
	case Persist:
		_, _, _, err = c.Target()
	default:
		err = c.Unknown()
	}
	return err
}

func TestWrongCommandsAreRefusedInOneLine(t *testing.T) {
	for _, c := range []struct {
		name, text, says string
		kind             fault.Kind
	}{
		{"empty", ``, "not a JSON object", fault.Invalid},
		{"no JSON", `SELECT 1`, "not a JSON object", fault.Invalid},
		{"a list", `[]`, "not a JSON object", fault.Invalid},
		{"truncated", `{"api": "pe`, "not a JSON object", fault.Invalid},
		{"nested a million times", strings.Repeat(`{"a":`, 1_000_000), "not a JSON object", fault.TooLarge},
		{"nested deeply", `{"api": ` + strings.Repeat("[", 100_000), "not a JSON object", fault.Invalid},
		{"large", `{"api": "` + strings.Repeat("x", 5<<20) + `"}`, "4 MB", fault.TooLarge},
		{"no api", `{"command_id": "1"}`, "api parameter is mandatory", fault.Invalid},
		{"a null api", `{"api": null}`, "api parameter is mandatory", fault.Invalid},
		{"an unknown api", `{"api": "nope"}`, "Unknown read API: nope", fault.Unimplemented},
		{"a long api", `{"api": "` + strings.Repeat("ä", 5000) + `"}`, "Unknown read API: ää", fault.Unimplemented},
		{"a number as api", `{"api": 7}`, "api of the command is of the JSON type number; want a text", fault.Invalid},
		{"a text as list", `{"api": "x", "feature_refs": "a:b"}`, "feature_refs of the command is of the JSON type string; want a list of texts", fault.Invalid},
		{"a number in a list", `{"api": "x", "feature_refs": [1]}`, "feature_refs", fault.Invalid},
		{"a text as flag", `{"api": "x", "full_feature_names": "yes"}`, "want true or false", fault.Invalid},
		{"no views", `{"api": "get_historical_features", "feature_refs": [], "project": "p", "full_feature_names": false, "name_aliases": []}`, "feature_view_names is mandatory", fault.Invalid},
		{"fewer aliases than views", `{"api": "get_historical_features", "feature_view_names": ["a"], "feature_refs": [], "project": "p", "full_feature_names": false, "name_aliases": []}`, "1 feature_view_names and 0 name_aliases", fault.Invalid},
		{"no entity rows", historicalCommand + `}`, "no entity rows", fault.Invalid},
		{"empty SQL", historicalCommand + `, "entity_df_sql": " "}`, "entity_df_sql is empty", fault.Invalid},
		{"no date", historicalCommand + `, "end_date": "yesterday"}`, "end_date: ", fault.Invalid},
		{"no source", `{"api": "pull_all_from_table_or_query"}`, "data_source_name is mandatory", fault.Invalid},
		{"no time", `{"api": "pull_latest_from_table_or_query", "data_source_name": "s", "join_key_columns": [], "feature_name_columns": []}`, "timestamp_field is mandatory", fault.Invalid},
		{"a source that is no protobuf", `{"api": "validate_data_source", "data_source_proto": "{\"name\": 7}"}`, "not a data source", fault.Invalid},
		{"a source nested deeply", `{"api": "validate_data_source", "data_source_proto": "` + strings.Repeat(`{\"batchSource\":`, 10_000) + `"}`, "not a data source", fault.Invalid},
		{"two views", `{"api": "offline_write_batch", "feature_view_names": ["a", "b"]}`, "only have one item", fault.Invalid},
		{"a negative timeout", `{"api": "persist", "data_source_name": "t", "allow_overwrite": true, "timeout": -1, "retrieve_func": "x"}`, "timeout of -1", fault.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			command, err := ParseCommand([]byte(c.text))
			if err == nil {
				err = use(command)
			}
			says := c.says
			if c.kind == fault.TooLarge {
				says = "4 MB"
			}
			if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 400 {
				t.Errorf("%v: %v", fault.KindOf(err), err)
			}
		})
	}
}

func FuzzCommand(f *testing.F) {
	f.Add([]byte(historicalCommand + `, "start_date": "2024-01-01", "end_date": "2024-01-02"}`))
	f.Add([]byte(pullCommand + `}`))
	f.Add([]byte(`{"api": "persist", "data_source_name": "t", "allow_overwrite": true, "timeout": 1.5, "retrieve_func": "x"}`))
	f.Add([]byte(`{"api": "validate_data_source", "data_source_proto": "{\"name\": \"s\"}"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseCommand(text)
		if err == nil {
			err = use(c)
		}
		if err != nil && (fault.KindOf(err) == fault.Internal || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%v: %q", fault.KindOf(err), err)
		}
	})
}

// An upload is any sequence of messages: two bytes for the length of the header, two for
// that of the body, then both.
func FuzzUpload(f *testing.F) {
	var seed []byte
	for _, d := range messagesOf(f, entities, rowsOf(f, 5)) {
		seed = append(seed, byte(len(d.Header)>>8), byte(len(d.Header)), byte(len(d.Body)>>8), byte(len(d.Body)))
		seed = append(append(seed, d.Header...), d.Body...)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		var messages []*Data
		for len(b) >= 4 {
			header, body := int(b[0])<<8|int(b[1]), int(b[2])<<8|int(b[3])
			b = b[4:]
			header = min(header, len(b))
			body = min(body, len(b)-header)
			messages = append(messages, &Data{Header: append([]byte(nil), b[:header]...), Body: append([]byte(nil), b[header:header+body]...)})
			b = b[header+body:]
		}
		if len(messages) > 0 {
			readAll(t, messages)
		}
	})
}
