package dynamo_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
	"github.com/banquet-fs/banquet/stores/retry"
	"github.com/banquet-fs/banquet/stores/storetest"
)

func open(t testing.TB, s *dynamotest.Server) *dynamo.Store {
	t.Helper()
	return openClient(t, s, false)
}

func TestContract(t *testing.T) {
	eachClient(t, func(t *testing.T, open func(testing.TB, *dynamotest.Server) *dynamo.Store) {
		storetest.Run(t, func(t testing.TB) stores.Store { return open(t, dynamotest.Start(t)) })
	})
}

func TestContractWhileItemsAreLeftUnprocessed(t *testing.T) {
	eachClient(t, func(t *testing.T, open func(testing.TB, *dynamotest.Server) *dynamo.Store) {
		storetest.Run(t, func(t testing.TB) stores.Store {
			s := dynamotest.Start(t)
			s.Set(dynamotest.Faults{Unprocessed: 0.3, Throttle: 0.1, BadCRC: 0.02})
			return retry.New(open(t, s), retry.Options{Attempts: 40})
		})
	})
}

// timeStep spreads event times, with and without a fraction of a second.
func timeStep(i int) time.Duration {
	return time.Duration(i)*time.Hour + time.Duration(i%3)*time.Microsecond
}

var (
	zip    = stores.Table{Project: "credit_scoring_aws", View: "zipcode_features"}
	moment = time.Date(2024, 6, 12, 6, 11, 6, 0, time.UTC)
)

func ready(t *testing.T, s stores.Store, tables ...stores.Table) {
	t.Helper()
	var specs []stores.TableSpec
	for _, tb := range tables {
		specs = append(specs, stores.TableSpec{Table: tb})
	}
	if _, err := storetest.Update(t.Context(), s, stores.Tables{Keep: specs}); err != nil {
		t.Fatal(err)
	}
}

func records(n int) ([]stores.Record, [][]byte) {
	out, keys := make([]stores.Record, n), make([][]byte, n)
	for i := range n {
		keys[i] = fmt.Appendf(nil, "key-%d", i)
		out[i] = stores.Record{Key: keys[i], Event: moment, Values: [][]byte{fmt.Appendf(nil, "\x12\x03%03d", i%1000)}}
	}
	return out, keys
}

func TestCallsArePackedAcrossTables(t *testing.T) {
	server := dynamotest.Start(t)
	s := open(t, server)
	tables := []stores.Table{zip, {Project: "p", View: "a"}, {Project: "p", View: "b"}}
	ready(t, s, tables...)
	recs, keys := records(120)
	for _, tb := range tables {
		if w, err := s.Write(t.Context(), tb, stores.NewSelection("f"), recs, stores.Replace); err != nil || len(w.Failed.Indexes) > 0 {
			t.Fatal(w, err)
		}
	}
	server.Reset()
	var reads []stores.Read
	for _, tb := range tables {
		reads = append(reads, stores.Read{Table: tb, Features: stores.NewSelection("f"), Keys: append(keys, keys...)})
	}
	rows, err := s.Read(t.Context(), reads)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	for i := range rows.Reads {
		for j, r := range rows.Reads[i] {
			if !r.Found || string(r.Values[0]) != fmt.Sprintf("\x12\x03%03d", j%120) {
				t.Fatalf("read %d, row %d: %+v", i, j, r)
			}
		}
	}
	if got, want := server.Count("BatchGetItem"), 4; got != want { // 360 distinct keys
		t.Errorf("%d calls, want %d", got, want)
	}
}

func TestOneBadTableHarmsOnlyItself(t *testing.T) {
	for name, spoil := range map[string]func(*dynamotest.Server){
		"missing":   func(s *dynamotest.Server) { s.Drop("p.gone") },
		"forbidden": func(s *dynamotest.Server) { s.Set(dynamotest.Faults{Forbidden: map[string]bool{"p.gone": true}}) },
	} {
		t.Run(name, func(t *testing.T) {
			server := dynamotest.Start(t)
			s := open(t, server)
			gone := stores.Table{Project: "p", View: "gone"}
			ready(t, s, zip, gone)
			recs, keys := records(3)
			if _, err := s.Write(t.Context(), zip, stores.NewSelection("f"), recs, stores.Replace); err != nil {
				t.Fatal(err)
			}
			spoil(server)
			read := func() *stores.Rows {
				t.Helper()
				rows, err := s.Read(t.Context(), []stores.Read{{Table: gone, Features: stores.NewSelection("f"), Keys: keys}, {Table: zip, Features: stores.NewSelection("f"), Keys: keys}})
				if err != nil {
					t.Fatal(err)
				}
				return rows
			}
			rows := read()
			for i := range keys {
				if !rows.Reads[1][i].Found {
					t.Errorf("row %d of the good table: %+v", i, rows.Reads[1][i])
				}
				err := rows.Reads[0][i].Err
				if err == nil || !strings.Contains(err.Error(), "p.gone") || rows.Reads[0][i].Found {
					t.Errorf("row %d of the bad table: %+v", i, rows.Reads[0][i])
				}
			}
			rows.Release()
			server.Reset()
			read().Release()
			if n := server.Count("BatchGetItem"); n != 2 {
				t.Errorf("the next read takes %d calls, want 2: the bad table gets a call of its own", n)
			}
		})
	}
}

