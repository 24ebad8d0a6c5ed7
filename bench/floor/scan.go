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

// str returns the raw inside of a string (escapes are left: keys and base64 here have none).
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

// tagged reads {"S":"..."} or {"B":"..."}.
func (s *scanner) tagged() (val []byte, ok bool) {
	// fast path, no spaces
	if b := s.b[s.i:]; len(b) > 6 && b[0] == '{' && b[1] == '"' && b[3] == '"' && b[4] == ':' && b[5] == '"' {
		if k := bytes.IndexByte(b[6:], '"'); k >= 0 && len(b) > 7+k && b[7+k] == '}' {
			s.i += 8 + k
			return b[6 : 6+k], true
		}
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

// scan takes one BatchGetItem answer in.
func (r *req) scan(call int, body []byte) error {
	s := &scanner{b: body}
	arena := make([]byte, 1, base64.StdEncoding.DecodedLen(len(body))/2)
	unproc := false
	rows := r.rows
	var pd [256]cell
	var order [256]int16 // feature at each place of the last item
	ok := s.obj(func(k []byte) bool {
		switch string(k) {
		case "Responses":
			return s.obj(func(t []byte) bool {
				vi, known := r.t.bytab[string(t)]
				if !known {
					return s.skip()
				}
				v := r.t.views[vi]
				rowOf := r.cols[r.col[vi]].rowOf
				clear(order[:])
				return s.arr(func() bool {
					row := int32(-1)
					var ts []byte
					clear(pd[:len(v.names)])
					o := s.obj(func(k []byte) bool {
						switch string(k) {
						case "entity_id":
							val, o := s.tagged()
							if rr, found := rowOf[string(val)]; found {
								row = rr
							}
							return o
						case "event_ts":
							val, o := s.tagged()
							ts = val
							return o
						case "values":
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
								f := int(order[place])
								if v.names[f] != string(name) {
									p, known := v.pos[string(name)]
									if !known {
										return true
									}
									f = p
									order[place] = int16(p)
								}
								if place < len(order)-1 {
									place++
								}
								off := len(arena)
								need := base64.StdEncoding.DecodedLen(len(val))
								if cap(arena)-off < need {
									arena = append(arena, make([]byte, need)...)[:off]
								}
								n, err := base64.StdEncoding.Decode(arena[off:off+need], val)
								if err != nil {
									return false
								}
								arena = arena[:off+n]
								pd[f] = cell{int32(off), int32(n), int32(call)}
								return true
							})
							return o && s.eat('}')
						}
						return s.skip()
					})
					if !o {
						return false
					}
					if row >= 0 {
						ix := vi*rows + int(row)
						r.found[ix] = true
						if r.text[ix] = append([]byte(nil), ts...); !r.parseTS(ix) {
							return false
						}
						for f := range v.names {
							r.cells[(v.base+f)*rows+int(row)] = pd[f]
						}
					}
					return true
				})
			})
		case "UnprocessedKeys":
			s.ws()
			st := s.i
			o := s.skip()
			unproc = s.i-st > 2
			return o
		}
		return s.skip()
	})
	r.arena[call] = arena
	if !ok {
		return errJSON
	}
	if unproc {
		return errors.New("unprocessed keys")
	}
	return nil
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
