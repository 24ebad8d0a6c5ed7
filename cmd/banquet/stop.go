package main

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// patience is how long a stopped command may take to end by itself.
const patience = 800 * time.Millisecond

// runUntil runs the command line like run. A command ends by itself when ctx is done, as
// long as Go can interrupt what it waits for. It cannot interrupt the operating system:
// a file on a server that does not respond, a pipe that nobody reads. A command that
// waits for these is given up after a short time, as if it were killed; a server only
// after the time that its requests may take, which it bounds itself.
func runUntil(ctx context.Context, sys system) int {
	sys.draining = new(atomic.Bool)
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, sys) }()
	select {
	case code := <-ended:
		return code
	case <-ctx.Done():
	}
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case code := <-ended:
		return code
	case <-limit.C:
	}
	if sys.draining.Load() {
		return <-ended
	}
	said := make(chan struct{})
	go func() { // what does not respond may be the terminal
		defer close(said)
		fmt.Fprintln(sys.err, "banquet: stopped while waiting for a file, a pipe or a terminal that does not respond; the same command does the rest")
	}()
	select {
	case <-said:
	case <-time.After(patience / 8):
	}
	return 1
}

// drains says that the command is a server from now on.
func (a *app) drains() {
	if a.draining != nil {
		a.draining.Store(true)
	}
}

// stoppable is a reader whose Read ends when ctx is done, though the one that it reads
// from still waits: for a terminal, or for a program that writes into a pipe.
type stoppable struct {
	ctx  context.Context
	from io.Reader
	read chan chunk // of the Read that is under way, nil if there is none
	rest []byte
	err  error
}

// chunk is what one Read has given.
type chunk struct {
	data []byte
	err  error
}

// Read reads what has arrived.
func (s *stoppable) Read(p []byte) (int, error) {
	if len(s.rest) == 0 && s.err == nil {
		if s.read == nil {
			s.read = make(chan chunk, 1)
			go func() {
				buffer := make([]byte, 64<<10)
				n, err := s.from.Read(buffer)
				s.read <- chunk{buffer[:n], err}
			}()
		}
		select {
		case c := <-s.read:
			s.rest, s.err, s.read = c.data, c.err, nil
		case <-s.ctx.Done():
			return 0, s.ctx.Err()
		}
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	if len(s.rest) == 0 {
		return n, s.err
	}
	return n, nil
}
