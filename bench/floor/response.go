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

// wire writes the response message in its wire format; stored values are copied unchanged.
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
	times := make([]byte, 0, rows*16)
	for vi, v := range r.t.views {
		times = r.wireTimes(times[:0], vi)
		for f := range v.names {
			out = r.wireColumn(out, r.cells[(v.base+f)*rows:(v.base+f+1)*rows], times)
		}
	}
	return out
}

// wireTimes appends the event times of a view: the same for all its columns.
func (r *req) wireTimes(out []byte, view int) []byte {
	for ix := view * r.rows; ix < (view+1)*r.rows; ix++ {
		if !r.found[ix] {
			out = append(out, 3<<3|2, 0)
			continue
		}
		s, ns := uint64(r.ts[ix]), uint64(r.nanos[ix])
		l := 1 + uvLen(s)
		if ns > 0 {
			l += 1 + uvLen(ns)
		}
		out = append(out, 3<<3|2, byte(l), 1<<3)
		out = uv(out, s)
		if ns > 0 {
			out = append(out, 2<<3)
			out = uv(out, ns)
		}
	}
	return out
}

// wireColumn appends one column.
func (r *req) wireColumn(out []byte, cells []cell, times []byte) []byte {
	size := len(times) + 1 + uvLen(uint64(r.rows)) + r.rows
	for _, c := range cells {
		size += 1 + uvLen(uint64(c.n)) + int(c.n)
	}
	out = append(out, 2<<3|2)
	out = uv(out, uint64(size))
	for _, c := range cells {
		out = append(out, 1<<3|2)
		out = uv(out, uint64(c.n))
		if c.n > 0 {
			out = append(out, r.arena[c.arena][c.off:c.off+c.n]...)
		}
	}
	out = append(out, 2<<3|2)
	out = uv(out, uint64(r.rows))
	for _, c := range cells {
		if c.off == 0 {
			out = append(out, 3)
		} else {
			out = append(out, 1)
		}
	}
	return append(out, times...)
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

const epoch = `"1970-01-01T00:00:00Z"`

// json writes the response of POST /get-online-features.
func (r *req) json() []byte {
	rows := r.rows
	out := make([]byte, 0, 256+(len(r.t.names)+len(r.cols))*(64+rows*56))
	out = append(out, `{"results":[`...)
	for i := range r.cols {
		if i > 0 {
			out = append(out, ',')
		}
		out = r.jsonKeys(out, r.cols[i].vals)
	}
	times := make([]byte, 0, rows*32)
	for vi, v := range r.t.views {
		times = r.jsonTimes(times[:0], vi)
		for f := range v.names {
			out = r.jsonColumn(out, r.cells[(v.base+f)*rows:(v.base+f+1)*rows])
			out = append(out, times...)
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

// jsonKeys appends the column of a join key.
func (r *req) jsonKeys(out []byte, values [][]byte) []byte {
	out = append(out, `{"values":[`...)
	for k, v := range values {
		if k > 0 {
			out = append(out, ',')
		}
		out = value(out, v)
	}
	out = append(out, `],"statuses":[`...)
	for k := range r.rows {
		if k > 0 {
			out = append(out, ',')
		}
		out = append(out, `"PRESENT"`...)
	}
	out = append(out, `],"event_timestamps":[`...)
	for k := range r.rows {
		if k > 0 {
			out = append(out, ',')
		}
		out = append(out, epoch...)
	}
	return append(out, "]}"...)
}

// jsonTimes appends the end of a view's columns: the same for all of them.
func (r *req) jsonTimes(out []byte, view int) []byte {
	out = append(out, `],"event_timestamps":[`...)
	for k, t := range r.text[view*r.rows : (view+1)*r.rows] {
		if k > 0 {
			out = append(out, ',')
		}
		if t == nil {
			out = append(out, epoch...)
			continue
		}
		out = append(out, '"')
		out = append(out, t[:10]...)
		out = append(out, 'T')
		e := len(t) - 6
		if e == 26 && string(t[23:26]) == "000" {
			e = 23
		}
		out = append(out, t[11:e]...)
		out = append(out, 'Z', '"')
	}
	return append(out, "]}"...)
}

// jsonColumn appends the values and statuses of a column.
func (r *req) jsonColumn(out []byte, cells []cell) []byte {
	out = append(out, `,{"values":[`...)
	for k, c := range cells {
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
	for k, c := range cells {
		if k > 0 {
			out = append(out, ',')
		}
		if c.off == 0 {
			out = append(out, `"NOT_FOUND"`...)
		} else {
			out = append(out, `"PRESENT"`...)
		}
	}
	return out
}
