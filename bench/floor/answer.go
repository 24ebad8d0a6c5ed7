package floor

import (
	"encoding/binary"
	"math"
	"strconv"
)

func uv(b []byte, x uint64) []byte { return binary.AppendUvarint(b, x) }

func uvLen(x uint64) int {
	n := 1
	for x >= 0x80 {
		x >>= 7
		n++
	}
	return n
}

// wire writes the response message straight in its wire form; stored values go in as they are.
func (r *req) wire() []byte {
	rows := r.rows
	n, total := 0, 0
	for i := range r.cols {
		k := len(r.cols[i].name)
		n += 1 + uvLen(uint64(k)) + k
	}
	for _, k := range r.t.names {
		n += 1 + uvLen(uint64(len(k))) + len(k)
	}
	for _, a := range r.arena {
		total += len(a)
	}
	out := make([]byte, 0, n+total+(len(r.t.names)+len(r.cols))*(rows*20+32))
	out = append(out, 1<<3|2)
	out = uv(out, uint64(1+uvLen(uint64(n))+n))
	out = append(out, 1<<3|2)
	out = uv(out, uint64(n))
	for i := range r.cols {
		out = append(out, 1<<3|2)
		out = uv(out, uint64(len(r.cols[i].name)))
		out = append(out, r.cols[i].name...)
	}
	for _, k := range r.t.names {
		out = append(out, 1<<3|2)
		out = uv(out, uint64(len(k)))
		out = append(out, k...)
	}
	for i := range r.cols {
		size := 1 + uvLen(uint64(rows)) + rows + 2*rows
		for _, v := range r.cols[i].vals {
			size += 1 + uvLen(uint64(len(v))) + len(v)
		}
		out = append(out, 2<<3|2)
		out = uv(out, uint64(size))
		for _, v := range r.cols[i].vals {
			out = append(out, 1<<3|2)
			out = uv(out, uint64(len(v)))
			out = append(out, v...)
		}
		out = append(out, 2<<3|2)
		out = uv(out, uint64(rows))
		for range rows {
			out = append(out, 1)
		}
		for range rows {
			out = append(out, 3<<3|2, 0)
		}
	}
	tsb := make([]byte, 0, rows*16)
	for vi, v := range r.t.views {
		tsb = tsb[:0]
		for k := range rows {
			ix := vi*rows + k
			if !r.found[ix] {
				tsb = append(tsb, 3<<3|2, 0)
				continue
			}
			s, ns := uint64(r.ts[ix]), uint64(r.nanos[ix])
			l := 1 + uvLen(s)
			if ns > 0 {
				l += 1 + uvLen(ns)
			}
			tsb = append(tsb, 3<<3|2, byte(l), 1<<3)
			tsb = uv(tsb, s)
			if ns > 0 {
				tsb = append(tsb, 2<<3)
				tsb = uv(tsb, ns)
			}
		}
		for f := range v.names {
			cs := r.cells[(v.base+f)*rows : (v.base+f+1)*rows]
			size := len(tsb) + 1 + uvLen(uint64(rows)) + rows
			for _, c := range cs {
				size += 1 + uvLen(uint64(c.n)) + int(c.n)
			}
			out = append(out, 2<<3|2)
			out = uv(out, uint64(size))
			for _, c := range cs {
				out = append(out, 1<<3|2)
				out = uv(out, uint64(c.n))
				if c.n > 0 {
					out = append(out, r.arena[c.arena][c.off:c.off+c.n]...)
				}
			}
			out = append(out, 2<<3|2)
			out = uv(out, uint64(rows))
			for _, c := range cs {
				if c.off == 0 {
					out = append(out, 3)
				} else {
					out = append(out, 1)
				}
			}
			out = append(out, tsb...)
		}
	}
	return out
}

