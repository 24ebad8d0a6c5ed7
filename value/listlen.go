package value

import "google.golang.org/protobuf/encoding/protowire"

// ListLen returns how many elements a list or a set has; ok is false for a null,
// for other Values and for bytes that are not a Value.
func ListLen(b []byte) (n int, ok bool) {
	tag, w := uvarint(b)
	if w == 0 || tag&7 != 2 {
		return 0, false
	}
	list, rest, ok := sized(b[w:])
	if !ok || len(rest) > 0 {
		return 0, false
	}
	kind := shapeOf(tag >> 3)
	switch kind {
	case bytesList, textList, varint32List, varint64List, secondsList, doubleList, floatList, boolList, valueList:
	default:
		return 0, false
	}
	for len(list) > 0 {
		number, wire, w := protowire.ConsumeTag(list)
		if w < 0 {
			return 0, false
		}
		size := protowire.ConsumeFieldValue(number, wire, list[w:])
		if size < 0 {
			return 0, false
		}
		if number == 1 {
			n += countField(kind, wire, list[w:w+size])
		}
		list = list[w+size:]
	}
	return n, true
}

// countField counts those of one field: a packed one, or a single one. A field of
// another wire type is not one of the list.
func countField(kind shape, wire protowire.Type, field []byte) int {
	single := protowire.VarintType
	switch kind {
	case bytesList, textList, valueList:
		single = protowire.BytesType
	case doubleList:
		single = protowire.Fixed64Type
	case floatList:
		single = protowire.Fixed32Type
	}
	if wire == single {
		return 1
	}
	if wire != protowire.BytesType {
		return 0
	}
	packed, _ := protowire.ConsumeBytes(field)
	switch kind {
	case doubleList:
		return len(packed) / 8
	case floatList:
		return len(packed) / 4
	}
	n := 0
	for _, c := range packed {
		if c < 0x80 { // the last byte of a varint
			n++
		}
	}
	return n
}
