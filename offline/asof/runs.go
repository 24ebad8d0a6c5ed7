package asof

import (
	"bytes"
	"context"
	"encoding/binary"
	"iter"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/banquet-fs/banquet/fault"
)

// appendOrder appends a moment in the form of order: bytes that sort as event
// times do, and moments of one time as their keys do.
func appendOrder(dst []byte, at instant, key []byte, keys int) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(at.seconds)^1<<63)
	dst = binary.BigEndian.AppendUint32(dst, uint32(at.nanos))
	if keys == 1 {
		return appendOrderOf(dst, key)
	}
	for len(key) > 0 {
		n := binary.LittleEndian.Uint32(key)
		dst = appendOrderOf(dst, key[4:4+n])
		key = key[4+n:]
	}
	return dst
}

// appendOrderOf appends a Value: numbers sort as numbers, texts and all others by
// their bytes.
func appendOrderOf(dst, encoded []byte) []byte {
	_, wire, n := protowire.ConsumeTag(encoded)
	if n < 0 {
		return appendText(dst, encoded)
	}
	switch rest := encoded[n:]; wire {
	case protowire.VarintType:
		v, _ := protowire.ConsumeVarint(rest)
		return binary.BigEndian.AppendUint64(dst, v^1<<63)
	case protowire.Fixed64Type:
		v, _ := protowire.ConsumeFixed64(rest)
		return binary.BigEndian.AppendUint64(dst, orderOfFloat(v, 1<<63))
	case protowire.Fixed32Type:
		v, _ := protowire.ConsumeFixed32(rest)
		return binary.BigEndian.AppendUint32(dst, uint32(orderOfFloat(uint64(v), 1<<31)))
	case protowire.BytesType:
		v, _ := protowire.ConsumeBytes(rest)
		return appendText(dst, v)
	}
	return appendText(dst, encoded)
}

// orderOfFloat turns the bits of a float into a number of the same order.
func orderOfFloat(bits, sign uint64) uint64 {
	if bits&sign != 0 {
		return ^bits & (sign<<1 - 1)
	}
	return bits | sign
}

// appendText appends a text so that what follows does not count before its end.
func appendText(dst, text []byte) []byte {
	for _, c := range text {
		if dst = append(dst, c); c == 0 {
			dst = append(dst, 0xff)
		}
	}
	return append(dst, 0, 0)
}

// sorted is a shelf of moments in order.
type sorted struct {
	shelf  *shelf
	orders *texts[int32] // the first column
}

// newRun makes a shelf for the moments of a schema, of which some bytes stay in
// memory.
func newRun(schema *arrow.Schema, stays int64, dir string) sorted {
	fields := schema.Fields()
	fields = append([]arrow.Field{{Name: "order", Type: arrow.BinaryTypes.Binary}}, fields[:len(fields)-1]...)
	s := newShelf(fields, stays, dir)
	orders := &texts[int32]{of: arrow.BinaryTypes.Binary, most: math.MaxInt32}
	s.sinks[0] = orders
	return sorted{s, orders}
}

// added counts n moments that are in the sinks now.
func (s sorted) added(n int) error {
	if err := s.shelf.added(n); err != nil {
		return err
	}
	return s.shelf.trim()
}

// cursor is a place in a run.
type cursor struct {
	columns []arrow.ArrayData
	orders  []int32 // offsets
	texts   []byte
	rows    int
	row     int
	next    func() (block []arrow.ArrayData, rows int, ok bool)
}

func (c *cursor) order() []byte { return c.texts[c.orders[c.row]:c.orders[c.row+1]] }

// advance goes to the next row; false at the end.
func (c *cursor) advance() bool {
	c.row++
	for c.row >= c.rows {
		var ok bool
		if c.columns, c.rows, ok = c.next(); !ok {
			return false
		}
		c.row, c.orders, c.texts = 0, offsetsOf[int32](c.columns[0]), c.columns[0].Buffers()[2].Bytes()
	}
	return true
}

// cursorsOf opens runs. A failure of theirs is set when a cursor is at its end.
func cursorsOf(ctx context.Context, runs []*shelf, failure *error) (cursors []*cursor, stop func()) {
	var stops []func()
	for _, r := range runs {
		next, stop := iter.Pull2(func(yield func([]arrow.ArrayData, int) bool) {
			err := r.scan(ctx, func(columns []arrow.ArrayData, rows int) error {
				if !yield(columns, rows) {
					return errStopped
				}
				return nil
			})
			if err != nil && *failure == nil {
				*failure = err
			}
		})
		stops = append(stops, stop)
		if c := (&cursor{next: next}); c.advance() {
			cursors = append(cursors, c)
		}
	}
	return cursors, func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// merge calls row for each moment of the runs, in order. Moments that are in
// several runs come once.
func merge(ctx context.Context, runs []*shelf, row func(*cursor) error) error {
	var failure error
	cursors, stop := cursorsOf(ctx, runs, &failure)
	defer stop()
	var last []byte
	for n := 0; len(cursors) > 0 && failure == nil; n++ {
		if n%batchRows == 0 && ctx.Err() != nil {
			return fault.Of(ctx.Err())
		}
		least := 0
		for i, c := range cursors {
			if bytes.Compare(c.order(), cursors[least].order()) < 0 {
				least = i
			}
		}
		c := cursors[least]
		if n == 0 || !bytes.Equal(c.order(), last) {
			if err := row(c); err != nil {
				return err
			}
			last = append(last[:0], c.order()...)
		}
		if !c.advance() {
			cursors = append(cursors[:least], cursors[least+1:]...)
		}
	}
	return failure
}
