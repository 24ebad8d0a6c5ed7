package transform

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// FuzzText compiles and runs any text: it must end, within its bounds and without a
// panic, and every error must be a fault.
func FuzzText(f *testing.F) {
	files, err := filepath.Glob("testdata/corpus/*.py")
	if err != nil || len(files) == 0 {
		f.Fatal("there is no corpus", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), uint8(0))
		f.Add(string(text), uint8(1))
	}
	for _, text := range hostile {
		for mode := range uint8(3) {
			f.Add(text, mode)
		}
	}
	f.Fuzz(func(t *testing.T, text string, mode uint8) {
		begin := time.Now()
		names := []string{"pandas", "python", "python"}
		v := view(names[mode%3], text, corpusInputs, nil, []Field{{"o", corpusInputs[0].Type}})
		v.Spec.Singleton = mode%3 == 2
		p, err := Compile(v, []Field{{"key", corpusInputs[0].Type}})
		if err == nil {
			b := p.Acquire(3)
			if err = p.Run(t.Context(), b); err == nil {
				_, err = b.AppendValue(nil, 0, 1)
			}
			p.Release(b)
		}
		if err != nil && fault.KindOf(err) == fault.Internal {
			t.Errorf("%q: %v", text, err)
		}
		if d := time.Since(begin); d > 20*time.Second {
			t.Errorf("%q takes %v", text, d)
		}
	})
}

// hostile are texts that want to run for ever, or to fill the memory.
var hostile = []string{
	"def fn(i):\n    while True:\n        pass\n",
	"def fn(i):\n    x = [1]\n    while True:\n        x = x + x\n",
	"def fn(i):\n    x = 'a'\n    while True:\n        x = x + x\n",
	"def fn(i):\n    x = 'a' * 1000000\n    return {'o': [x * 1000000]}\n",
	"def fn(i):\n    return fn(i)\n",
	"def fn(i):\n    return {'o': [a ** 99999999 for a in [3]]}\n",
	"def fn(i):\n    x = []\n    x.append(x)\n    return {'o': x == x}\n",
	"def fn(i):\n    x = []\n    x.append(x)\n    return {'o': [str(x)]}\n",
	"def fn(i):\n    d = {}\n    d['o'] = d\n    return d\n",
	"def fn(i):\n    x = [0]\n    for v in x:\n        x.append(v)\n    return {'o': x}\n",
	"def fn(i):\n    return {'o': [0 for a in range(1000000) for b in range(1000000)]}\n",
	"def fn(i):\n    f = lambda g: g(g)\n    return {'o': f(f)}\n",
	"def fn(i):\n    df = pd.DataFrame()\n    df['o'] = i['a']\n    for k in range(100000):\n        df[str(k)] = df['o']\n    return df\n",
	"def fn(i):\n    i.loc[i['a'] > 1, 'a'] = 2\n    return i\n",
	"def fn(i):\n    x = i['a']\n    for k in range(1000000):\n        x = x + x\n    return pd.DataFrame({'o': x})\n",
	"def fn(i):\n    return {'o': f'{1:>99999999}'}\n",
	"def fn(i):\n    return {'o': 'a'.zfill(10**12)}\n",
	"def fn(i):\n    return {'o': 'a'.replace('', 'b' * 100000).replace('', 'c' * 100000)}\n",
	"def fn(i):\n    return {'o': [list(range(1000000)) for k in range(1000000)]}\n",
}

// FuzzValue gives any bytes as a stored value: they are a cell or an error.
func FuzzValue(f *testing.F) {
	for i := range 4 {
		for _, in := range corpusInputs {
			f.Add(sample(in.Type, i))
		}
	}
	f.Add([]byte{0x72, 0x02, 0x0a, 0x00})
	f.Add([]byte{0x5a, 0x05, 0x0a, 0x03, 'a', 'b', 'c'})
	text := "def fn(i):\n    return {\"o\": [str(v) for v in i[\"a\"]]}\n"
	p, err := Compile(view("python", text, corpusInputs, nil, []Field{{"o", types.ValueType_STRING}}), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		b := p.Acquire(2)
		defer p.Release(b)
		if b.SetValue(0, 1, v) != nil {
			return
		}
		if err := p.Run(t.Context(), b); err != nil {
			return
		}
		if _, err := b.AppendValue(nil, 0, 1); err != nil {
			t.Errorf("%x: %v", v, err)
		}
	})
}

// FuzzReaders gives any texts to the readers of times, formats, JSON and regular expressions:
// each ends with a value or a failure that says why.
func FuzzReaders(f *testing.F) {
	for _, s := range []string{"2024-01-02T03:04:05.123456789+01:00", "2024-02-30", "%Y-%m-%d %H:%M:%S.%f", `{"a": [1, -0, 2.5e300, "é😀"], "a": null}`, `([a-z]+)\d*|^x$`, `\g<1>\2`, "nan", ""} {
		f.Add(s, "2024-01-02 a1")
	}
	f.Fuzz(func(t *testing.T, x, y string) {
		m := &machine{ctx: t.Context(), budget: 1 << 20, limit: 1 << 26}
		failed := func(err error) {
			var raised *failure
			if err != nil && !errors.As(err, &raised) {
				t.Errorf("%q, %q: %v", x, y, err)
			}
		}
		if w, ok := isoTime(x); ok {
			v, err := w.value(true)
			failed(err)
			if again, ok := isoTime(strTime(v)); err == nil && v.i > 0 && (!ok || again.unix != v.i/1_000_000) {
				t.Errorf("%q is written as %q", x, strTime(v))
			}
		}
		format, err := parseFormat(x)
		failed(err)
		if err == nil {
			_, err = format.read(textVal(y))
			failed(err)
		}
		_, err = strftime(946684800000000, x, "UTC")
		failed(err)
		v, err := jsonLoads(m, &args{pos: []val{textVal(x)}})
		failed(err)
		if err == nil {
			_, err = jsonDumps(m, &args{pos: []val{v}})
			failed(err)
		}
		p, err := m.pattern(x, anywhere, false)
		failed(err)
		if err != nil {
			return
		}
		_, err = p.find(y)
		failed(err)
		with, err := p.parseTemplate(y)
		failed(err)
		if err == nil {
			_, err = p.sub(y, with, -1)
			failed(err)
		}
	})
}
