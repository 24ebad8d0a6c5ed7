package parquet

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"syscall"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
)

// arrowTable streams a file of Arrow record batches, in one of Arrow's two formats: a
// stream of messages, or the same between two marks and with an index at its end, which
// is not needed here.
func arrowTable(ctx context.Context, path string) (array.RecordReader, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // opening a pipe would wait
	if err != nil {
		return nil, broken(path, err)
	}
	in, err := arrowMessages(f)
	if err != nil {
		_ = f.Close()
		return nil, broken(path, err)
	}
	return offline.NewReader(in.Schema(), func(yield func(arrow.RecordBatch, error) bool) {
		for batch, err := range arrowBatches(in) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, broken(path, err))
				return
			}
			batch.Retain()
			if !yield(batch, nil) {
				return
			}
		}
	}, func() {
		in.Release()
		_ = f.Close()
	}), nil
}

// arrowBatches reads all batches. A batch is valid until the next one.
func arrowBatches(in *ipc.Reader) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		for {
			more := false
			err := guard(func() error {
				more = in.Next()
				return in.Err()
			})
			switch {
			case err != nil && !errors.Is(err, io.EOF):
				yield(nil, damage{err})
				return
			case !more || !yield(in.RecordBatch(), nil):
				return
			}
		}
	}
}

// arrowMessages checks the messages of a file and opens it.
func arrowMessages(f *os.File) (*ipc.Reader, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // reading a pipe could wait forever
		return nil, fault.New(fault.Invalid, "%s is not a regular file", f.Name())
	}
	start, end := int64(0), info.Size()
	mark := make([]byte, len(ipc.Magic))
	if _, err := f.ReadAt(mark, 0); err == nil && bytes.Equal(mark, ipc.Magic) {
		const padded = 8
		start = padded
		if _, err := f.ReadAt(mark, end-int64(len(mark))); err != nil || end < 2*padded || !bytes.Equal(mark, ipc.Magic) {
			return nil, fault.New(fault.Invalid, "%s is a file of Arrow that lacks its end; it was cut short or is still being written", f.Name())
		}
	}
	messages := io.NewSectionReader(f, start, end-start)
	if err := checkMessages(messages); err != nil {
		return nil, damage{err}
	}
	var in *ipc.Reader
	err = guard(func() (err error) {
		in, err = ipc.NewReader(messages, ipc.WithAllocator(bounded{memory.DefaultAllocator, largestBuffer(info.Size())}))
		return err
	})
	if err != nil {
		return nil, damage{err}
	}
	return in, nil
}

// largestBuffer is how many bytes of a file's content are read into one piece of
// memory. LZ4 makes nothing smaller than a 255th, and a column of one batch has
// seldom more than 2 GB.
func largestBuffer(size int64) int64 {
	const ratio, least, most = 256, 256 << 20, math.MaxInt32
	return max(size, least, min(size*ratio, most))
}

// bounded refuses to allocate more than most bytes, with a panic that guard catches: a
// damaged file claims any size for a compressed buffer.
type bounded struct {
	memory.Allocator
	most int64
}

func (b bounded) check(size int) {
	if int64(size) > b.most {
		panic(fmt.Sprintf("a buffer of %d bytes", size))
	}
}

// Allocate allocates memory.
func (b bounded) Allocate(size int) []byte {
	b.check(size)
	return b.Allocator.Allocate(size)
}

// Reallocate changes the size of memory.
func (b bounded) Reallocate(size int, old []byte) []byte {
	b.check(size)
	return b.Allocator.Reallocate(size, old)
}

// checkMessages walks a stream of messages before arrow-go reads it: arrow-go trusts the
// lengths in it, and a damaged one ends the process, since nothing can recover from a
// failed allocation.
func checkMessages(in *io.SectionReader) error {
	const marker, word = 0xffffffff, 4
	for at, first := int64(0), true; ; first = false {
		var head [2 * word]byte
		n, err := in.ReadAt(head[:], at)
		length, skip := binary.LittleEndian.Uint32(head[:]), int64(word)
		if length == marker {
			length, skip = binary.LittleEndian.Uint32(head[word:]), 2*word
		}
		switch {
		case int64(n) < skip && (n > 0 || first):
			return fmt.Errorf("a message ends too early: %w", err)
		case n == 0, length == 0:
			return nil
		case int64(length) > in.Size()-at-skip:
			return fmt.Errorf("a message of %d bytes at %d of %d", length, at, in.Size())
		}
		message := make([]byte, word+int64(length))
		binary.LittleEndian.PutUint32(message, length)
		if _, err := in.ReadAt(message[word:], at+skip); err != nil {
			return err
		}
		body, err := bodyLength(message[word:])
		if err == nil && first {
			err = checkSchema(message)
		}
		if err != nil {
			return err
		}
		if at += skip + int64(length); body < 0 || body > in.Size()-at {
			return fmt.Errorf("a message with %d bytes of cells at %d of %d", body, at, in.Size())
		}
		at += body
	}
}

// bodyLength is the number of bytes that follow a message.
func bodyLength(message []byte) (n int64, err error) {
	const bodySlot = 3
	f := &flat{b: message}
	err = guard(func() error {
		if at := f.slot(f.uint32(0), bodySlot); at != 0 {
			n = int64(binary.LittleEndian.Uint64(f.b[at:])) //nolint:gosec // negative lengths are refused
		}
		return nil
	})
	return n, err
}
