package value

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxDepth is how deep Values may nest; protobuf readers refuse deeper ones.
const maxDepth = 100

// Check reports whether b is a Value that every protobuf reader accepts and
// AppendJSON can write: well framed, one known field, text in UTF-8, nested at
// most 100 messages deep. It allocates only when it fails. Empty is null.
func Check(b []byte) error {
	if len(b) == 0 || checkScalar(b) {
		return nil
	}
	return checkValue(b, 1)
}

// checkScalar accepts the common case early: one scalar field, and nothing
// after it.
func checkScalar(b []byte) bool {
	switch b[0] {
	case 2<<3 | 2:
		piece, rest, ok := sized(b[1:])
		return ok && len(rest) == 0 && utf8.Valid(piece)
	case 3 << 3, 4 << 3, 8 << 3, 7 << 3:
		_, n := uvarint(b[1:])
		return n > 0 && n == len(b)-1
	case 5<<3 | 1:
		return len(b) == 9
	case 6<<3 | 5:
		return len(b) == 5
	}
	return false
}

func checkValue(b []byte, depth int) error {
	if depth > maxDepth {
		return corrupt("nested too deep")
	}
	if len(b) == 0 {
		return nil
	}
	number, wire, content, rest, err := field(b)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return corrupt("more than one field")
	}
	return checkContent(shapeOf(number), wire, content, depth)
}

// field splits off one field: for a length-prefixed one, content is the bytes
// after the length, otherwise the bytes of the number.
func field(b []byte) (number uint64, wire protowire.Type, content, rest []byte, err error) {
	tag, n := uvarint(b)
	if n == 0 || tag>>3 == 0 || tag>>3 > uint64(protowire.MaxValidNumber) {
		return 0, 0, nil, nil, corrupt("a broken field tag")
	}
	if n != protowire.SizeVarint(tag) { // other readers of Values expect the shortest form
		return 0, 0, nil, nil, corrupt("a field tag in more bytes than it needs")
	}
	number, wire, b = tag>>3, protowire.Type(tag&7), b[n:]
	switch wire {
	case protowire.VarintType:
		if _, n = uvarint(b); n == 0 {
			return 0, 0, nil, nil, corrupt("a cut number")
		}
	case protowire.Fixed64Type:
		n = 8
	case protowire.Fixed32Type:
		n = 4
	case protowire.BytesType:
		piece, rest, ok := sized(b)
		if !ok {
			return 0, 0, nil, nil, corrupt("a field longer than the message")
		}
		return number, wire, piece, rest, nil
	default:
		return 0, 0, nil, nil, corrupt("an unknown wire type")
	}
	if n > len(b) {
		return 0, 0, nil, nil, corrupt("a cut number")
	}
	return number, wire, b[:n:n], b[n:], nil
}

func wireOf(s shape) protowire.Type {
	switch s {
	case varint32, varint64, seconds, boolean, null:
		return protowire.VarintType
	case double:
		return protowire.Fixed64Type
	case float:
		return protowire.Fixed32Type
	default:
		return protowire.BytesType
	}
}

func checkContent(s shape, wire protowire.Type, content []byte, depth int) error {
	if s == unknown {
		return corrupt("an unknown field")
	}
	if wire != wireOf(s) {
		return corrupt("a field of another wire type")
	}
	switch s {
	case raw, varint32, varint64, seconds, double, float, boolean, null:
		return nil
	case text:
		return checkText(content)
	case bytesList:
		return each(content, func(w protowire.Type, _ []byte) error { return wantBytes(w) })
	case textList:
		return each(content, func(w protowire.Type, c []byte) error {
			if err := wantBytes(w); err != nil {
				return err
			}
			return checkText(c)
		})
	case varint32List, varint64List, secondsList, boolList, doubleList, floatList:
		return checkNumbers(s, content)
	case zoned:
		return checkZoned(content)
	default:
		return checkNested(s, content, depth)
	}
}

func checkText(b []byte) error {
	if !utf8.Valid(b) {
		return corrupt("text that is not UTF-8")
	}
	return nil
}

func wantBytes(w protowire.Type) error {
	if w != protowire.BytesType {
		return corrupt("a list element of another wire type")
	}
	return nil
}

