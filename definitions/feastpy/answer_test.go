package feastpy

import (
	"strings"
	"testing"
)

// Any answer is read or refused, and the error is a few printable lines.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(magic + "\x00\x00\x00\x02{}"))
	f.Add([]byte(magic + "\x00\x00\x00\x02{}\x0a\x05\x0a\x03\x0a\x01e"))
	f.Add([]byte(magic + "\x00\x00\x00\x36" + `{"error":{"kind":"code","file":"a","line":1,"column":9}}`))
	f.Add([]byte(magic + "\xff\xff\xff\xff{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := decode(b)
		if (a == nil) == (err == nil) {
			t.Fatalf("%v, %v", a, err)
		}
		if a == nil {
			return
		}
		if a.Error == nil {
			if _, err := objects(a.registry, ""); err == nil && len(a.registry.GetProjects()) > 1 {
				t.Error("two projects are accepted")
			}
			return
		}
		text := a.Error.fault("python", a).Error()
		if strings.Count(text, "\n") > 2 || strings.ContainsAny(text, "\x1b\r\x00") || len(text) > 16<<10 {
			t.Errorf("%q", text)
		}
	})
}
