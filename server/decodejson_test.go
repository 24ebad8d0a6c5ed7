package server

import (
	"errors"
	"testing"
)

// Responses of Feast's server to invalid bodies.
func TestBodyFaultsAreFeasts(t *testing.T) {
	for raw, want := range map[string]string{
		`{"entities": {"a": 1, "b": 2}}`: `{"detail":[{"type":"list_type","loc":["body","entities","a"],"msg":"Input should be a valid list","input":1},` +
			`{"type":"list_type","loc":["body","entities","b"],"msg":"Input should be a valid list","input":2}]}`,
		`{"full_feature_names": "maybe", "features": [1]}`: `{"detail":[{"type":"missing","loc":["body","entities"],"msg":"Field required","input":{"full_feature_names":"maybe","features":[1]}},` +
			`{"type":"string_type","loc":["body","features",0],"msg":"Input should be a valid string","input":1},` +
			`{"type":"bool_parsing","loc":["body","full_feature_names"],"msg":"Input should be a valid boolean, unable to interpret input","input":"maybe"}]}`,
		`{"entities": {"a": ["\x"]}}`:   `{"detail":[{"type":"json_invalid","loc":["body",21],"msg":"JSON decode error","input":{},"ctx":{"error":"Invalid \\escape"}}]}`,
		`{"entities": {"a": ["\u12"]}}`: `{"detail":[{"type":"json_invalid","loc":["body",22],"msg":"JSON decode error","input":{},"ctx":{"error":"Invalid \\uXXXX escape"}}]}`,
		` `:                             `{"detail":[{"type":"json_invalid","loc":["body",1],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting value"}}]}`,
		``:                              `{"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]}`,
		`[1, 2]`:                        `{"detail":[{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":[1,2]}]}`,
		"\ufeff{}":                      `{"detail":[{"type":"missing","loc":["body","entities"],"msg":"Field required","input":{}}]}`,
	} {
		t.Run(raw, func(t *testing.T) {
			_, err := parseFeastBody([]byte(raw), "application/json", decodeLimits{})
			var bad *bodyError
			if !errors.As(err, &bad) {
				t.Fatalf("%v", err)
			}
			if got := string(bad.detail()); got != want {
				t.Errorf("%s\nwant %s", got, want)
			}
		})
	}
}
