package dynamo

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/banquet-fs/banquet/stores"
)

// FuzzScan compares the scanner of responses with encoding/json: it never panics,
// and what both accept they read the same way.
func FuzzScan(f *testing.F) {
	id := entityID([]byte("k"))
	f.Add([]byte(`{"Responses":{"p.v":[{"event_ts":{"S":"2024-06-12 06:11:06+00:00"},"values":{"M":{"a":{"B":"EgNhYmM="},"b":{"B":""}}},"entity_id":{"S":"` + id + `"}}]},"UnprocessedKeys":{}}`))
	f.Add([]byte(`{ "Responses" : {"p\u002ev":[{"values":{"M":{"\u0061":{"B":"EgNh\u0059mM="}}},"entity_id":{"S":"` + id + `"}}] } }`))
	f.Add([]byte(`{"Responses":{},"UnprocessedKeys":{"p.v":{"Keys":[{"entity_id":{"S":"` + id + `"}}],"ProjectionExpression":"#k"}},"ConsumedCapacity":[{"TableName":"p.v","CapacityUnits":0.5}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var set idSet
		set.fill([][]byte{[]byte("k"), []byte("l")})
		table := &tableRead{tableName: &tableName{"p.v", `"p.v"`}, projection: newProjection([]string{"a", "b", "c"}), set: &set, rows: make([]stores.Row, 2)}
		c := &call{spans: []span{{table: table, keys: []int32{0, 1}, values: make([][]byte, 6)}}}
		var want struct {
			Responses map[string][]struct {
				EntityID struct{ S *string }                      `json:"entity_id"`
				Values   struct{ M map[string]map[string]string } `json:"values"`
			}
		}
		reference := json.Unmarshal(body, &want)
		if err := c.scan(bytes.Clone(body)); err != nil || reference != nil {
			return
		}
		for _, it := range want.Responses["p.v"] {
			if it.EntityID.S == nil || *it.EntityID.S != id || len(want.Responses["p.v"]) > 1 {
				continue
			}
			for i, name := range table.projection.features {
				text, there := it.Values.M[name]["B"]
				v, err := base64.StdEncoding.DecodeString(text)
				if !there || err != nil || len(it.Values.M[name]) > 1 {
					continue
				}
				if got := table.rows[0].Values[i]; !bytes.Equal(got, v) {
					t.Errorf("feature %s is %q, want %q", name, got, v)
				}
			}
		}
	})
}

// FuzzStamp compares the fast parser of event times with the general one.
func FuzzStamp(f *testing.F) {
	for _, s := range []string{"2024-06-12 06:11:06+00:00", "2024-02-29 23:59:59.000001+00:00", "2023-02-29 00:00:00+00:00", "0000-00-00 00:00:00+00:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quick, ok := quickStamp([]byte(s))
		if !ok {
			return
		}
		if slow, there := parseStamp(s); !there || !slow.Equal(quick) {
			t.Errorf("%q is %v, want %v (%v)", s, quick, slow, there)
		}
	})
}
