// Package floor serves GetOnlineFeatures from DynamoDB with as little work as possible: the fewest
// BatchGetItem calls (several tables in a call, up to 100 keys), a hand-made request body and signature,
// a scanner that builds no objects, and a response that contains the stored values unchanged.
//
// It is for comparison, not a server: it knows only the benchmark's data set, and has no retries, no
// UnprocessedKeys, no duplicate keys in a request, no authorization and no metrics.
package floor

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"
	"sync"

	"github.com/banquet-fs/banquet/bench/dataset"

	"github.com/twmb/murmur3"
)

var errWire = errors.New("bad request")

// tmpl holds everything that depends only on the list of features; it is cached by the list's bytes.
type tmpl struct {
	views []*tview
	refs  []string
	names []string
	bytab map[string]int
}

type tview struct {
	joinKey string
	table   string
	names   []string
	pos     map[string]int
	base    int
	proj    []byte // ..."ProjectionExpression":...,"ExpressionAttributeNames":{...}
}

var tmpls sync.Map

func template(key []byte, refs func() ([]string, error)) (*tmpl, error) {
	if t, ok := tmpls.Load(string(key)); ok {
		return t.(*tmpl), nil
	}
	rs, err := refs()
	if err != nil {
		return nil, err
	}
	t := &tmpl{bytab: map[string]int{}, refs: rs}
	for _, r := range rs {
		vn, fn := "", r
		for i := range len(r) {
			if r[i] == ':' {
				vn, fn = r[:i], r[i+1:]
				break
			}
		}
		v := dataset.ViewOf(vn)
		if v == nil {
			return nil, errors.New("no view " + vn)
		}
		k, ok := t.bytab[v.Table()]
		if !ok {
			k = len(t.views)
			t.bytab[v.Table()] = k
			t.views = append(t.views, &tview{joinKey: v.JoinKey, table: v.Table(), pos: map[string]int{}, base: len(t.names)})
		}
		tv := t.views[k]
		tv.pos[fn] = len(tv.names)
		tv.names = append(tv.names, fn)
		t.names = append(t.names, fn)
	}
	for _, v := range t.views {
		expr := "#e,#t"
		names := `"#e":"entity_id","#t":"event_ts","#v":"values"`
		for i, n := range v.names {
			k := strconv.Itoa(i)
			expr += ",#v.#" + k
			names += `,"#` + k + `":"` + n + `"`
		}
		v.proj = []byte(`"ProjectionExpression":"` + expr + `","ExpressionAttributeNames":{` + names + "}")
	}
	tmpls.Store(string(key), t)
	return t, nil
}

type keycol struct {
	name  string
	vals  [][]byte // feast.types.Value, wire form
	ids   []byte   // 32 hex bytes each
	rowOf map[string]int32
}

type part struct {
	v      int
	lo, hi int
}

// req is one request and its response.
type req struct {
	t     *tmpl
	rows  int
	cols  []keycol
	col   []int // of each view
	calls [][]part

	cells []cell // [feature*rows+row]
	ts    []int64
	nanos []int32
	text  [][]byte // event time as stored
	found []bool   // [view*rows+row]
	arena [][]byte
}

type cell struct {
	off, n int32 // off 0: absent
	arena  int32
}

func (r *req) plan() error {
	var kb [256]byte
	for i := range r.cols {
		c := &r.cols[i]
		r.rows = len(c.vals)
		c.ids = make([]byte, 32*r.rows)
		c.rowOf = make(map[string]int32, r.rows)
		for k, v := range c.vals {
			b := appendKey(kb[:0], c.name, v)
			if b == nil {
				return errWire
			}
			h1, h2 := murmur3.Sum128(b)
			var raw [16]byte
			binary.LittleEndian.PutUint64(raw[:], h1)
			binary.LittleEndian.PutUint64(raw[8:], h2)
			id := c.ids[32*k : 32*k+32]
			hex.Encode(id, raw[:])
			c.rowOf[string(id)] = int32(k)
		}
	}
	var call []part
	room := 100
	for vi, v := range r.t.views {
		ci := -1
		for i := range r.cols {
			if r.cols[i].name == v.joinKey {
				ci = i
			}
		}
		if ci < 0 {
			return errors.New("missing " + v.joinKey)
		}
		r.col = append(r.col, ci)
		for lo := 0; lo < r.rows; {
			n := min(room, r.rows-lo)
			call = append(call, part{vi, lo, lo + n})
			lo += n
			if room -= n; room == 0 {
				r.calls = append(r.calls, call)
				call, room = nil, 100
			}
		}
	}
	if len(call) > 0 {
		r.calls = append(r.calls, call)
	}
	n := len(r.t.views) * r.rows
	r.cells = make([]cell, len(r.t.names)*r.rows)
	r.ts, r.nanos, r.found, r.text = make([]int64, n), make([]int32, n), make([]bool, n), make([][]byte, n)
	r.arena = make([][]byte, len(r.calls))
	return nil
}

