package dynamo

import (
	"sync"
	"sync/atomic"
	"time"
)

// badFor is how long a failed table is read in calls of its own.
const badFor = 5 * time.Second

// badTables remembers tables that are missing or forbidden.
type badTables struct {
	any   atomic.Bool
	mu    sync.Mutex
	until map[string]time.Time
}

func (b *badTables) is(name string) bool {
	if !b.any.Load() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Now().Before(b.until[name])
}

func (b *badTables) add(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until == nil {
		b.until = map[string]time.Time{}
	}
	b.until[name] = time.Now().Add(badFor)
	b.any.Store(true)
}

func (b *badTables) clear(name string) {
	if !b.any.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.until, name)
	b.any.Store(len(b.until) > 0)
}
