package value_test

import (
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/value"
)

// A key is shown with the names and values of its join keys, in the caller's
// order, whatever the version of the keys.
func TestKeyText(t *testing.T) {
	for version := range 4 {
		l := value.NewKeyLayout(version, []string{"zone", "at", "driver", "raw"})
		key, err := l.Append(nil, [][]byte{
			value.AppendString(nil, "a \"b\" "+strings.Repeat("가", 40)), value.AppendUnixTimestamp(nil, 1704067200), value.AppendInt64(nil, -7), value.AppendBytes(nil, []byte{1, 0xab}),
		})
		if err != nil {
			t.Fatal(err)
		}
		want := `zone=a "b" ` + strings.Repeat("가", 18) + `... at=2024-01-01T00:00:00Z driver=-7 raw=0x01ab`
		if got := l.Text(key); got != want {
			t.Errorf("version %d: %s", version, got)
		}
		for _, bad := range [][]byte{nil, key[:len(key)-1], key[1:], append(append([]byte{}, key...), 0)} {
			if got := l.Text(bad); !strings.HasPrefix(got, "the key ") {
				t.Errorf("version %d, %x: %s", version, bad, got)
			}
		}
	}
}

// Line breaks, and bytes that are not text, are shown as escapes.
func TestKeyTextStaysOnItsLine(t *testing.T) {
	l := value.NewKeyLayout(3, []string{"zone"})
	for text, want := range map[string]string{"a\nb\x00": `zone="a\nb\x00"`, "a\xff": `zone="a\xff"`, "": "zone="} {
		key, err := l.Append(nil, [][]byte{value.AppendString(nil, text)})
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Text(key); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func FuzzKeyText(f *testing.F) {
	l := value.NewKeyLayout(3, []string{"b", "a"})
	key, err := l.Append(nil, [][]byte{value.AppendString(nil, "x"), value.AppendInt64(nil, 1)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(key)
	f.Fuzz(func(t *testing.T, key []byte) {
		if text := l.Text(key); len(text) > 1000 {
			t.Errorf("%d bytes of text", len(text))
		}
	})
}
