package postgres

import (
	"errors"
	"io"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

// copyFrom runs a COPY FROM STDIN. When it returns, from is no longer read.
func (t *transaction) copyFrom(from io.Reader, sql string) (pgconn.CommandTag, error) {
	s := &stoppable{from: from}
	defer s.stop()
	return t.conn().CopyFrom(t.ctx, s, sql)
}

// stoppable is a reader that another goroutine reads. The driver's may go on for a
// moment after the COPY has failed.
type stoppable struct {
	mu      sync.Mutex
	from    io.Reader
	stopped bool
}

var errStopped = errors.New("the COPY has ended")

func (s *stoppable) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return 0, errStopped
	}
	return s.from.Read(p)
}

// stop waits for the Read that runs, and is the end of the reader's use.
func (s *stoppable) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
}
