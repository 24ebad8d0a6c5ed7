// Package retry repeats failed reads and writes: keys that could not be read and
// records that are not stored are tried again, with growing, jittered waits,
// within the caller's deadline and a budget shared by the whole process. Failures
// that a retry cannot mend are returned at once.
package retry

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// Options configure the retries. The zero value is usable.
type Options struct {
	// Attempts is the maximum number of attempts per call.
	Attempts int
	// First and Longest bound the wait before a retry.
	First, Longest time.Duration
	// Budget is how many retries are allowed at once beyond those that successes pay
	// for. An attempt costs the share of its keys that failed before, and earns
	// Refill times the share that succeeded: up to a failure rate of
	// Refill/(1+Refill), a third by default, retries never run out.
	Budget, Refill float64
	// Metrics registers the collectors; nil keeps them private.
	Metrics prometheus.Registerer
}

func (o Options) withDefaults() Options {
	if o.Attempts <= 0 {
		o.Attempts = 10
	}
	if o.First <= 0 {
		o.First = 5 * time.Millisecond
	}
	if o.Longest <= 0 {
		o.Longest = 400 * time.Millisecond
	}
	if o.Budget <= 0 {
		o.Budget = 500
	}
	if o.Refill <= 0 {
		o.Refill = 0.5
	}
	return o
}

// Store retries around another store.
type Store struct {
	stores.Store
	opt     Options
	budget  budget
	retries prometheus.Counter
	givenUp *prometheus.CounterVec
}

// New makes a Store around inner.
func New(inner stores.Store, opt Options) *Store {
	opt = opt.withDefaults()
	s := &Store{
		Store: inner, opt: opt, budget: budget{tokens: opt.Budget, most: opt.Budget},
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "banquet_store_retries_total", Help: "Retried reads, writes and deletions of the online store, for all or some of their rows.",
		}),
		givenUp: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "banquet_store_retries_given_up_total", Help: "Transient failures that were not retried, by what was missing: attempts, time or budget.",
		}, []string{"lacking"}),
	}
	if opt.Metrics != nil {
		opt.Metrics.MustRegister(s.retries, s.givenUp)
	}
	return s
}

// passing reports whether a failure may pass. A failure caused by banquet's own
// limits is not retried: a retry would only add load.
func passing(err error) bool {
	switch fault.KindOf(err) {
	case fault.Overloaded:
		return fault.Of(err).Whose == fault.Stored
	case fault.Unavailable, fault.TimedOut:
		return err != nil
	default:
		return false
	}
}

// answerTime is the time kept back of a deadline for the response itself.
const answerTime = 5 * time.Millisecond

// wait waits before attempt n+1; failed is the share of keys that failed before.
// It returns false when time, budget or attempts are used up.
func (s *Store) wait(ctx context.Context, n int, failed float64) bool {
	span, lacking := s.span(ctx, n)
	if lacking == "" && !s.budget.spend(failed) {
		lacking = "budget"
	}
	if lacking != "" {
		s.givenUp.WithLabelValues(lacking).Inc()
		return false
	}
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-timer.C:
		s.retries.Inc()
		return true
	case <-ctx.Done():
		return false
	}
}

// span returns how long to wait before attempt n+1, or what is missing for it.
// Waits are random over their whole length, so that callers who failed together
// do not retry together. Near the deadline they are shorter, so that the
// remaining time is used.
func (s *Store) span(ctx context.Context, n int) (span time.Duration, lacking string) {
	if n+1 >= s.opt.Attempts {
		return 0, "attempts"
	}
	longest := min(s.opt.First<<min(n, 20), s.opt.Longest)
	if deadline, ok := ctx.Deadline(); ok {
		// An attempt that begins just before the deadline could only fail: keep some time
		// back for the attempt and the response.
		longest = min(longest, time.Until(deadline)-answerTime)
	}
	if longest <= 0 || ctx.Err() != nil {
		return 0, "time"
	}
	return rand.N(longest) + 1, ""
}

// Unwrap returns the store inside.
func (s *Store) Unwrap() stores.Store { return s.Store }

// Read reads until every key is read or the remaining failures will not pass.
func (s *Store) Read(ctx context.Context, reads []stores.Read) (*stores.Rows, error) {
	rows, err := s.Store.Read(ctx, reads)
	for n := 0; ; n++ {
		all, left := 1, 1
		if err == nil {
			all, left = count(rows)
		} else if !passing(err) {
			left = 0
		}
		s.budget.put(s.opt.Refill * float64(all-left) / float64(max(all, 1)))
		if left == 0 || !s.wait(ctx, n, float64(left)/float64(all)) {
			return rows, err
		}
		if err != nil {
			rows, err = s.Store.Read(ctx, reads)
			if err == nil {
				rows.Stats.Retries += rows.Stats.Calls
			}
			continue
		}
		if !s.again(ctx, reads, rows) {
			return rows, nil
		}
	}
}

