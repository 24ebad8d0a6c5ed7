package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/internal/pgtest"
	offlinepg "github.com/banquet-fs/banquet/offline/postgres"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/server"
	"github.com/banquet-fs/banquet/stores"
)

// materializing makes a server materialize with the recorded tables of PostgreSQL.
func materializing(t *testing.T, f fixture) fixture {
	t.Helper()
	opt := pgtest.Options(t)
	opt.Schema = "public"
	recordedTables(t, opt)
	off := offlinepg.New(opt)
	t.Cleanup(off.Close)
	f.writing = func(s *served, store stores.Store, o *server.Options) {
		o.Materializer = func(_ context.Context, project string, seen ingest.Observer) (server.Materializer, error) {
			return ingest.New(ingest.Options{Storage: file.New(s.file), Project: project, Offline: off, Online: store, KeyVersion: 3, Observer: seen}), nil
		}
	}
	return f
}

// materializeDifferences are the recorded requests whose response differs, since times
// have one parser everywhere.
var materializeDifferences = map[string]different{
	"materialize bad date":            {http.StatusBadRequest, `Invalid timestamp format: \"soon\" is not a time: it does not begin with a date, YYYY-MM-DD`},
	"materialize-incremental bad end": {http.StatusBadRequest, `\"soon\" is not a time`},
}

// TestGoldenMaterialize replays the recorded requests of Feast's server in order. After
// each, the store holds the items that Feast wrote, or newer ones: banquet replaces no
// newer row with an older one.
func TestGoldenMaterialize(t *testing.T) {
	f := materializing(t, fixture{project: "credit_scoring_aws", registry: "credit_scoring/registry/5_http_writes.db"})
	s := start(t, f)
	for _, table := range []string{"zipcode_features", "credit_history", "credit_inquiries"} {
		s.dynamo.Put("credit_scoring_aws."+table, map[string]json.RawMessage{"entity_id": json.RawMessage(`{"S":"none"}`)})
	}
	type calls struct {
		Name  string
		Calls []struct {
			Body struct{ RequestItems map[string][]put }
		} `json:"dynamodb_calls"`
	}
	written := rows[calls](t, "credit_scoring", "http", "materialize.jsonl")
	items := 0
	for i, x := range rows[exchange](t, "credit_scoring", "http", "materialize.jsonl") {
		t.Run(x.Name, func(t *testing.T) {
			compare(t, s, x, materializeDifferences)
			for _, call := range written[i].Calls {
				for table, puts := range call.Body.RequestItems {
					for _, p := range puts {
						items++
						p.compare(t, s.dynamo.Items(table))
					}
				}
			}
		})
	}
	if items < 50 {
		t.Errorf("%d items were compared", items)
	}
}

// put is a recorded write of an item.
type put struct {
	PutRequest struct{ Item map[string]json.RawMessage }
}

func (p *put) compare(t *testing.T, table map[string]map[string]json.RawMessage) {
	t.Helper()
	text := func(raw json.RawMessage) string {
		var v struct{ S string }
		_ = json.Unmarshal(raw, &v)
		return v.S
	}
	want := p.PutRequest.Item
	id := text(want["entity_id"])
	var got map[string]json.RawMessage
	for _, it := range table {
		if text(it["entity_id"]) == id {
			got = it
		}
	}
	switch {
	case got == nil:
		t.Errorf("%s is not stored", id)
	case text(got["event_ts"]) > text(want["event_ts"]):
	default:
		for name, cell := range want {
			if !sameJSON(cell, got[name]) {
				t.Errorf("%s %s: %s\nFeast wrote %s", id, name, got[name], cell)
			}
		}
	}
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	p, _ := json.Marshal(x)
	q, _ := json.Marshal(y)
	return string(p) == string(q)
}

// TestGoldenMaterializeRequests compares wrong and unusual requests with what Feast's
// server responds to them in a project without views.
func TestGoldenMaterializeRequests(t *testing.T) {
	f := fixture{project: "credit_scoring_aws", registry: "credit_scoring/registry/4_incremental.db", change: func(o *server.Options) {
		o.Materializer = (&rehearsal{}).open
	}}
	s := start(t, f)
	for _, x := range rows[exchange](t, "materialize", "requests.jsonl") {
		t.Run(x.Name, func(t *testing.T) { compare(t, s, x, nil) })
	}
}