// each visits the occurrences of field 1, the only field of a list message.
func each(b []byte, visit func(wire protowire.Type, content []byte) error) error {
	for len(b) > 0 {
		number, wire, content, rest, err := field(b)
		if err != nil {
			return err
		}
		if number != 1 {
			return corrupt("an unknown field in a list")
		}
		if err := visit(wire, content); err != nil {
			return err
		}
		b = rest
	}
	return nil
}

func elementWire(s shape) protowire.Type {
	switch s {
	case doubleList:
		return protowire.Fixed64Type
	case floatList:
		return protowire.Fixed32Type
	default:
		return protowire.VarintType
	}
}

// checkNumbers checks a list of numbers, packed or one by one.
func checkNumbers(s shape, b []byte) error {
	want := elementWire(s)
	return each(b, func(w protowire.Type, c []byte) error {
		if w == want {
			return nil
		}
		if err := wantBytes(w); err != nil {
			return err
		}
		switch want {
		case protowire.Fixed64Type:
			if len(c)%8 != 0 {
				return corrupt("a cut list of numbers")
			}
		case protowire.Fixed32Type:
			if len(c)%4 != 0 {
				return corrupt("a cut list of numbers")
			}
		default:
			for len(c) > 0 {
				_, n := uvarint(c)
				if n == 0 {
					return corrupt("a cut list of numbers")
				}
				c = c[n:]
			}
		}
		return nil
	})
}

func checkZoned(b []byte) error {
	for len(b) > 0 {
		number, wire, content, rest, err := field(b)
		switch {
		case err != nil:
			return err
		case number == 1 && wire == protowire.VarintType:
		case number == 2 && wire == protowire.BytesType:
			if err := checkText(content); err != nil {
				return err
			}
		default:
			return corrupt("an unknown field in a zoned timestamp")
		}
		b = rest
	}
	return nil
}

// checkNested checks lists of Values, maps and lists of maps. Each message on
// the way counts as one level.
func checkNested(s shape, b []byte, depth int) error {
	if depth+2 > maxDepth {
		return corrupt("nested too deep")
	}
	return each(b, func(w protowire.Type, c []byte) error {
		if err := wantBytes(w); err != nil {
			return err
		}
		switch s {
		case valueList:
			return checkValue(c, depth+2)
		case mapping:
			return checkEntry(c, depth+2)
		case mappingList:
			return checkNested(mapping, c, depth+1)
		default:
			return checkScalarEntry(c, depth+2)
		}
	})
}

// checkEntry checks one entry of a map: a text key and a Value, either of
// which may be left out.
func checkEntry(b []byte, depth int) error {
	for len(b) > 0 {
		number, wire, content, rest, err := field(b)
		switch {
		case err != nil:
			return err
		case wire != protowire.BytesType || number > 2:
			return corrupt("an unknown field in a map entry")
		case number == 1:
			err = checkText(content)
		default:
			err = checkValue(content, depth+1)
		}
		if err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// checkScalarEntry checks one entry of a scalar map: a key message and a Value.
func checkScalarEntry(b []byte, depth int) error {
	for len(b) > 0 {
		number, wire, content, rest, err := field(b)
		switch {
		case err != nil:
			return err
		case wire != protowire.BytesType || number > 2:
			return corrupt("an unknown field in a map entry")
		case number == 1:
			err = checkMapKey(content)
		default:
			err = checkValue(content, depth+1)
		}
		if err != nil {
			return err
		}
		b = rest
	}
	return nil
}

// checkMapKey checks feast.types.MapKey.
func checkMapKey(b []byte) error {
	wires := [...]protowire.Type{1: 0, 2: 0, 3: 5, 4: 1, 5: 0, 6: 0, 7: 2, 8: 2, 9: 2, 10: 2}
	for len(b) > 0 {
		number, wire, content, rest, err := field(b)
		if err != nil {
			return err
		}
		if number >= uint64(len(wires)) || wire != wires[number] {
			return corrupt("an unknown field in a map key")
		}
		if number >= 8 {
			if err := checkText(content); err != nil {
				return err
			}
		}
		b = rest
	}
	return nil
}
