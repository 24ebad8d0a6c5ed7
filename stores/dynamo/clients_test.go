package dynamo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/internal/awsconf"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
)

// eachClient runs a test with the direct client and with the SDK's.
func eachClient(t *testing.T, test func(t *testing.T, open func(testing.TB, *dynamotest.Server) *dynamo.Store)) {
	t.Helper()
	for name, sdk := range map[string]bool{"direct": false, "sdk": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of a test's time is waiting
			test(t, func(t testing.TB, s *dynamotest.Server) *dynamo.Store { return openClient(t, s, sdk) })
		})
	}
}

func openClient(t testing.TB, s *dynamotest.Server, sdk bool) *dynamo.Store {
	t.Helper()
	c, err := awsconf.Load(t.Context(), awsconf.Options{Region: "ap-northeast-2", Endpoint: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	store := dynamo.Open(dynamo.Options{AWS: c, SDK: sdk})
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// Both clients write the same items and read the same rows, whatever bytes and
// names they contain.
func TestBothClientsWriteAndReadTheSame(t *testing.T) {
	server := dynamotest.Start(t)
	direct, sdk := openClient(t, server, false), openClient(t, server, true)
	names := []string{"plain", "mit Umlaut ü", `quote"d`, `back\slash`, "a.b", "", "emoji ☕", "new\nline"}
	random := rand.New(rand.NewPCG(1, 2))
	tables := []stores.Table{{Project: "p", View: "direct"}, {Project: "p", View: "sdk"}}
	ready(t, direct, tables...)
	names = append(names[:5], names[6:]...) // DynamoDB rejects an empty name
	selection := stores.NewSelection(names...)
	var recs []stores.Record
	var keys [][]byte
	for i := range 60 {
		r := stores.Record{Key: fmt.Appendf(nil, "key %d", i), Event: moment.Add(timeStep(i))}
		for range names {
			var v []byte
			switch random.IntN(6) {
			case 0: // absent
			case 1:
				v = []byte{}
			default:
				v = make([]byte, random.IntN(70))
				for k := range v {
					v[k] = byte(random.Uint32())
				}
			}
			r.Values = append(r.Values, v)
		}
		recs, keys = append(recs, r), append(keys, r.Key)
	}
	for i, s := range []*dynamo.Store{direct, sdk} {
		for _, mode := range []stores.Mode{stores.Replace, stores.Newer} {
			if w, err := s.Write(t.Context(), tables[i], selection, recs, mode); err != nil || len(w.Failed.Indexes) > 0 {
				t.Fatal(w, err)
			}
		}
	}
	if diff := cmp.Diff(decoded(t, server, "p.sdk"), decoded(t, server, "p.direct")); diff != "" {
		t.Errorf("items differ (-sdk +direct)\n%s", diff)
	}
	keys = append(keys, []byte("nobody"), keys[3], keys[3])
	for _, pick := range [][]string{names, {names[2]}, {names[6], names[0]}, {"unknown"}, {}} {
		for _, tb := range tables {
			reads := []stores.Read{
				{Table: tb, Features: stores.NewSelection(pick...), Keys: keys},
				{Table: tb, Features: stores.NewSelection(names[1:3]...), Keys: keys[5:9]},
				{Table: stores.Table{Project: "p", View: "sdk"}, Features: stores.NewSelection(pick...), Keys: keys},
			}
			a, b := readRows(t, direct, reads), readRows(t, sdk, reads)
			if diff := cmp.Diff(b, a); diff != "" {
				t.Errorf("rows of %v of %s differ (-sdk +direct)\n%s", pick, tb.View, diff)
			}
		}
	}
}

// decoded returns a table's items as trees: base64 and escapes can be written in
// more than one way.
func decoded(t *testing.T, s *dynamotest.Server, table string) map[string]any {
	t.Helper()
	out := map[string]any{}
	for id, it := range s.Items(table) {
		b, err := json.Marshal(it)
		if err != nil {
			t.Fatal(err)
		}
		var tree any
		if err := json.Unmarshal(b, &tree); err != nil {
			t.Fatal(err)
		}
		out[id] = tree
	}
	if len(out) == 0 {
		t.Fatalf("table %s is empty", table)
	}
	return out
}

// readRows reads rows and copies them.
func readRows(t *testing.T, s *dynamo.Store, reads []stores.Read) [][]stores.Row {
	t.Helper()
	rows, err := s.Read(t.Context(), reads)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	out := make([][]stores.Row, len(rows.Reads))
	for i := range rows.Reads {
		for _, r := range rows.Reads[i] {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			values := make([][]byte, len(r.Values))
			for k, v := range r.Values {
				if v != nil {
					values[k] = append([]byte{}, v...)
				}
			}
			if r.Values == nil {
				values = nil
			}
			r.Values = values
			out[i] = append(out[i], r)
		}
	}
	return out
}

// A golden response and other spellings of it are read the same way.
func TestResponsesInOtherSpellingsAreReadTheSame(t *testing.T) {
	plain := `{"Responses":{"p.v":[{"event_ts":{"S":"2024-06-12 06:11:06+00:00"},"values":{"M":{"a":{"B":"EgNhYmM="},"b":{"B":""}}},"entity_id":{"S":"ID"}}]},"UnprocessedKeys":{}}`
	for name, text := range map[string]string{
		"plain":           plain,
		"blanks":          `{ "Responses" : { "p.v" : [ { "event_ts" : { "S" : "2024-06-12 06:11:06+00:00" } , "values" : { "M" : { "a" : { "B" : "EgNhYmM=" } , "b" : { "B" : "" } } } , "entity_id" : { "S" : "ID" } } ] } }` + "\n",
		"escapes":         `{"Responses":{"p\u002ev":[{"event_ts":{"S":"2024-06-12\u002006:11:06+00:00"},"values":{"M":{"\u0061":{"B":"EgNh\u0059mM="},"b":{"B":""}}},"entity_id":{"S":"ID"}}]}}`,
		"offset":          `{"Responses":{"p.v":[{"entity_id":{"S":"ID"},"event_ts":{"S":"2024-06-12 15:11:06+09:00"},"values":{"M":{"b":{"B":""},"a":{"B":"EgNhYmM="}}}}]}}`,
		"other fields":    `{"Unknown":[1,-2.5e3,true,null,{"x":["]}"]}],"Responses":{"other":[{"a":{"NULL":true}}],"p.v":[{"extra":{"L":[{"N":"1"},{"SS":["a"]}]},"values":{"M":{"zzz":{"N":"5"},"a":{"B":"EgNhYmM="},"b":{"B":""}}},"event_ts":{"S":"2024-06-12 06:11:06+00:00"},"entity_id":{"S":"ID"}}]}}`,
		"unrequested row": `{"Responses":{"p.v":[{"entity_id":{"S":"00000000000000000000000000000000"},"values":{"M":{"a":{"B":"AAAA"}}}},{"entity_id":{"S":"ID"},"event_ts":{"S":"2024-06-12 06:11:06+00:00"},"values":{"M":{"a":{"B":"EgNhYmM="},"b":{"B":""}}}}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			row, err := readOne(t, []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if !row.Found || !row.Event.Equal(moment) || string(row.Values[0]) != "\x12\x03abc" || row.Values[1] == nil || len(row.Values[1]) > 0 || row.Values[2] != nil {
				t.Errorf("%+v", row)
			}
		})
	}
}

// A malformed response is an error, never a missing row.
func TestMalformedResponsesAreErrors(t *testing.T) {
	whole := []byte(`{"Responses":{"p.v":[{"event_ts":{"S":"2024-06-12 06:11:06+00:00"},"values":{"M":{"a":{"B":"EgNhYmM="},"b":{"B":""}}},"entity_id":{"S":"ID"}}]},"UnprocessedKeys":{}}`)
	for n := range whole {
		if row, err := readOne(t, whole[:n]); err == nil {
			t.Errorf("%d bytes of %d are read as %+v", n, len(whole), row)
		}
	}
	for name, text := range map[string]string{
		"another operation's": `{"TableNames":[]}`,
		"no base64":           `{"Responses":{"p.v":[{"values":{"M":{"a":{"B":"Eg_hYmM="}}},"entity_id":{"S":"ID"}}]}}`,
		"half base64":         `{"Responses":{"p.v":[{"values":{"M":{"a":{"B":"EgNhY"}}},"entity_id":{"S":"ID"}}]}}`,
		"no key":              `{"Responses":{"p.v":[{"values":{"M":{"a":{"B":"EgNhYmM="}}}}]}}`,
		"trailing data":       `{"Responses":{}}{"Responses":{}}`,
		"a list":              `[]`,
	} {
		if row, err := readOne(t, []byte(text)); err == nil {
			t.Errorf("%s: read as %+v", name, row)
		}
	}
}

// readOne reads features a, b, c of one key through the direct client; the server
// sends the text as its response. ID stands for the key's id.
func readOne(t *testing.T, text []byte) (stores.Row, error) {
	t.Helper()
	return readOneBy(t, false, text)
}

// readOneBy is readOne with either client.
func readOneBy(t *testing.T, sdk bool, text []byte) (stores.Row, error) {
	t.Helper()
	server := dynamotest.StartFixed(t, func(request []byte) []byte {
		var in struct {
			RequestItems map[string]struct {
				Keys []map[string]struct{ S string }
			}
		}
		if err := json.Unmarshal(request, &in); err != nil {
			t.Errorf("the request is not JSON: %v", err)
		}
		return bytes.ReplaceAll(text, []byte(`"ID"`), []byte(`"`+in.RequestItems["p.v"].Keys[0]["entity_id"].S+`"`))
	})
	c, err := awsconf.Load(t.Context(), awsconf.Options{Region: "ap-northeast-2", Endpoint: server})
	if err != nil {
		t.Fatal(err)
	}
	s := dynamo.Open(dynamo.Options{AWS: c, SDK: sdk})
	defer func() { _ = s.Close() }()
	rows, err := s.Read(t.Context(), []stores.Read{{Table: stores.Table{Project: "p", View: "v"}, Features: stores.NewSelection("a", "b", "c"), Keys: [][]byte{[]byte("k")}}})
	if err != nil {
		return stores.Row{}, err
	}
	defer rows.Release()
	row := rows.Reads[0][0]
	row.Values = slices.Clone(row.Values) // valid after Release
	for i, v := range row.Values {
		row.Values[i] = bytes.Clone(v)
	}
	return row, row.Err
}
