package dynamo

import (
	"hash/maphash"

	"github.com/banquet-fs/banquet/value"
)

// idSet holds the distinct entity ids of a list of keys, and finds the place of
// an id. Keys are the callers' choice, hence the seeded hash.
type idSet struct {
	text  []byte  // value.EntityIDLen bytes for each id
	slots []int32 // open addressing: place + 1; 0 is free
	// of maps keys to places; nil when key i has place i.
	of []int32
}

var idSeed = maphash.MakeSeed()

// fill makes the set of keys, in the memory of an earlier one.
func (s *idSet) fill(keys [][]byte) {
	size := 4
	for size < 2*len(keys) {
		size *= 2
	}
	if cap(s.slots) < size {
		s.slots = make([]int32, size)
	}
	s.slots = s.slots[:size]
	clear(s.slots)
	s.text, s.of = s.text[:0], nil
	for i, key := range keys {
		start := len(s.text)
		s.text = value.AppendEntityID(s.text, key)
		at, slot := s.find(s.text[start:])
		if at < 0 {
			at = int32(start / value.EntityIDLen)
			s.slots[slot] = at + 1
		} else {
			s.text = s.text[:start]
		}
		if int(at) != i && s.of == nil {
			s.of = make([]int32, len(keys))
			for j := range i {
				s.of[j] = int32(j)
			}
		}
		if s.of != nil {
			s.of[i] = at
		}
	}
}

// len is the number of distinct ids.
func (s *idSet) len() int { return len(s.text) / value.EntityIDLen }

// id is the id of a place.
func (s *idSet) id(place int32) []byte {
	at := int(place) * value.EntityIDLen
	return s.text[at : at+value.EntityIDLen]
}

// find gives the place of an id, or -1 and the free slot for it.
func (s *idSet) find(id []byte) (place int32, slot int) {
	mask := uint64(len(s.slots) - 1)
	for i := maphash.Bytes(idSeed, id) & mask; ; i = (i + 1) & mask {
		at := s.slots[i] - 1
		if at < 0 {
			return -1, int(i)
		}
		if string(s.id(at)) == string(id) {
			return at, int(i)
		}
	}
}
