package postgres

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

// texts collects the elements of an array's text; a null is "∅".
func texts(text string, delimiter byte) (out []string, err error) {
	err = eachText([]byte(text), delimiter, func(e []byte) error {
		if e == nil {
			out = append(out, "∅")
			return nil
		}
		out = append(out, string(e))
		return nil
	})
	return out, err
}

func TestArrayText(t *testing.T) {
	for _, c := range []struct {
		text      string
		delimiter byte
		want      []string
	}{
		{"{}", ',', nil},
		{"[1:0]={}", ',', nil},
		{"{a}", ',', []string{"a"}},
		{"{a,NULL,b}", ',', []string{"a", "∅", "b"}},
		{`{"NULL",null,""}`, ',', []string{"NULL", "null", ""}},
		{`{"a,b","\"","\\","{}"}`, ',', []string{"a,b", `"`, `\`, "{}"}},
		{"{(1,2),(3,4);(5,6),(7,8)}", ';', []string{"(1,2),(3,4)", "(5,6),(7,8)"}},
		{"[-2:0]={1,2,3}", ',', []string{"1", "2", "3"}},
		{`{"a b",é}`, ',', []string{"a b", "é"}},
	} {
		got, err := texts(c.text, c.delimiter)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, %v, want %q", c.text, got, err, c.want)
		}
	}
	for _, text := range []string{"", "{", "}", "a", "{a", "{a,}", "{,a}", "{,}", `{"a}`, `{"a"b}`, `{a"b"}`, `{a\`, "{a}b", "{a,{b}}", "[1:2]", "[1:2]=", "{a}}", `{"a",}`} {
		if got, err := texts(text, ','); !errors.Is(err, errArrayText) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"{{a},{b}}", "{{{a}}}", "[1:1][2:3]={{a,b}}"} {
		if got, err := texts(text, ','); err == nil || errors.Is(err, errArrayText) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func FuzzArrayText(f *testing.F) {
	for _, seed := range []string{"{}", `{a,"b\"c",NULL}`, "[0:1]={1,2}", "{{1}}", `{"\`, "[", "{a;b}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := texts(text, ',')
		if err != nil {
			return
		}
		// What was read is read again from the text that PostgreSQL would write
		// for it.
		quoted := make([]string, len(first))
		for i, e := range first {
			quoted[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(e) + `"`
			if e == "∅" {
				quoted[i] = "NULL"
			}
		}
		second, err := texts("{"+strings.Join(quoted, ",")+"}", ',')
		if err != nil || !slices.Equal(first, second) {
			t.Errorf("%q is read as %q, and again as %q, %v", text, first, second, err)
		}
	})
}

func FuzzArrayBinary(f *testing.F) {
	array := func(words ...uint32) (b []byte) {
		for _, w := range words {
			b = binary.BigEndian.AppendUint32(b, w)
		}
		return b
	}
	f.Add(array(0, 0, 23))
	f.Add(array(1, 0, 23, 2, 1, 4, 7, 0xffffffff))
	f.Add(array(1, 1, 23, 0xffffffff, 1))
	f.Add(array(1, 1, 23, 1, 1, 0x7fffffff))
	f.Add(array(0xffffffff, 1, 23))
	f.Fuzz(func(t *testing.T, raw []byte) {
		n, size := 0, 0
		err := eachElement(raw, func(v []byte) error {
			n++
			size += len(v)
			return nil
		})
		if size > len(raw) || 4*n > len(raw) {
			t.Errorf("%d elements of %d bytes in %d bytes, %v", n, size, len(raw), err)
		}
	})
}
