package server

import (
	_ "embed"
	"net/http"
)

// openapiDocument describes the HTTP side as it really is: plain JSON for
// online features, protobuf's JSON for the registry.
//
//go:embed openapi.json
var openapiDocument []byte

func (s *web) openapi(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, openapiDocument)
}