// After a call for several tables is refused, the tables are read by concurrent
// calls.
func TestTablesAreReadSeparatelyAndConcurrently(t *testing.T) {
	const latency = 300 * time.Millisecond
	eachClient(t, func(t *testing.T, open func(testing.TB, *dynamotest.Server) *dynamo.Store) {
		server := dynamotest.Start(t)
		s := open(t, server)
		recs, keys := records(3)
		var reads []stores.Read
		for i := range 12 {
			table := stores.Table{Project: "p", View: fmt.Sprintf("v%d", i)}
			ready(t, s, table)
			if _, err := s.Write(t.Context(), table, stores.NewSelection("f"), recs, stores.Replace); err != nil {
				t.Fatal(err)
			}
			reads = append(reads, stores.Read{Table: table, Features: stores.NewSelection("f"), Keys: keys})
		}
		server.Set(dynamotest.Faults{Forbidden: map[string]bool{"p.v5": true}, Latency: func() time.Duration { return latency }})
		start := time.Now()
		rows, err := s.Read(t.Context(), reads)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Release()
		if took := time.Since(start); took > 10*latency { // one by one it would be 13 times
			t.Errorf("%v, and a call takes %v", took, latency)
		}
		for i, read := range rows.Reads {
			for _, row := range read {
				if row.Found == (i == 5) || (row.Err != nil) != (i == 5) {
					t.Errorf("table %d: %+v", i, row)
				}
			}
		}
	})
}

func TestManyFeatures(t *testing.T) {
	server := dynamotest.Start(t)
	s := open(t, server)
	tables := []stores.Table{{Project: "p", View: "wide1"}, {Project: "p", View: "wide2"}, {Project: "p", View: "wide3"}}
	ready(t, s, tables...)
	names, values := make([]string, 700), make([][]byte, 700)
	for i := range names {
		names[i], values[i] = fmt.Sprintf("a_feature_with_a_long_name_%d", i), fmt.Appendf(nil, "\x12\x03%03d", i)
	}
	for _, tb := range tables {
		if _, err := s.Write(t.Context(), tb, stores.NewSelection(names...), []stores.Record{{Key: []byte("k"), Event: moment, Values: values}}, stores.Replace); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []int{1, 261, 262, 580, 600, 650, 700} {
		var reads []stores.Read
		for _, tb := range tables {
			reads = append(reads, stores.Read{Table: tb, Features: stores.NewSelection(names[:n]...), Keys: [][]byte{[]byte("k")}})
		}
		rows, err := s.Read(t.Context(), reads)
		if err != nil {
			t.Fatalf("%d features: %v", n, err)
		}
		for i := range reads {
			r := rows.Reads[i][0]
			if r.Err != nil || len(r.Values) != n {
				t.Fatalf("%d features: %d values, %v", n, len(r.Values), r.Err)
			}
			for f := range n {
				if string(r.Values[f]) != string(values[f]) {
					t.Fatalf("%d features: value %d is %q", n, f, r.Values[f])
				}
			}
		}
		rows.Release()
	}
}

func TestTheItemIsFeasts(t *testing.T) {
	server := dynamotest.Start(t)
	s := open(t, server)
	golden := goldenItems(t, "2_materialize/credit_scoring_aws.zipcode_features.json")
	for id, it := range golden {
		server.Put("copy", it)
		_ = id
	}
	ready(t, s, zip)
	for id, it := range golden {
		server.Put("credit_scoring_aws.zipcode_features", it)
		_ = id
	}
	features := []string{"city", "state", "location_type", "tax_returns_filed", "population", "total_wages"}
	for id, it := range golden {
		var ts struct{ S string }
		var values struct{ M map[string]struct{ B string } }
		if err := json.Unmarshal(it["event_ts"], &ts); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(it["values"], &values); err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse("2006-01-02 15:04:05-07:00", ts.S)
		if err != nil {
			t.Fatal(err)
		}
		r := stores.Record{Key: []byte(id), Event: at, Values: make([][]byte, len(features))}
		for i, f := range features {
			v, ok := values.M[f]
			if !ok {
				continue
			}
			if r.Values[i], err = base64.StdEncoding.DecodeString(v.B); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Write(t.Context(), zip, stores.NewSelection(features...), []stores.Record{r}, stores.Replace); err != nil {
			t.Fatal(err)
		}
	}
	// Keys differ, since the golden ids are hashes; everything else must be equal.
	want, got := map[string]int{}, map[string]int{}
	for _, it := range golden {
		want[canonical(t, it)]++
	}
	for id, it := range server.Items("credit_scoring_aws.zipcode_features") {
		if golden[id] == nil {
			got[canonical(t, it)]++
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-Feast +banquet)\n%s", diff)
	}
}

// canonical is an item without its id, with sorted keys.
func canonical(t *testing.T, it map[string]json.RawMessage) string {
	t.Helper()
	tree := map[string]any{}
	for k, v := range it {
		if k == "entity_id" {
			continue
		}
		var x any
		if err := json.Unmarshal(v, &x); err != nil {
			t.Fatal(err)
		}
		tree[k] = x
	}
	b, _ := json.Marshal(tree)
	return string(b)
}

func goldenItems(t *testing.T, name string) map[string]map[string]json.RawMessage {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "golden", "credit_scoring", "dynamodb", "tables", name))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Items []map[string]json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(b, &doc); err != nil || len(doc.Items) == 0 {
		t.Fatalf("%d items, %v", len(doc.Items), err)
	}
	out := map[string]map[string]json.RawMessage{}
	for _, it := range doc.Items {
		var id struct{ S string }
		_ = json.Unmarshal(it["entity_id"], &id)
		out[id.S] = it
	}
	return out
}

