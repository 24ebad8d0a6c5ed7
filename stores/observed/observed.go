// Package observed measures the calls of an online store.
package observed

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// Store measures another store. Metrics are named banquet_store_….
type Store struct {
	stores.Store
	duration *prometheus.HistogramVec
	calls    prometheus.Counter
	bytes    prometheus.Counter
	capacity *prometheus.CounterVec
	rows     *prometheus.CounterVec
	errs     *prometheus.CounterVec
}

// New makes a Store around inner; reg may be nil.
func New(inner stores.Store, reg prometheus.Registerer) *Store {
	s := &Store{
		Store: inner,
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "banquet_store_duration_seconds", Help: "Duration of one read, write or deletion of the online store, including all its calls.",
			Buckets: []float64{.0005, .001, .002, .003, .005, .0075, .01, .015, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"operation"}),
		calls:    prometheus.NewCounter(prometheus.CounterOpts{Name: "banquet_store_calls_total", Help: "Calls made to the online store by reads."}),
		bytes:    prometheus.NewCounter(prometheus.CounterOpts{Name: "banquet_store_received_bytes_total", Help: "Bytes received from the online store."}),
		capacity: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "banquet_store_capacity_units_total", Help: "Read capacity consumed, if the store reports it."}, []string{"project", "view"}),
		rows:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "banquet_store_rows_total", Help: "Rows read, written and deleted, by outcome."}, []string{"operation", "result"}),
		errs:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "banquet_store_errors_total", Help: "Operations and rows that failed, by kind of failure."}, []string{"operation", "kind"}),
	}
	if reg != nil {
		reg.MustRegister(s.duration, s.calls, s.bytes, s.capacity, s.rows, s.errs)
	}
	return s
}

// Unwrap returns the store inside.
func (s *Store) Unwrap() stores.Store { return s.Store }

// Read measures a read.
func (s *Store) Read(ctx context.Context, reads []stores.Read) (*stores.Rows, error) {
	start := time.Now()
	rows, err := s.Store.Read(ctx, reads)
	s.duration.WithLabelValues("read").Observe(time.Since(start).Seconds())
	if err != nil {
		s.errs.WithLabelValues("read", fault.KindOf(err).String()).Inc()
		return nil, err
	}
	s.calls.Add(float64(rows.Stats.Calls))
	s.bytes.Add(float64(rows.Stats.Received))
	for t, units := range rows.Stats.Capacity {
		s.capacity.WithLabelValues(t.Project, t.View).Add(units)
	}
	s.countRows(rows)
	return rows, nil
}

func (s *Store) countRows(rows *stores.Rows) {
	var found, missing, failed int
	for _, read := range rows.Reads {
		for i := range read {
			switch r := &read[i]; {
			case r.Err != nil:
				failed++
				s.errs.WithLabelValues("read row", fault.KindOf(r.Err).String()).Inc()
			case r.Found:
				found++
			default:
				missing++
			}
		}
	}
	s.add("read", "found", found)
	s.add("read", "missing", missing)
	s.add("read", "failed", failed)
}

func (s *Store) add(operation, result string, n int) {
	if n > 0 {
		s.rows.WithLabelValues(operation, result).Add(float64(n))
	}
}

// Write measures a write.
func (s *Store) Write(ctx context.Context, table stores.Table, features *stores.Selection, records []stores.Record, mode stores.Mode) (stores.Written, error) {
	start := time.Now()
	written, err := s.Store.Write(ctx, table, features, records, mode)
	s.changed("write", "stored", start, len(records), &written, err)
	return written, err
}

// Delete measures a deletion.
func (s *Store) Delete(ctx context.Context, table stores.Table, keys [][]byte) (stores.Unwritten, error) {
	start := time.Now()
	left, err := s.Store.Delete(ctx, table, keys)
	s.changed("delete", "deleted", start, len(keys), &stores.Written{Failed: left}, err)
	return left, err
}

// changed counts what became of the n rows of a write or a deletion.
func (s *Store) changed(operation, done string, start time.Time, n int, written *stores.Written, err error) {
	s.duration.WithLabelValues(operation).Observe(time.Since(start).Seconds())
	if err != nil {
		s.errs.WithLabelValues(operation, fault.KindOf(err).String()).Inc()
		return
	}
	for _, e := range written.Failed.Errs {
		s.errs.WithLabelValues(operation+" row", fault.KindOf(e).String()).Inc()
	}
	s.add(operation, done, written.Stored(n))
	s.add(operation, "older", len(written.Older))
	s.add(operation, "failed", len(written.Failed.Indexes))
}
