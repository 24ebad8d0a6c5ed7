package ingest

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/banquet-fs/banquet/stores"
)

// A packed row is a row as it waits to be written, in memory or in a temporary
// file:
//
//	bytes     content
//	 0 to  3  the number of bytes after these four
//	 4 to  7  the length of the key
//	 8 to 19  the event time: seconds since 1970, then nanoseconds
//	20 to 31  the created time
//	32 to 39  its place in the source's order
//	40 to 43  0, or the number of the error for which it has no values
//	44 …      the key, then for each feature the length of its value and the value
//
// Numbers are in the order of the machine's choice, little endian; lengths of
// values are varints.
const packedHead = 44

// moment is a time as it is packed.
type moment struct {
	seconds int64
	nanos   uint32
}

func momentOf(t time.Time) moment { return moment{t.Unix(), uint32(t.Nanosecond())} }

func (m moment) time() time.Time { return time.Unix(m.seconds, int64(m.nanos)).UTC() }

func (m moment) append(dst []byte) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(dst, uint64(m.seconds)), m.nanos)
}

func momentAt(b []byte) moment {
	return moment{int64(binary.LittleEndian.Uint64(b)), binary.LittleEndian.Uint32(b[8:])}
}

// compare is negative if m is earlier.
func (m moment) compare(o moment) int {
	switch {
	case m.seconds != o.seconds:
		return order(m.seconds, o.seconds)
	default:
		return order(m.nanos, o.nanos)
	}
}

func order[T int64 | uint32 | uint64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// packed is a packed row.
type packed []byte

// appendHead begins a packed row; the caller appends the values and calls
// closeRow.
func appendHead(dst, key []byte, event, created moment, place uint64, failed uint32) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(key)))
	dst = created.append(event.append(dst))
	dst = binary.LittleEndian.AppendUint64(dst, place)
	dst = binary.LittleEndian.AppendUint32(dst, failed)
	return append(dst, key...)
}

// closeRow sets the length of the row that begins at start and ends with dst.
func closeRow(dst []byte, start int) {
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
}

// packedAt is the row that begins at a place of a slab.
func packedAt(slab []byte, at int) packed {
	return packed(slab[at : at+4+int(binary.LittleEndian.Uint32(slab[at:]))])
}

func (p packed) key() []byte    { return p[packedHead : packedHead+binary.LittleEndian.Uint32(p[4:])] }
func (p packed) event() moment  { return momentAt(p[8:]) }
func (p packed) failed() uint32 { return binary.LittleEndian.Uint32(p[40:]) }

// value is the value of a feature, by its place.
func (p packed) value(feature int) []byte {
	rest := p[packedHead+len(p.key()):]
	for ; ; feature-- {
		n, w := binary.Uvarint(rest)
		if feature == 0 {
			return rest[w : w+int(n)]
		}
		rest = rest[w+int(n):]
	}
}

// before orders rows of one key, the newest first: by event time, then by created
// time, then by the source's order.
func (p packed) before(o packed) bool {
	if c := momentAt(p[8:]).compare(momentAt(o[8:])); c != 0 {
		return c > 0
	}
	if c := momentAt(p[20:]).compare(momentAt(o[20:])); c != 0 {
		return c > 0
	}
	return binary.LittleEndian.Uint64(p[32:]) < binary.LittleEndian.Uint64(o[32:])
}

// compareRows orders rows by key, and those of one key by before.
func compareRows(a, b packed) int {
	if c := bytes.Compare(a.key(), b.key()); c != 0 {
		return c
	}
	if a.before(b) {
		return -1
	}
	return 1
}

// unpack fills a record, whose slices point into the row, and appends the values
// to memory.
func (p packed) unpack(r *stores.Record, values [][]byte) [][]byte {
	r.Key, r.Event, r.Created = p.key(), p.event().time(), momentAt(p[20:]).time()
	rest := p[packedHead+len(r.Key):]
	from := len(values)
	for len(rest) > 0 {
		n, w := binary.Uvarint(rest)
		end := w + int(n)
		values = append(values, rest[w:end:end])
		rest = rest[end:]
	}
	r.Values = values[from:len(values):len(values)]
	return values
}
