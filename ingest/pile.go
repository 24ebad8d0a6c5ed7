package ingest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/banquet-fs/banquet/internal/spool"
)

const (
	// fanIn is how many files of one level are merged into one of the next: it
	// bounds the files that are open, and the buffers to read them.
	fanIn = 32
	// fileBuffer is the buffer of one file that is read or written.
	fileBuffer = 64 << 10
)

// pile holds the rows of a window, each run of them sorted by key: in the memory
// of sorters, and in temporary files. Sorters share it.
type pile struct {
	dir     string
	sorters []*sorter

	mu    sync.Mutex
	files []*run
}

// run is a temporary file of sorted rows, each key once. Its level tells how often
// its rows were merged.
type run struct {
	file  *os.File
	level int
}

// newPile makes a pile with sorters that share memory, in bytes.
func newPile(opt spool.Options, sorters int) *pile {
	if opt.Memory <= 0 {
		opt.Memory = defaultMemory
	}
	p := &pile{dir: opt.Dir}
	for range sorters {
		p.sorters = append(p.sorters, &sorter{pile: p, memory: int(opt.Memory) / sorters})
	}
	return p
}

// close removes the files and frees the memory.
func (p *pile) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.files {
		_ = r.file.Close() // it has no name anymore, so this removes it
	}
	p.files, p.sorters = nil, nil
}

// spill writes sorted rows to a new file.
func (p *pile) spill(rows stream) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.write(rows, 0); err != nil {
		return err
	}
	return p.merge()
}

// merge replaces the files of a level by one of the next, once they are many.
func (p *pile) merge() error {
	for level := 0; ; level++ {
		var many []*run
		for _, r := range p.files {
			if r.level == level {
				many = append(many, r)
			}
		}
		if len(many) < fanIn {
			return nil
		}
		var list []stream
		for _, r := range many {
			list = append(list, p.read(r))
		}
		m, err := newMerger(list)
		if err != nil {
			return err
		}
		if err := p.write(m, level+1); err != nil {
			return err
		}
		p.files = slices.DeleteFunc(p.files, func(r *run) bool { return r.level == level })
		for _, r := range many {
			_ = r.file.Close()
		}
	}
}

func (p *pile) write(rows stream, level int) error {
	file, err := spool.TempFile(p.dir)
	if err != nil {
		return err
	}
	p.files = append(p.files, &run{file, level})
	w := bufio.NewWriterSize(file, fileBuffer)
	for {
		row, err := rows.row()
		if err != nil {
			return err
		}
		if row == nil {
			return spool.Fault(w.Flush(), p.dir)
		}
		if _, err := w.Write(row); err != nil {
			return spool.Fault(err, p.dir)
		}
	}
}

// settle sorts what is in memory. After it no row may be added.
func (p *pile) settle() {
	var group sync.WaitGroup
	for _, s := range p.sorters {
		group.Go(s.sort)
	}
	group.Wait()
}

// rows reads the newest row of each key, in the order of the keys.
func (p *pile) rows() (*merger, error) {
	var list []stream
	for _, r := range p.files {
		list = append(list, p.read(r))
	}
	for _, s := range p.sorters {
		list = append(list, s.stream())
	}
	return newMerger(list)
}

func (p *pile) read(r *run) stream {
	return &fileStream{dir: p.dir, in: bufio.NewReaderSize(io.NewSectionReader(r.file, 0, 1<<62), fileBuffer)}
}

// stream reads rows in the order of their keys. A row is valid until the next one
// is read; nil is the end.
type stream interface{ row() (packed, error) }

// fileStream reads a run.
type fileStream struct {
	dir string
	in  *bufio.Reader
	buf []byte
}

func (f *fileStream) row() (packed, error) {
	head, err := f.in.Peek(4)
	if errors.Is(err, io.EOF) && len(head) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, spool.Fault(err, f.dir)
	}
	n := 4 + int(binary.LittleEndian.Uint32(head))
	f.buf = slices.Grow(f.buf[:0], n)[:n]
	if _, err := io.ReadFull(f.in, f.buf); err != nil {
		return nil, spool.Fault(err, f.dir)
	}
	return f.buf, nil
}

// merger merges sorted streams, and keeps the newest row of each key.
type merger struct {
	heap []source
	last []byte
	any  bool
}

// source is a stream with the row that it offers.
type source struct {
	rows stream
	row  packed
}

func newMerger(list []stream) (*merger, error) {
	m := &merger{}
	for _, s := range list {
		row, err := s.row()
		if err != nil {
			return nil, err
		}
		if row != nil {
			m.heap = append(m.heap, source{s, row})
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.sink(i)
	}
	return m, nil
}

// sink moves an element down the heap to its place.
func (m *merger) sink(i int) {
	for {
		least := 2*i + 1
		if least >= len(m.heap) {
			return
		}
		if r := least + 1; r < len(m.heap) && compareRows(m.heap[r].row, m.heap[least].row) < 0 {
			least = r
		}
		if compareRows(m.heap[i].row, m.heap[least].row) < 0 {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}

// advance replaces the row that the first stream offers.
func (m *merger) advance() error {
	row, err := m.heap[0].rows.row()
	if err != nil {
		return err
	}
	if row != nil {
		m.heap[0].row = row
	} else {
		end := len(m.heap) - 1
		m.heap[0] = m.heap[end]
		m.heap = m.heap[:end]
	}
	m.sink(0)
	return nil
}

// row is the newest row of the next key.
func (m *merger) row() (packed, error) {
	for len(m.heap) > 0 {
		if !m.any {
			break // the first row is new
		}
		if string(m.heap[0].row.key()) != string(m.last) {
			break
		}
		if err := m.advance(); err != nil {
			return nil, err
		}
	}
	if len(m.heap) == 0 {
		return nil, nil
	}
	m.any = true
	m.last = append(m.last[:0], m.heap[0].row.key()...)
	return m.heap[0].row, nil
}
