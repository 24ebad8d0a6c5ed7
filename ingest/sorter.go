package ingest

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// sorter collects packed rows. When they fill its memory, it keeps the newest row
// of each key, and, if that does not free half of the memory, moves all of them
// to a temporary file, in the order of their keys. One goroutine uses it.
type sorter struct {
	pile   *pile
	memory int
	slab   []byte
	rows   []place
}

// place is where a row begins in a slab, and the eight bytes of its key that
// follow what all keys of the slab have in common: they decide most comparisons.
type place struct {
	lead uint64
	at   int
}

// placeBytes is the size of a place.
const placeBytes = 16

// begin returns the memory to append one row to; end adds it.
func (s *sorter) begin() []byte { return s.slab }

func (s *sorter) end(slab []byte) error {
	at := len(s.slab)
	closeRow(slab, at)
	s.slab = slab
	s.rows = append(s.rows, place{at: at})
	if len(s.slab)+placeBytes*len(s.rows) < s.memory {
		return nil
	}
	return s.relieve()
}

// sort orders the rows and keeps the first of each key.
func (s *sorter) sort() {
	common := s.common()
	for i := range s.rows {
		s.rows[i].lead = lead(packedAt(s.slab, s.rows[i].at).key()[common:])
	}
	slices.SortFunc(s.rows, func(a, b place) int {
		if a.lead != b.lead {
			return order(a.lead, b.lead)
		}
		return compareRows(packedAt(s.slab, a.at), packedAt(s.slab, b.at))
	})
	kept := s.rows[:0]
	var last []byte
	for i, r := range s.rows {
		key := packedAt(s.slab, r.at).key()
		if i > 0 && bytes.Equal(key, last) {
			continue
		}
		kept, last = append(kept, r), key
	}
	s.rows = kept
}

// common is the length of the prefix that all keys share.
func (s *sorter) common() int {
	if len(s.rows) == 0 {
		return 0
	}
	first := packedAt(s.slab, s.rows[0].at).key()
	n := len(first)
	for _, r := range s.rows[1:] {
		key := packedAt(s.slab, r.at).key()
		n = min(n, len(key))
		if !bytes.Equal(key[:n], first[:n]) {
			n = 0
			for key[n] == first[n] {
				n++
			}
		}
	}
	return n
}

// lead is the number of the first eight bytes; shorter keys are filled with
// zeros, which compareRows then tells apart.
func lead(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	var b [8]byte
	copy(b[:], key)
	return binary.BigEndian.Uint64(b[:])
}

// relieve frees memory.
func (s *sorter) relieve() error {
	s.sort()
	size := 0
	for _, r := range s.rows {
		size += len(packedAt(s.slab, r.at))
	}
	if 2*(size+placeBytes*len(s.rows)) > s.memory {
		if err := s.pile.spill(s.stream()); err != nil {
			return err
		}
		s.slab, s.rows = s.slab[:0], s.rows[:0]
		return nil
	}
	slab := make([]byte, 0, cap(s.slab))
	for i := range s.rows {
		row := packedAt(s.slab, s.rows[i].at)
		s.rows[i].at = len(slab)
		slab = append(slab, row...)
	}
	s.slab = slab
	return nil
}

// stream reads the sorted rows.
func (s *sorter) stream() stream { return &memoryStream{s, 0} }

type memoryStream struct {
	sorter *sorter
	next   int
}

func (m *memoryStream) row() (packed, error) {
	if m.next == len(m.sorter.rows) {
		return nil, nil
	}
	m.next++
	return packedAt(m.sorter.slab, m.sorter.rows[m.next-1].at), nil
}
