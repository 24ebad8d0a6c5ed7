package dynamo

import (
	"hash/maphash"

	"github.com/banquet-fs/banquet/value"
)

// idSet holds the entity ids of a list of keys, and finds the key of an id.
// Callers choose the keys, hence the seeded hash.
type idSet struct {
	text  []byte  // value.EntityIDLen bytes for each key
	slots []int32 // open addressing: index of the key + 1; 0 means free
	// twins are keys with the same id as an earlier key: MurmurHash3 collisions can
	// be constructed, and DynamoDB refuses a call that names an id twice.
	twins []twin
}

// twin is a key with the id of an earlier key.
type twin struct{ key, first int32 }

var idSeed = maphash.MakeSeed()

// fill fills the set with keys and reuses its memory.
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
	s.text, s.twins = s.text[:0], s.twins[:0]
	for i, key := range keys {
		start := len(s.text)
		s.text = value.AppendEntityID(s.text, key)
		first, slot := s.find(s.text[start:])
		if first < 0 {
			s.slots[slot] = int32(i) + 1
		} else {
			s.twins = append(s.twins, twin{int32(i), first})
		}
	}
}

// len returns the number of keys.
func (s *idSet) len() int { return len(s.text) / value.EntityIDLen }

// id returns the id of a key.
func (s *idSet) id(key int32) []byte {
	at := int(key) * value.EntityIDLen
	return s.text[at : at+value.EntityIDLen]
}

// find returns the first key of an id, or -1 and the free slot for it.
func (s *idSet) find(id []byte) (key int32, slot int) {
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
