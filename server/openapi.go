package server

import (
	_ "embed"
	"encoding/json"
	"maps"
	"net/http"

	"github.com/banquet-fs/banquet/gen/openapi"
)

// writtenRoutes describes the routes with plain JSON; the generated document has
// protobuf's JSON for them.
//
//go:embed openapi.json
var writtenRoutes []byte

// openapiDocument is the generated document, in which writtenRoutes replaces the
// descriptions of the plain JSON routes.
func openapiDocument() ([]byte, error) {
	type document = map[string]json.RawMessage
	var doc, over document
	for from, to := range map[*[]byte]*document{&openapi.Document: &doc, &writtenRoutes: &over} {
		if err := json.Unmarshal(*from, to); err != nil {
			return nil, err
		}
	}
	for _, key := range []string{"paths", "definitions"} {
		var all, some document
		if err := json.Unmarshal(doc[key], &all); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(over[key], &some); err != nil {
			return nil, err
		}
		maps.Copy(all, some)
		b, err := json.Marshal(all)
		if err != nil {
			return nil, err
		}
		doc[key] = b
	}
	return json.Marshal(doc)
}

func (s *web) openapi(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.document)
}
