package server

import (
	"encoding/json"
	"testing"
)

// FuzzBody reads any bytes as a request, in both dialects.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{"features":["a:b"],"entities":{"a":[1,"2",true,null,1.5e3]}}`, `{"feature_service":"s","entities":{},"full_feature_names":"true"}`,
		`{`, `[]`, `null`, `{"entities":{"a":[NaN,-Infinity]}}`, `{"entities":{"a":[{"b":[[]]}]}}`, "{\"a\":\"\\ud800\"}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, d := range []dialect{{}, {strict: true}} {
			b, err := parseBody(raw, d)
			if (b == nil) == (err == nil) {
				t.Fatalf("%v, %v", b, err)
			}
			if err != nil {
				continue
			}
			for _, c := range b.req.Columns {
				for _, token := range c.JSON {
					if !json.Valid(token) && !pythonConstant(token) {
						t.Fatalf("column %q holds %q", c.Name, token)
					}
				}
			}
		}
	})
}

// pythonConstant tells what Python's reader takes and JSON does not have,
// possibly inside of a list or an object.
func pythonConstant(token []byte) bool {
	for _, c := range token {
		if c == 'N' || c == 'I' {
			return true
		}
	}
	return false
}
