package server

import (
	"bytes"
	"cmp"
	"slices"
	"unicode/utf8"
	"unsafe"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/serving"
	"github.com/banquet-fs/banquet/value"
)

// The fields of a request, in banquet.v1 and in Feast's messages. entities and
// request_context are the columns: maps from names to lists of Values.
const (
	serviceField  = 1
	featuresField = 2
	entitiesField = 3
	contextField  = 5
)

// unmarshalRequest decodes a request for features but keeps its columns encoded, as
// unknown fields of the message: requestColumns reads the keys from the bytes, since
// a message for each key would cost more than all the rest. features receives the
// list of references. Its strings point into a copy of the list's bytes.
func unmarshalRequest(data mem.BufferSlice, m proto.Message, limits decodeLimits, features func([]string)) error {
	whole := data.Materialize()
	rest := make([]byte, 0, 64)
	columns := 0 // length of the columns, which are moved to the front of whole
	var references []string
	for b := whole; len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, kind, b[max(n, 0):])
		if n < 0 || size < 0 {
			return decodeError(protowire.ParseError(min(n, size)))
		}
		field := b[:n+size]
		b = b[n+size:]
		switch {
		case kind != protowire.BytesType:
			rest = append(rest, field...)
		case isColumns(number):
			// The bytes overwritten here are an earlier field, which is already copied.
			columns += copy(whole[columns:], field)
		case number == featuresField:
			content, _ := protowire.ConsumeBytes(field[n:])
			var err error
			if references, err = appendReferences(references, bytes.Clone(content), limits); err != nil {
				return err
			}
		default:
			rest = append(rest, field...)
			if number == serviceField {
				references = nil // service and features are a oneof: the last one counts
			}
		}
	}
	if err := proto.Unmarshal(rest, m); err != nil {
		return decodeError(err)
	}
	if references != nil {
		features(references)
	}
	unknown := m.ProtoReflect().GetUnknown()
	m.ProtoReflect().SetUnknown(append(whole[:columns:columns], unknown...))
	return nil
}

// appendReferences decodes a FeatureList; the strings point into b. The field may
// occur several times, and each adds to the list. The result is never nil.
func appendReferences(list []string, b []byte, limits decodeLimits) ([]string, error) {
	count := 0
	for rest := b; len(rest) > 0; count++ {
		_, _, n := protowire.ConsumeField(rest)
		if n < 0 {
			return nil, decodeError(protowire.ParseError(n))
		}
		rest = rest[n:]
	}
	if err := limits.checkFeatures(len(list) + count); err != nil {
		return nil, err
	}
	if list == nil {
		list = make([]string, 0, count)
	}
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, kind, b[n:])
		if number == 1 && kind == protowire.BytesType {
			text, _ := protowire.ConsumeBytes(b[n:])
			if !utf8.Valid(text) {
				return nil, fault.New(fault.Invalid, "a feature reference is not UTF-8")
			}
			list = append(list, unsafe.String(unsafe.SliceData(text), len(text)))
		}
		b = b[n+size:]
	}
	return list, nil
}

func isColumns(number protowire.Number) bool {
	return number == entitiesField || number == contextField
}

func decodeError(err error) error {
	return fault.New(fault.Invalid, "the request cannot be decoded").Because(err)
}

// requestColumns returns the columns of a request, from its maps, entity rows first, or from the fields
// that unmarshalRequest left encoded. Maps have no order: columns are sorted by name.
func requestColumns(m proto.Message, limits decodeLimits, maps ...map[string]*types.RepeatedValue) ([]serving.Column, error) {
	var out columnSet
	for i, columns := range maps {
		for name, list := range columns {
			c := serving.Column{Name: name, Context: i > 0, Values: make([][]byte, len(list.GetVal()))}
			for i, v := range list.GetVal() {
				b, err := proto.Marshal(v)
				if err != nil {
					return nil, badValue(name, i, err)
				}
				c.Values[i] = b
			}
			out.put(c)
		}
	}
	for b := m.ProtoReflect().GetUnknown(); len(b) > 0; {
		if err := checkColumns(len(out.list)); err != nil {
			return nil, err
		}
		number, kind, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, kind, b[max(n, 0):])
		if n < 0 || size < 0 {
			return nil, fault.New(fault.Invalid, "the request cannot be read")
		}
		if isColumns(number) && kind == protowire.BytesType {
			entry, _ := protowire.ConsumeBytes(b[n:])
			c, err := readColumn(entry, limits)
			if err != nil {
				return nil, err
			}
			c.Context = number == contextField
			out.put(c)
		}
		b = b[n+size:]
	}
	slices.SortStableFunc(out.list, func(a, b serving.Column) int { return cmp.Compare(a.Name, b.Name) })
	return out.list, nil
}

