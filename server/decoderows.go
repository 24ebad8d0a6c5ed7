package server

import (
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/value"
)

func columnFault(name string, row int, cause error) error {
	return fault.New(fault.Invalid, "column %q, row %d: the value cannot be read", bounded(name, maxEcho), row).Because(cause)
}

// rowsMessage is a request of banquet.v1 that writes rows.
type rowsMessage interface {
	proto.Message
	GetProject() string
	GetColumns() map[string]*types.RepeatedValue
	GetEventTimestamps() []*timestamppb.Timestamp
	GetCreatedTimestamps() []*timestamppb.Timestamp
	GetPartial() bool
}

// rowsField is the field of the columns in a rowsMessage, streamedField that of the
// rowsMessage in a message of a stream.
const rowsField, streamedField = 4, 1

// unmarshalRows decodes a request that writes. Its columns stay encoded, as unknown fields
// of the message: a message for each value would cost more than all the rest.
func unmarshalRows(whole []byte, m rowsMessage) error {
	rest := make([]byte, 0, 64)
	columns := 0 // length of the columns, which are moved to the front of whole
	for b := whole; len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, kind, b[max(n, 0):])
		if n < 0 || size < 0 {
			return decodeError(protowire.ParseError(min(n, size)))
		}
		field := b[:n+size]
		b = b[n+size:]
		if number == rowsField && kind == protowire.BytesType {
			// The bytes overwritten here are an earlier field, which is already copied.
			columns += copy(whole[columns:], field)
			continue
		}
		rest = append(rest, field...)
	}
	if err := proto.Unmarshal(rest, m); err != nil {
		return decodeError(err)
	}
	m.ProtoReflect().SetUnknown(whole[:columns:columns]) // unknown fields are dropped
	return nil
}

// unmarshalStreamed decodes a message of a stream, which holds one request. A request in
// several parts, which protobuf allows, is merged.
func unmarshalStreamed(whole []byte, m rowsMessage) error {
	var request []byte
	parts := 0
	for b := whole; len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, kind, b[max(n, 0):])
		if n < 0 || size < 0 {
			return decodeError(protowire.ParseError(min(n, size)))
		}
		if number == streamedField && kind == protowire.BytesType {
			content, _ := protowire.ConsumeBytes(b[n:])
			if parts++; parts == 1 {
				request = content
			} else {
				request = append(request[:len(request):len(request)], content...)
			}
		}
		b = b[n+size:]
	}
	return unmarshalRows(request, m)
}

// rowsOf makes the request of a message.
func rowsOf(m rowsMessage, untransformed bool, limits decodeLimits) (r *rowsRequest, err error) {
	r = &rowsRequest{own: true, project: m.GetProject()}
	r.Partial, r.Untransformed = m.GetPartial(), untransformed
	if r.Columns, err = encodedColumns(m, limits); err != nil {
		return nil, err
	}
	for _, t := range []struct {
		name, field string
		times       []*timestamppb.Timestamp
	}{{eventColumn, "event_timestamps", m.GetEventTimestamps()}, {createdColumn, "created_timestamps", m.GetCreatedTimestamps()}} {
		if len(t.times) == 0 {
			continue
		}
		if slices.ContainsFunc(r.Columns, func(c ingest.Column) bool { return c.Name == t.name }) {
			return nil, twoTimes(t.field, t.name)
		}
		texts, err := timeTexts(t.field, t.times)
		if err != nil {
			return nil, err
		}
		r.Columns = append(r.Columns, ingest.Column{Name: t.name, Cells: texts})
	}
	return r, nil
}

func twoTimes(field, column string) error {
	return fault.New(fault.Invalid, "the request has %s and a column %q; send one of them", field, column)
}

// timeTexts are times as texts; an absent one is empty.
func timeTexts(field string, times []*timestamppb.Timestamp) (value.TextCells, error) {
	out := make(value.TextCells, len(times))
	for i, t := range times {
		switch {
		case t == nil:
		case t.CheckValid() != nil:
			return nil, fault.New(fault.Invalid, "%s, row %d: not a time of the years 1 to 9999", field, i)
		default:
			out[i] = t.AsTime().Format(time.RFC3339Nano)
		}
	}
	return out, nil
}

// encodedColumns returns the columns of a message, which unmarshalRows left encoded, in
// the order of their names.
func encodedColumns(m rowsMessage, limits decodeLimits) ([]ingest.Column, error) {
	found := map[string]value.ValueCells{} // of two columns of one name the last one counts, as in a map
	total := 0
	for name, list := range m.GetColumns() { // of a message that another codec has decoded
		cells, err := valueBytes(name, list.GetVal())
		if err != nil {
			return nil, err
		}
		found[name] = cells
		total += len(cells)
	}
	for b := m.ProtoReflect().GetUnknown(); len(b) > 0; {
		_, _, n := protowire.ConsumeTag(b)
		entry, size := protowire.ConsumeBytes(b[max(n, 0):])
		if n < 0 || size < 0 {
			return nil, decodeError(protowire.ParseError(min(n, size)))
		}
		name, cells, err := encodedColumn(entry, limits)
		if err != nil {
			return nil, err
		}
		found[name] = cells
		total += len(cells)
		if err := limits.checkCells(total); err != nil {
			return nil, err
		}
		if err := checkRowColumns(len(found)); err != nil {
			return nil, err
		}
		b = b[n+size:]
	}
	out := make([]ingest.Column, 0, len(found))
	for _, name := range slices.Sorted(maps.Keys(found)) {
		out = append(out, ingest.Column{Name: name, Cells: found[name]})
	}
	return out, nil
}

func checkRowColumns(n int) error {
	if n > maxColumns {
		return fault.New(fault.Invalid, "the request has more than %d columns; send those of its feature views only", maxColumns)
	}
	return nil
}

// encodedColumn decodes an entry of the map of columns.
func encodedColumn(entry []byte, limits decodeLimits) (name string, cells value.ValueCells, err error) {
	for b := entry; len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, kind, b[max(n, 0):])
		if n < 0 || size < 0 {
			return "", nil, decodeError(protowire.ParseError(min(n, size)))
		}
		if kind == protowire.BytesType && number <= 2 {
			content, _ := protowire.ConsumeBytes(b[n:])
			if number == 1 {
				name = string(content)
			} else if cells, err = appendCells(cells, content, limits); err != nil {
				return "", nil, err
			}
		}
		b = b[n+size:]
	}
	if !utf8.ValidString(name) {
		return "", nil, decodeError(errNotUTF8)
	}
	return name, cells, nil
}

// appendCells adds the values of a RepeatedValue.
func appendCells(cells value.ValueCells, list []byte, limits decodeLimits) (value.ValueCells, error) {
	for b := list; len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, kind, b[max(n, 0):])
		if n < 0 || size < 0 {
			return nil, decodeError(protowire.ParseError(min(n, size)))
		}
		if number == 1 && kind == protowire.BytesType {
			content, _ := protowire.ConsumeBytes(b[n:])
			v, err := checkedValue(content)
			if err != nil {
				return nil, decodeError(err)
			}
			if cells = append(cells, v); limits.checkRows(len(cells)) != nil {
				return nil, limits.checkRows(len(cells))
			}
		}
		b = b[n+size:]
	}
	return cells, nil
}

// valueBytes encodes the values of a column.
func valueBytes(column string, list []*types.Value) (value.ValueCells, error) {
	out := make(value.ValueCells, len(list))
	for i, v := range list {
		b, err := proto.Marshal(v)
		if err != nil {
			return nil, columnFault(column, i, err)
		}
		out[i] = b
	}
	return out, nil
}