func TestTagsThatAWSRefusesStayOut(t *testing.T) {
	server := dynamotest.Start(t)
	s := open(t, server)
	tags := map[string]string{"team": "risk", "bad*key": "x", "aws:reserved": "x", "long": strings.Repeat("v", 257), "emoji": "ok"}
	spec := stores.TableSpec{Table: zip, Tags: tags}
	p, err := s.Plan(t.Context(), stores.Tables{Keep: []stores.TableSpec{spec}})
	if err != nil || len(p.Findings) != 1 || p.Findings[0].Refused {
		t.Fatalf("%+v, %v", p, err)
	}
	for range 2 {
		if _, err := storetest.Update(t.Context(), s, stores.Tables{Keep: []stores.TableSpec{spec}}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(map[string]string{"team": "risk", "emoji": "ok"}, server.Tags("credit_scoring_aws.zipcode_features")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	spec.Tags = map[string]string{"team": "lending"}
	p, err = s.Plan(t.Context(), stores.Tables{Keep: []stores.TableSpec{spec}})
	if err != nil || len(p.Changes) != 1 || p.Changes[0].Action != stores.Alter || p.Changes[0].Detail != "tags team, emoji (removed)" {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := storetest.Update(t.Context(), s, stores.Tables{Keep: []stores.TableSpec{spec}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"team": "lending"}, server.Tags("credit_scoring_aws.zipcode_features")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestOffsetsOfFeastAreCompared(t *testing.T) {
	server := dynamotest.Start(t)
	s := open(t, server)
	ready(t, s, zip)
	recs, keys := records(1)
	if _, err := s.Write(t.Context(), zip, stores.NewSelection("f"), recs, stores.Replace); err != nil {
		t.Fatal(err)
	}
	for id, it := range server.Items("credit_scoring_aws.zipcode_features") {
		it["event_ts"] = json.RawMessage(`{"S":"2024-06-12 16:00:00+09:00"}`) // 07:00 UTC
		server.Put("credit_scoring_aws.zipcode_features", it)
		_ = id
	}
	put := func(at time.Time) string {
		t.Helper()
		recs[0].Event, recs[0].Values = at, [][]byte{fmt.Appendf(nil, "\x12\x05%s", at.Format("15:04"))}
		if w, err := s.Write(t.Context(), zip, stores.NewSelection("f"), recs, stores.Newer); err != nil || len(w.Failed.Indexes) > 0 {
			t.Fatal(w, err)
		}
		rows, err := s.Read(t.Context(), []stores.Read{{Table: zip, Features: stores.NewSelection("f"), Keys: keys}})
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Release()
		return string(rows.Reads[0][0].Values[0])
	}
	day := time.Date(2024, 6, 12, 0, 0, 0, 0, time.UTC)
	if got := put(day.Add(6*time.Hour + 59*time.Minute)); got != "\x12\x03000" {
		t.Errorf("an older event replaced a newer one: %q", got)
	}
	if got := put(day.Add(7*time.Hour + time.Minute)); got != "\x12\x0507:01" {
		t.Errorf("a newer event did not replace an older one: %q", got)
	}
}