// columnSet collects the columns of a request in the order in which their names
// first occur.
type columnSet struct {
	list []serving.Column
	at   map[columnName]int // nil while there are few
}

// columnName tells apart columns of entity rows and of request data, which may have
// the same names.
type columnName struct {
	name    string
	context bool
}

// maxLinearColumns is the number of columns up to which a linear search is faster than a map.
const maxLinearColumns = 16

// put adds a column. Of two with the same name the last one counts, as in a map.
func (s *columnSet) put(c serving.Column) {
	name := columnName{c.Name, c.Context}
	if s.at == nil && len(s.list) >= maxLinearColumns {
		s.at = make(map[columnName]int, 2*maxLinearColumns)
		for i := range s.list {
			s.at[columnName{s.list[i].Name, s.list[i].Context}] = i
		}
	}
	i, there := s.at[name]
	if s.at == nil {
		i = slices.IndexFunc(s.list, func(o serving.Column) bool { return o.Name == name.name && o.Context == name.context })
		there = i >= 0
	}
	if there {
		s.list[i] = c
		return
	}
	if s.at != nil {
		s.at[name] = len(s.list)
	}
	s.list = append(s.list, c)
}

var errColumns = fault.New(fault.Invalid, "the entity columns of the request cannot be read")

// readColumn decodes an entry of a map: a name and a RepeatedValue.
func readColumn(entry []byte, limits decodeLimits) (serving.Column, error) {
	c := serving.Column{}
	for b := entry; len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, kind, b[max(n, 0):])
		if n < 0 || size < 0 {
			return c, errColumns
		}
		if kind == protowire.BytesType && number <= 2 {
			content, _ := protowire.ConsumeBytes(b[n:])
			if number == 1 {
				c.Name = string(content)
			} else if err := readValues(&c, content, limits); err != nil {
				return c, err
			}
		}
		b = b[n+size:]
	}
	if !utf8.ValidString(c.Name) {
		return c, errColumns
	}
	return c, nil
}

// readValues decodes a RepeatedValue into a column.
func readValues(c *serving.Column, list []byte, limits decodeLimits) error {
	count := 0
	for b := list; len(b) > 0; count++ {
		_, _, n := protowire.ConsumeField(b)
		if n < 0 {
			return errColumns
		}
		b = b[n:]
	}
	if err := limits.checkRows(len(c.Values) + count); err != nil {
		return err
	}
	c.Values = slices.Grow(c.Values, count)
	for b := list; len(b) > 0; {
		number, kind, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, kind, b[n:])
		if number == 1 && kind == protowire.BytesType {
			v, _ := protowire.ConsumeBytes(b[n:])
			v, err := checkedValue(v)
			if err != nil {
				return badValue(c.Name, len(c.Values), err)
			}
			c.Values = append(c.Values, v)
		}
		b = b[n+size:]
	}
	return nil
}

// checkedValue checks that b is an encoded Value. An unusual encoding, such as one
// with a repeated field, is decoded and encoded again.
func checkedValue(b []byte) ([]byte, error) {
	if value.Check(b) == nil {
		return b, nil
	}
	var v types.Value
	if err := proto.Unmarshal(b, &v); err != nil {
		return nil, err
	}
	v.ProtoReflect().SetUnknown(nil)
	return proto.Marshal(&v)
}

func badValue(column string, row int, cause error) error {
	return fault.New(fault.Invalid, "entity column %q, row %d: the value cannot be read", column, row).Because(cause)
}