// count counts the keys, and the keys whose failure may pass.
func count(rows *stores.Rows) (all, passingKeys int) {
	for _, read := range rows.Reads {
		all += len(read)
		for i := range read {
			if read[i].Err != nil && passing(read[i].Err) {
				passingKeys++
			}
		}
	}
	return all, passingKeys
}

// position is where the row of a retried key belongs.
type position struct{ read, key int }

// again reads the failed keys once more and puts their rows in place. The rows of
// the retry are held until the first ones are released. It returns false if the
// whole retry failed.
func (s *Store) again(ctx context.Context, reads []stores.Read, rows *stores.Rows) bool {
	var part []stores.Read
	var positions [][]position
	for i, read := range rows.Reads {
		var keys [][]byte
		var at []position
		for j := range read {
			if read[j].Err != nil && passing(read[j].Err) {
				keys, at = append(keys, reads[i].Keys[j]), append(at, position{i, j})
			}
		}
		if len(keys) > 0 {
			r := reads[i]
			r.Keys = keys
			part, positions = append(part, r), append(positions, at)
		}
	}
	more, err := s.Store.Read(ctx, part)
	if err != nil {
		return passing(err)
	}
	for i, at := range positions {
		for j, p := range at {
			rows.Reads[p.read][p.key] = more.Reads[i][j]
		}
	}
	rows.Stats.Add(more.Stats)
	rows.Stats.Retries += more.Stats.Calls
	rows.Hold(more)
	return true
}

// Write writes until every record is stored or older, or the remaining failures
// will not pass. Rows that a busy store refuses are left to a caller who asked for
// that: see stores.WithoutBusyRetries.
func (s *Store) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	mends := passing
	if stores.BusyRetriesLeft(ctx) {
		mends = func(err error) bool { return fault.KindOf(err) != fault.Overloaded && passing(err) }
	}
	return s.change(ctx, mends, len(records), func(indexes []int) (stores.Written, error) {
		return s.Store.Write(ctx, table, features, pick(records, indexes), mode)
	})
}

// Delete deletes until every key is gone or the remaining failures will not pass.
func (s *Store) Delete(ctx context.Context, table stores.Table, keys [][]byte) (stores.Unwritten, error) {
	written, err := s.change(ctx, passing, len(keys), func(indexes []int) (stores.Written, error) {
		left, err := s.Store.Delete(ctx, table, pick(keys, indexes))
		return stores.Written{Failed: left}, err
	})
	return written.Failed, err
}

// pick returns the elements at some indexes; nil means all.
func pick[T any](all []T, indexes []int) []T {
	if indexes == nil {
		return all
	}
	some := make([]T, len(indexes))
	for i, at := range indexes {
		some[i] = all[at]
	}
	return some
}

// change retries a write or a delete of n items until no failure is left that
// passing, or a part of it, accepts.
func (s *Store) change(ctx context.Context, passing func(error) bool, n int, try func(indexes []int) (stores.Written, error)) (stores.Written, error) {
	written, err := try(nil)
	for tries := 0; ; tries++ {
		failed := 0
		switch {
		case err != nil && passing(err):
			failed = n
		case err == nil:
			failed = countPassing(passing, &written.Failed)
		}
		share := float64(failed) / float64(max(n, 1))
		s.budget.put(s.opt.Refill * (1 - share))
		if failed == 0 || !s.wait(ctx, tries, share) {
			return written, err
		}
		if err != nil {
			written, err = try(nil)
			continue
		}
		written = rewrite(passing, written, try)
	}
}

func countPassing(passing func(error) bool, left *stores.Unwritten) int {
	n := 0
	for _, err := range left.Errs {
		if passing(err) {
			n++
		}
	}
	return n
}

// rewrite retries the failures that may pass once, and returns the outcome of
// all, under the original indexes.
func rewrite(passing func(error) bool, before stores.Written, try func(indexes []int) (stores.Written, error)) stores.Written {
	out := stores.Written{Older: before.Older}
	var again []int
	for i, at := range before.Failed.Indexes {
		if passing(before.Failed.Errs[i]) {
			again = append(again, at)
			continue
		}
		out.Failed.Add(at, before.Failed.Errs[i])
	}
	after, err := try(again)
	if err != nil {
		for _, at := range again {
			out.Failed.Add(at, err)
		}
		return out
	}
	for i, at := range after.Failed.Indexes {
		out.Failed.Add(again[at], after.Failed.Errs[i])
	}
	for _, at := range after.Older {
		out.Older = append(out.Older, again[at])
	}
	slices.Sort(out.Older)
	return out
}

// budget bounds retries: when most calls fail, retries would only add load.
type budget struct {
	mu           sync.Mutex
	tokens, most float64
}

func (b *budget) spend(n float64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < n {
		return false
	}
	b.tokens -= n
	return true
}

func (b *budget) put(n float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.tokens+n, b.most)
}
