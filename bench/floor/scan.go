package floor

import (
	"bytes"
	"encoding/base64"
	"errors"
)

var errJSON = errors.New("bad json")

type scanner struct {
	b []byte
	i int
}

func (s *scanner) ws() {
	for s.i < len(s.b) {
		if c := s.b[s.i]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return
		}
		s.i++
	}
}

func (s *scanner) eat(c byte) bool {
	s.ws()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// str returns the raw content of a string (without unescaping: keys and base64 have no escapes).
func (s *scanner) str() ([]byte, bool) {
	if !s.eat('"') {
		return nil, false
	}
	st := s.i
	for {
		k := bytes.IndexByte(s.b[s.i:], '"')
		if k < 0 {
			return nil, false
		}
		s.i += k + 1
		// count backslashes before
		e := s.i - 1
		n := 0
		for e-1-n >= st && s.b[e-1-n] == '\\' {
			n++
		}
		if n%2 == 0 {
			return s.b[st:e], true
		}
	}
}

func (s *scanner) skip() bool {
	s.ws()
	if s.i >= len(s.b) {
		return false
	}
	switch s.b[s.i] {
	case '"':
		_, ok := s.str()
		return ok
	case '{', '[':
		d := 0
		for s.i < len(s.b) {
			switch s.b[s.i] {
			case '"':
				if _, ok := s.str(); !ok {
					return false
				}
				continue
			case '{', '[':
				d++
			case '}', ']':
				d--
				if d == 0 {
					s.i++
					return true
				}
			}
			s.i++
		}
		return false
	default:
		for s.i < len(s.b) {
			switch s.b[s.i] {
			case ',', '}', ']', ' ', '\n':
				return true
			}
			s.i++
		}
		return true
	}
}

// obj calls f for each member.
func (s *scanner) obj(f func(k []byte) bool) bool {
	if !s.eat('{') {
		return false
	}
	if s.eat('}') {
		return true
	}
	for {
		k, ok := s.str()
		if !ok || !s.eat(':') || !f(k) {
			return false
		}
		if s.eat(',') {
			continue
		}
		return s.eat('}')
	}
}

// arr calls f at each element.
func (s *scanner) arr(f func() bool) bool {
	if !s.eat('[') {
		return false
	}
	if s.eat(']') {
		return true
	}
	for {
		if !f() {
			return false
		}
		if s.eat(',') {
			continue
		}
		return s.eat(']')
	}
}

// taggedPlain is tagged without spaces, which is how stores write it.
func (s *scanner) taggedPlain() ([]byte, bool) {
	b := s.b[s.i:]
	if len(b) <= 6 || b[0] != '{' || b[1] != '"' || b[3] != '"' || b[4] != ':' || b[5] != '"' {
		return nil, false
	}
	k := bytes.IndexByte(b[6:], '"')
	if k < 0 || len(b) <= 7+k || b[7+k] != '}' {
		return nil, false
	}
	s.i += 8 + k
	return b[6 : 6+k], true
}

// tagged reads {"S":"..."} or {"B":"..."}.
func (s *scanner) tagged() (val []byte, ok bool) {
	if val, ok := s.taggedPlain(); ok {
		return val, true
	}
	if !s.eat('{') {
		return
	}
	k, o := s.str()
	if !o || len(k) != 1 || !s.eat(':') {
		return
	}
	v, o := s.str()
	if !o || !s.eat('}') {
		return
	}
	return v, true
}

// responseScan reads one BatchGetItem response.
type responseScan struct {
	scanner
	r     *req
	call  int32
	arena []byte // decoded values; its first byte stays unused, since a cell at 0 is absent
	left  bool   // there are unprocessed keys
	// of the table being read
	view  *tview
	at    int              // the view's index
	row   map[string]int32 // entity id to row
	order [256]int16       // feature at each position of the last item
	// of the item being read
	cells [256]cell
}

// scan reads one BatchGetItem response.
func (r *req) scan(call int, body []byte) error {
	s := &responseScan{scanner: scanner{b: body}, r: r, call: int32(call), arena: make([]byte, 1, base64.StdEncoding.DecodedLen(len(body))/2)}
	ok := s.obj(func(k []byte) bool {
		switch string(k) {
		case "Responses":
			return s.obj(s.table)
		case "UnprocessedKeys":
			s.ws()
			st := s.i
			o := s.skip()
			s.left = s.i-st > len("{}")
			return o
		}
		return s.skip()
	})
	r.arena[call] = s.arena
	if !ok {
		return errJSON
	}
	if s.left {
		return errors.New("unprocessed keys")
	}
	return nil
}

func (s *responseScan) table(name []byte) bool {
	at, known := s.r.t.bytab[string(name)]
	if !known {
		return s.skip()
	}
	s.at, s.view = at, s.r.t.views[at]
	s.row = s.r.cols[s.r.col[at]].rowOf
	clear(s.order[:])
	return s.arr(s.item)
}

func (s *responseScan) item() bool {
	row := int32(-1)
	var ts []byte
	clear(s.cells[:len(s.view.names)])
	ok := s.obj(func(k []byte) bool {
		switch string(k) {
		case "entity_id":
			val, o := s.tagged()
			if rr, found := s.row[string(val)]; found {
				row = rr
			}
			return o
		case "event_ts":
			val, o := s.tagged()
			ts = val
			return o
		case "values":
			return s.values()
		}
		return s.skip()
	})
	if !ok || row < 0 {
		return ok
	}
	ix := s.at*s.r.rows + int(row)
	s.r.found[ix] = true
	if s.r.text[ix] = append([]byte(nil), ts...); !s.r.parseTS(ix) {
		return false
	}
	for f := range s.view.names {
		s.r.cells[(s.view.base+f)*s.r.rows+int(row)] = s.cells[f]
	}
	return true
}

// values reads {"M":{...}}. All items of a table have the same order of features, so
// the order of the last item is tried first.
func (s *responseScan) values() bool {
	if !s.eat('{') {
		return false
	}
	if m, o := s.str(); !o || string(m) != "M" || !s.eat(':') {
		return false
	}
	place := 0
	o := s.obj(func(name []byte) bool {
		val, o := s.tagged()
		if !o {
			return false
		}
		f := int(s.order[place])
		if s.view.names[f] != string(name) {
			p, known := s.view.pos[string(name)]
			if !known {
				return true
			}
			f = p
			s.order[place] = int16(p)
		}
		if place < len(s.order)-1 {
			place++
		}
		return s.decode(f, val)
	})
	return o && s.eat('}')
}

func (s *responseScan) decode(f int, val []byte) bool {
	off := len(s.arena)
	need := base64.StdEncoding.DecodedLen(len(val))
	if cap(s.arena)-off < need {
		s.arena = append(s.arena, make([]byte, need)...)[:off]
	}
	n, err := base64.StdEncoding.Decode(s.arena[off:off+need], val)
	if err != nil {
		return false
	}
	s.arena = s.arena[:off+n]
	s.cells[f] = cell{int32(off), int32(n), s.call}
	return true
}

func two(b []byte) int { return int(b[0]-'0')*10 + int(b[1]-'0') }

// parseTS reads "2006-01-02 15:04:05[.ffffff]+00:00".
func (r *req) parseTS(ix int) bool {
	b := r.text[ix]
	if len(b) != 25 && len(b) != 32 {
		return false
	}
	y, m, d := two(b)*100+two(b[2:]), two(b[5:]), two(b[8:])
	if m <= 2 {
		y--
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*((m+9)%12)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	r.ts[ix] = int64(era*146097+doe-719468)*86400 + int64(two(b[11:])*3600+two(b[14:])*60+two(b[17:]))
	if len(b) == 32 {
		r.nanos[ix] = int32(two(b[20:])*10000+two(b[22:])*100+two(b[24:])) * 1000
	}
	return true
}
