package server

import (
	"strings"
	"testing"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
)

// lent counts the buffers of a pool that have not been returned.
type lent struct {
	mem.BufferPool
	gets, out int
}

func (l *lent) Get(n int) *[]byte {
	l.gets++
	l.out++
	return l.BufferPool.Get(n)
}

func (l *lent) Put(b *[]byte) {
	l.out--
	l.BufferPool.Put(b)
}

// Messages are encoded into memory of the server's pool, and all of it returns to the
// pool when they have been sent.
func TestMessagesGoBackToTheirPool(t *testing.T) {
	spliced := func(pool mem.BufferPool, size int) proto.Message {
		b := pool.Get(size + 8)
		results := protowire.AppendTag((*b)[:0], 100, protowire.BytesType)
		m := &banquetv1.GetOnlineFeaturesResponse{}
		m.ProtoReflect().SetUnknown(protowire.AppendBytes(results, make([]byte, size)))
		return m
	}
	for name, message := range map[string]func(mem.BufferPool) proto.Message{
		"a copied response":  func(p mem.BufferPool) proto.Message { return spliced(p, maxCopied/2) },
		"a spliced response": func(p mem.BufferPool) proto.Message { return spliced(p, 100*maxCopied) },
		"any other": func(mem.BufferPool) proto.Message {
			return &feast.GetFeastServingInfoResponse{Version: strings.Repeat("1", 100<<10)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			pool := &lent{BufferPool: newMessagePool()}
			m := message(pool)
			want := proto.Size(m)
			data, err := newSpliceCodec(pool).Marshal(m)
			if err != nil || data.Len() != want || pool.gets == 0 {
				t.Fatalf("%d bytes, %v; want %d; the pool was asked %d times", data.Len(), err, want, pool.gets)
			}
			if data.Free(); pool.out != 0 {
				t.Errorf("the pool lacks %d buffers", pool.out)
			}
		})
	}
}

// The pool has a buffer close to each size, so that little of it is unused.
func TestMessagePoolFitsAnswers(t *testing.T) {
	pool := newMessagePool()
	for _, size := range []int{300, 5 << 10, 40 << 10, 70 << 10, 300 << 10, 3 << 20} {
		if b := pool.Get(size); cap(*b) > 4*size {
			t.Errorf("a message of %d bytes takes %d", size, cap(*b))
		}
	}
}
