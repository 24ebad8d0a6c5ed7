package ingest

import (
	"slices"
	"sync"
	"time"
)

// Phase is what a run does with a view.
type Phase uint8

// The phases of a view.
const (
	Reading Phase = iota // the rows of the window
	Writing              // the newest row of each key
)

// String names the phase.
func (p Phase) String() string {
	if p == Writing {
		return "writing"
	}
	return "reading"
}

// Progress says how far a view is.
type Progress struct {
	Window
	Phase Phase
	// Rows are those read or stored so far; Total is how many are to be stored, 0
	// until all are read. Resumed are the rows that an earlier, unfinished run has
	// stored.
	Rows, Total, Resumed int64
	// Rate is the rows per second of the phase, without resumed ones.
	Rate float64
	// Left is the time that the rest takes at this rate; 0 if it is not known.
	Left time.Duration
}

// Meter measures the progress of a run. Reading it never delays the run. It is safe
// for concurrent use; its zero value is ready.
type Meter struct {
	// Now is the clock; nil is time.Now.
	Now func() time.Time

	mu      sync.Mutex
	running []*measured
}

// measured is a view that is being materialized.
type measured struct {
	Progress
	began time.Time // of the phase
	base  int64     // rows before it
}

// Observer returns an observer that feeds the meter and then calls next.
func (m *Meter) Observer(next Observer) Observer {
	o := next
	o.Started = func(w Window) {
		m.start(w)
		call(next.Started, w)
	}
	o.Resumed = func(w Window, rows int) {
		m.update(w, func(v *measured) { v.Resumed = int64(rows) })
		if next.Resumed != nil {
			next.Resumed(w, rows)
		}
	}
	o.Reading = func(w Window, rows int64) {
		m.update(w, func(v *measured) { v.Rows = rows })
		if next.Reading != nil {
			next.Reading(w, rows)
		}
	}
	o.Written = func(w Window, rows, total int) {
		m.write(w, int64(rows), int64(total))
		if next.Written != nil {
			next.Written(w, rows, total)
		}
	}
	o.Finished = func(r Result) {
		m.end(r.Window)
		call(next.Finished, r)
	}
	return o
}

func call[T any](f func(T), v T) {
	if f != nil {
		f(v)
	}
}

// Running returns the progress of the views that are being materialized, in the order
// in which they began.
func (m *Meter) Running() []Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]Progress, len(m.running))
	for i, v := range m.running {
		list[i] = v.at(m.now())
	}
	return list
}

// at adds what depends on the time.
func (v *measured) at(now time.Time) Progress {
	p := v.Progress
	elapsed := now.Sub(v.began)
	if elapsed <= 0 || p.Rows <= v.base {
		return p
	}
	p.Rate = float64(p.Rows-v.base) / elapsed.Seconds()
	if p.Total > p.Rows {
		p.Left = time.Duration(float64(p.Total-p.Rows) / p.Rate * float64(time.Second))
	}
	return p
}

func (m *Meter) now() time.Time {
	if m.Now != nil {
		return m.Now()
	}
	return time.Now()
}

func (m *Meter) start(w Window) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = append(m.running, &measured{Progress: Progress{Window: w}, began: m.now()})
}

// update changes the progress of a view that has begun. A run has one window of a view
// at a time.
func (m *Meter) update(w Window, change func(*measured)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.index(w); i >= 0 {
		change(m.running[i])
	}
}

func (m *Meter) write(w Window, rows, total int64) {
	m.update(w, func(v *measured) {
		if v.Phase != Writing {
			v.Phase, v.began, v.base = Writing, m.now(), 0
			if rows >= v.Resumed {
				v.base = v.Resumed
			}
		}
		v.Rows, v.Total = rows, total
	})
}

func (m *Meter) end(w Window) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.index(w); i >= 0 {
		m.running = slices.Delete(m.running, i, i+1)
	}
}

func (m *Meter) index(w Window) int {
	return slices.IndexFunc(m.running, func(v *measured) bool { return v.View == w.View })
}