func quote(b []byte, s []byte) []byte {
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

func float(b []byte, f float64, bits int) []byte {
	n := len(b)
	b = strconv.AppendFloat(b, f, 'g', -1, bits)
	for _, c := range b[n:] {
		if c == '.' || c == 'e' {
			return b
		}
	}
	return append(b, '.', '0')
}

// value renders a Value in wire form as JSON.
func value(b, w []byte) []byte {
	if len(w) < 2 {
		return append(b, "null"...)
	}
	switch w[0] {
	case 4 << 3:
		x, _ := binary.Uvarint(w[1:])
		return strconv.AppendInt(b, int64(x), 10)
	case 2<<3 | 2:
		_, n := binary.Uvarint(w[1:])
		return quote(b, w[1+n:])
	case 5<<3 | 1:
		return float(b, math.Float64frombits(binary.LittleEndian.Uint64(w[1:])), 64)
	case 6<<3 | 5:
		return float(b, float64(math.Float32frombits(binary.LittleEndian.Uint32(w[1:]))), 64)
	case 7 << 3:
		return strconv.AppendBool(b, w[1] != 0)
	}
	return append(b, "null"...)
}

// JSON writes the answer of POST /get-online-features.
func (r *req) json() []byte {
	rows := r.rows
	out := make([]byte, 0, 256+(len(r.t.names)+len(r.cols))*(64+rows*56))
	out = append(out, `{"results":[`...)
	epoch := []byte(`"1970-01-01T00:00:00Z"`)
	for i := range r.cols {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"values":[`...)
		for k, v := range r.cols[i].vals {
			if k > 0 {
				out = append(out, ',')
			}
			out = value(out, v)
		}
		out = append(out, `],"statuses":[`...)
		for k := range rows {
			if k > 0 {
				out = append(out, ',')
			}
			out = append(out, `"PRESENT"`...)
		}
		out = append(out, `],"event_timestamps":[`...)
		for k := range rows {
			if k > 0 {
				out = append(out, ',')
			}
			out = append(out, epoch...)
		}
		out = append(out, "]}"...)
	}
	tsb := make([]byte, 0, rows*32)
	for vi, v := range r.t.views {
		tsb = append(tsb[:0], `],"event_timestamps":[`...)
		for k := range rows {
			if k > 0 {
				tsb = append(tsb, ',')
			}
			t := r.text[vi*rows+k]
			if t == nil {
				tsb = append(tsb, epoch...)
				continue
			}
			tsb = append(tsb, '"')
			tsb = append(tsb, t[:10]...)
			tsb = append(tsb, 'T')
			e := len(t) - 6
			if e == 26 && string(t[23:26]) == "000" {
				e = 23
			}
			tsb = append(tsb, t[11:e]...)
			tsb = append(tsb, 'Z', '"')
		}
		tsb = append(tsb, "]}"...)
		for f := range v.names {
			cs := r.cells[(v.base+f)*rows : (v.base+f+1)*rows]
			out = append(out, `,{"values":[`...)
			for k, c := range cs {
				if k > 0 {
					out = append(out, ',')
				}
				if c.n == 0 {
					out = append(out, "null"...)
				} else {
					out = value(out, r.arena[c.arena][c.off:c.off+c.n])
				}
			}
			out = append(out, `],"statuses":[`...)
			for k, c := range cs {
				if k > 0 {
					out = append(out, ',')
				}
				if c.off == 0 {
					out = append(out, `"NOT_FOUND"`...)
				} else {
					out = append(out, `"PRESENT"`...)
				}
			}
			out = append(out, tsb...)
		}
	}
	out = append(out, `],"metadata":{"feature_names":[`...)
	for i := range r.cols {
		if i > 0 {
			out = append(out, ',')
		}
		out = quote(out, []byte(r.cols[i].name))
	}
	for _, n := range r.t.names {
		out = append(out, ',', '"')
		out = append(out, n...)
		out = append(out, '"')
	}
	return append(out, "]}}"...)
}
