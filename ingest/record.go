package ingest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

const (
	// recordFormat is the version of runRecord.
	recordFormat = 1
	// recordAge is how old the reading of a window may be to be continued: the rows
	// that have arrived since are left to the next run.
	recordAge = 24 * time.Hour
)

// runRecord is what is kept of a run of one view while it is not finished. Each
// run has a record of its own, which no other run changes.
type runRecord struct {
	Format int
	// Start and End are the window, and Incremental tells who chose it.
	Start, End  time.Time
	Incremental bool
	// Read is when reading began. The run that continues this one records it: rows
	// that have arrived since may be missing.
	Read time.Time
	// Fingerprint is that of what decides keys, values and table.
	Fingerprint string
	// Intervals is how many intervals the view had when the run began.
	Intervals int
	// Done is the last key of those that are stored, in the order of keys, and
	// DoneEvent its event time. Stored and Older count the rows up to it.
	Done          []byte    `json:",omitempty"`
	DoneEvent     time.Time `json:",omitzero"`
	Stored, Older int
	// Reach is an event time up to which earlier runs may have stored rows without
	// recording that.
	Reach time.Time `json:",omitzero"`
	// Ended is set when only Reach matters: the run has recorded its window.
	Ended bool `json:",omitempty"`
	// Shard is the part of the keys. Complete is set when all of them are stored.
	Shard    Shard `json:",omitzero"`
	Complete bool  `json:",omitempty"`
	owner
}

// reach is an event time up to which the run may have stored rows.
func (r *runRecord) reach() time.Time {
	if r.Ended || r.Reach.After(r.End) {
		return r.Reach
	}
	return r.End
}

// found is a record with its name.
type found struct {
	name string
	runRecord
}

// prefix begins the names of the records of a view.
func prefix(v *registry.View) string {
	return registry.RecordPart(v.Project) + "/" + registry.RecordPart(v.Name) + "/"
}

// recordName names the record of a run.
func recordName(v *registry.View, s Shard) string {
	if s.Count > 1 {
		return prefix(v) + fmt.Sprintf("shard-%d-of-%d", s.Index+1, s.Count)
	}
	return prefix(v) + rand.Text()
}

// parseRecord reads a record. It is nil for a later format, which is left alone.
func parseRecord(b []byte) (*runRecord, error) {
	r := new(runRecord)
	if err := json.Unmarshal(b, r); err != nil {
		return nil, err
	}
	switch {
	case r.Format > recordFormat:
		return nil, nil
	case r.Format < 1 || r.Fingerprint == "" || r.Read.IsZero() || r.Stored < 0 || r.Older < 0 || r.Intervals < 0 ||
		r.Shard.Count < 0 || r.Shard.Index < 0 || r.Shard.Index > 0 && r.Shard.Index >= r.Shard.Count:
		return nil, fmt.Errorf("fields are missing or out of range")
	}
	return r, nil
}

// recordsOf returns the records of a view. Records are an aid: where they cannot
// be read, a run goes on without.
func (m *Materializer) recordsOf(ctx context.Context, v *registry.View) []found {
	if m.opt.Runs == nil {
		return nil
	}
	names, err := m.opt.Runs.List(ctx, prefix(v))
	if err != nil {
		m.unrecorded(ctx, err)
		return nil
	}
	var list []found
	for _, name := range names {
		b, err := m.opt.Runs.Get(ctx, name)
		if err != nil {
			m.unrecorded(ctx, err)
			continue
		}
		if b == nil {
			continue // its run has just ended
		}
		r, err := parseRecord(b)
		switch {
		case err != nil:
			m.opt.Log.WarnContext(ctx, "a record of an unfinished run is damaged, and is removed", slog.String("view", v.Name), slog.String("record", name), slog.Any("error", err))
			m.forget(ctx, name)
		case r != nil:
			list = append(list, found{name, *r})
		}
	}
	return list
}

// unrecorded warns once that runs cannot be continued.
func (m *Materializer) unrecorded(ctx context.Context, err error) {
	m.warned.Do(func() {
		m.opt.Log.WarnContext(ctx, "a run that stops will start from the beginning, since records of runs cannot be kept: "+err.Error())
	})
}

// forget removes a record.
func (m *Materializer) forget(ctx context.Context, name string) {
	if err := m.opt.Runs.Put(ctx, name, nil); err != nil {
		m.unrecorded(ctx, err)
	}
}

// fingerprint stands for everything that decides the keys and values of a view's
// rows, and their table. A table that was removed and made again belongs to a
// view that was made again, at another time.
func fingerprint(v *registry.View, keyVersion int) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %d %d %s\n", recordFormat, keyVersion, v.TableVersion, v.Kind)
	for _, k := range v.JoinKeys {
		fmt.Fprintf(h, "%q %d\n", k.Name, k.Type)
	}
	add := func(m proto.Message) {
		b, _ := proto.MarshalOptions{Deterministic: true}.Marshal(m) // cannot fail: the message was read from bytes
		fmt.Fprintf(h, "%d\n", len(b))
		h.Write(b)
	}
	add(v.Batch)
	switch spec := v.Message.(type) {
	case *core.FeatureView:
		add(spec.GetSpec())
		add(spec.GetMeta().GetCreatedTimestamp())
	case *core.StreamFeatureView:
		add(spec.GetSpec())
		add(spec.GetMeta().GetCreatedTimestamp())
	}
	return hex.EncodeToString(h.Sum(nil))
}

// committed reports whether a run had recorded its window when it was stopped.
func (r *runRecord) committed(v *registry.View) bool {
	if r.Ended {
		return false
	}
	for _, i := range spans(v.Intervals)[min(r.Intervals, len(v.Intervals)):] {
		cut := r.End.After(r.Read) && !i.end.After(r.Read)
		if i.start.Equal(r.Start) && (i.end.Equal(r.End) || cut) {
			return true
		}
	}
	return false
}
