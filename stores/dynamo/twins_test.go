package dynamo_test

import (
	"encoding/binary"
	"math/bits"
	"testing"

	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
	"github.com/banquet-fs/banquet/value"
)

// twinKeys makes two keys of the same MurmurHash3, as an attacker can: the second
// block of one reverts the change of its first block.
func twinKeys() (a, b []byte) {
	const c1, c2 = 0x87c37b91114253d5, 0x4cf5ad432745937f
	mix := func(k, first, second uint64, by int) uint64 { return bits.RotateLeft64(k*first, by) * second }
	unmix := func(m, first, second uint64, by int) uint64 {
		return bits.RotateLeft64(m*inverse(second), -by) * inverse(first)
	}
	state := func(k1, k2 uint64) (h1, h2 uint64) { // after one block
		h1 = bits.RotateLeft64(mix(k1, c1, c2, 31), 27)*5 + 0x52dce729
		h2 = (bits.RotateLeft64(mix(k2, c2, c1, 33), 31)+h1)*5 + 0x38495ab5
		return h1, h2
	}
	a1, a2 := state(1, 2)
	b1, b2 := state(3, 4)
	sum := bits.RotateLeft64(a1, 27) + a2 // the second block of a is 0
	k1 := unmix(b1^bits.RotateLeft64(sum-b2, -27), c1, c2, 31)
	k2 := unmix(b2^a2, c2, c1, 33)
	block := func(words ...uint64) (out []byte) {
		for _, w := range words {
			out = binary.LittleEndian.AppendUint64(out, w)
		}
		return out
	}
	return block(1, 2, 0, 0), block(3, 4, k1, k2)
}

// inverse is the inverse of an odd number modulo 2^64.
func inverse(n uint64) uint64 {
	x := n
	for range 6 {
		x *= 2 - n*x
	}
	return x
}

// DynamoDB refuses a call that names an item twice: keys of the same id are
// requested once, and get the same row, as in Feast.
func TestKeysOfTheSameID(t *testing.T) {
	a, b := twinKeys()
	if string(value.AppendEntityID(nil, a)) != string(value.AppendEntityID(nil, b)) {
		t.Fatal("the keys have different ids")
	}
	server := dynamotest.Start(t)
	eachClient(t, func(t *testing.T, open func(testing.TB, *dynamotest.Server) *dynamo.Store) {
		s := open(t, server)
		ready(t, s, zip)
		recs, keys := records(150)
		recs = append(recs, stores.Record{Key: a, Event: moment, Values: [][]byte{[]byte("twins")}})
		if w, err := s.Write(t.Context(), zip, stores.NewSelection("f"), recs, stores.Replace); err != nil || len(w.Failed.Indexes) > 0 {
			t.Fatal(w, err)
		}
		asked := append([][]byte{keys[0], a, keys[1], b}, keys[2:]...)
		for i, row := range readRows(t, s, []stores.Read{{Table: zip, Features: stores.NewSelection("f"), Keys: asked}})[0] {
			want := "twins"
			switch i {
			case 1, 3:
			case 0:
				want = string(recs[0].Values[0])
			case 2:
				want = string(recs[1].Values[0])
			default:
				want = string(recs[i-2].Values[0])
			}
			if !row.Found || string(row.Values[0]) != want {
				t.Errorf("row %d is %q, want %q", i, row.Values, want)
			}
		}
	})
}