// appendKey is Feast's entity key v3 for one join key, from a Value in wire form.
func appendKey(b []byte, name string, v []byte) []byte {
	le := binary.LittleEndian
	b = le.AppendUint32(b, 1)
	b = le.AppendUint32(b, 2)
	b = le.AppendUint32(b, uint32(len(name)))
	b = append(b, name...)
	if len(v) < 2 {
		return nil
	}
	switch v[0] {
	case 4 << 3:
		x, n := binary.Uvarint(v[1:])
		if n <= 0 {
			return nil
		}
		b = le.AppendUint32(b, 4)
		b = le.AppendUint32(b, 8)
		return le.AppendUint64(b, x)
	case 2<<3 | 2:
		n, k := binary.Uvarint(v[1:])
		if k <= 0 || int(n) != len(v)-1-k {
			return nil
		}
		b = le.AppendUint32(b, 2)
		b = le.AppendUint32(b, uint32(n))
		return append(b, v[1+k:]...)
	}
	return nil
}

// field reads one field of a message: wire type 2 only (others are skipped by the caller's table of messages).
func field(b []byte) (num int, val, rest []byte, ok bool) {
	tag, n := binary.Uvarint(b)
	if n <= 0 {
		return
	}
	b = b[n:]
	switch tag & 7 {
	case 0:
		_, n := binary.Uvarint(b)
		if n <= 0 {
			return
		}
		return int(tag >> 3), b[:n], b[n:], true
	case 2:
		l, n := binary.Uvarint(b)
		if n <= 0 || uint64(len(b)-n) < l {
			return
		}
		return int(tag >> 3), b[n : n+int(l)], b[n+int(l):], true
	}
	return
}

// parseProto reads a GetOnlineFeaturesRequest.
func parseProto(b []byte) (*req, error) {
	r := &req{}
	for len(b) > 0 {
		num, val, rest, ok := field(b)
		if !ok {
			return nil, errWire
		}
		b = rest
		switch num {
		case 2:
			t, err := template(val, func() (rs []string, err error) {
				for v := val; len(v) > 0; {
					_, s, rest, ok := field(v)
					if !ok {
						return nil, errWire
					}
					rs, v = append(rs, string(s)), rest
				}
				return
			})
			if err != nil {
				return nil, err
			}
			r.t = t
		case 3:
			var c keycol
			for len(val) > 0 {
				n, x, rest, ok := field(val)
				if !ok {
					return nil, errWire
				}
				val = rest
				if n == 1 {
					c.name = string(x)
					continue
				}
				c.vals = make([][]byte, 0, 1+len(x)/8)
				for len(x) > 0 {
					_, v, rest, ok := field(x)
					if !ok {
						return nil, errWire
					}
					c.vals, x = append(c.vals, v), rest
				}
			}
			r.cols = append(r.cols, c)
		}
	}
	if r.t == nil || len(r.cols) == 0 {
		return nil, errWire
	}
	return r, r.plan()
}

// parseJSON reads the body of POST /get-online-features.
func parseJSON(b []byte) (*req, error) {
	r := &req{}
	s := &scanner{b: b}
	var terr error
	ok := s.obj(func(k []byte) bool {
		switch string(k) {
		case "features":
			s.ws()
			st := s.i
			if !s.skip() {
				return false
			}
			raw := s.b[st:s.i]
			r.t, terr = template(raw, func() (rs []string, err error) {
				q := &scanner{b: raw}
				if !q.arr(func() bool { v, ok := q.str(); rs = append(rs, string(v)); return ok }) {
					err = errJSON
				}
				return
			})
			return terr == nil
		case "entities":
			return s.obj(func(name []byte) bool {
				c := keycol{name: string(name)}
				o := s.arr(func() bool {
					s.ws()
					if s.i < len(s.b) && s.b[s.i] == '"' {
						v, ok := s.str()
						w := uv([]byte{2<<3 | 2}, uint64(len(v)))
						c.vals = append(c.vals, append(w, v...))
						return ok
					}
					st := s.i
					if !s.skip() {
						return false
					}
					n, err := strconv.ParseInt(string(s.b[st:s.i]), 10, 64)
					c.vals = append(c.vals, uv([]byte{4 << 3}, uint64(n)))
					return err == nil
				})
				r.cols = append(r.cols, c)
				return o
			})
		}
		return s.skip()
	})
	if terr != nil {
		return nil, terr
	}
	if !ok || r.t == nil || len(r.cols) == 0 {
		return nil, errWire
	}
	return r, r.plan()
}
