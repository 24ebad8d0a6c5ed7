package dynamo

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/banquet-fs/banquet/stores"
)

// maxExpression is the maximum length of a projection in bytes; with a longer one
// all values are read and the wanted ones picked.
const maxExpression = 4096

// projection names what a call reads of a table's items: the key, the time and
// the wanted values, under short placeholders. It is made once per selection.
type projection struct {
	features   []string
	index      map[string]int // of features
	expression string
	names      map[string]string // placeholders
	// json is the projection as JSON text of a request.
	json []byte
	// starts are the texts that begin a feature's value in a response: `"name":{"B":"`.
	starts []string
}

// projectionKey is the key under which a selection caches its projection.
type projectionKey struct{}

func projectionOf(s *stores.Selection) *projection {
	p, _ := s.Derive(projectionKey{}, func() any { return newProjection(s.Features) }).(*projection)
	return p
}

func newProjection(features []string) *projection {
	p := &projection{features: features, index: make(map[string]int, len(features)), names: map[string]string{"#k": "entity_id", "#t": "event_ts", "#v": "values"}}
	var b strings.Builder
	b.WriteString("#k,#t")
	for i, f := range features {
		p.index[f] = i
		p.starts = append(p.starts, string(quoted(f))+`:{"B":"`)
		short := "#" + strconv.FormatInt(int64(i), 36)
		if short == "#k" || short == "#t" || short == "#v" {
			short = "#_" + strconv.FormatInt(int64(i), 36)
		}
		p.names[short] = f
		b.WriteString(",#v." + short)
	}
	p.expression = b.String()
	if len(p.expression) > maxExpression || len(features) == 0 {
		p.expression, p.names = "#k,#t,#v", map[string]string{"#k": "entity_id", "#t": "event_ts", "#v": "values"}
	}
	names, _ := json.Marshal(p.names) // a map of strings always can be
	p.json = append(append([]byte(`"ProjectionExpression":"`), p.expression...), `","ExpressionAttributeNames":`...)
	p.json = append(p.json, names...)
	return p
}

func quoted(s string) []byte {
	b, _ := json.Marshal(s)
	return b
}
