package ingest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// String writes a shard as it is given on the command line.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index+1, s.Count) }

// has reports whether a key belongs to the shard: by the FNV-1a hash of the key,
// whose halves are added so that all of its bits count.
func (s Shard) has(key []byte) bool {
	if s.Count <= 1 {
		return true
	}
	h := uint64(14695981039346656037)
	for _, b := range key {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return int((h>>32^h)&0x7fffffff)%s.Count == s.Index
}

// check refuses a shard that cannot be run.
func (s Shard) check(m *Materializer, incremental bool) error {
	switch {
	case s == Shard{}:
		return nil
	case s.Count < 1 || s.Index < 0 || s.Index >= s.Count:
		return fault.New(fault.Invalid, "there is no shard %s; shards of n are numbered from 1/n to n/n", s)
	case s.Count > 1 && incremental:
		return fault.New(fault.Invalid, "an incremental run cannot be divided into shards, which need the same start and end; give both: banquet materialize START_TS END_TS --shard %s", s)
	case s.Count > 1 && m.opt.Runs == nil:
		return fault.New(fault.Invalid, "a run in shards needs a registry beside which records of runs can be kept, and this one has none; run it in one piece")
	}
	return nil
}

// planShard plans one shard. The shards of a run must agree.
func (m *Materializer) planShard(ctx context.Context, p plan, records []found, restart bool) ([]plan, error) {
	for _, r := range records {
		if r.committed(p.view) {
			m.forget(ctx, r.name)
			continue
		}
		if r.Shard.Count <= 1 {
			p.reach = later(p.reach, r.reach())
			continue
		}
		if why := m.outdated(&p, &r.runRecord); why != "" && !r.alive(time.Now()) {
			m.note(ctx, &p, &r.runRecord, why)
			m.drop(ctx, &p, r)
			continue
		}
		if err := m.agree(ctx, &p, r, restart); err != nil {
			return nil, err
		}
	}
	return []plan{p}, nil
}

// drop removes a record. Its run is not continued.
func (m *Materializer) drop(ctx context.Context, p *plan, r found) {
	m.forget(ctx, r.name)
	p.reach, p.inherited = later(p.reach, r.reach()), later(p.inherited, r.reach())
}

// agree compares a shard with the record of one, and continues its own.
func (m *Materializer) agree(ctx context.Context, p *plan, r found, restart bool) error {
	own := r.Shard == p.shard
	same := r.Shard.Count == p.shard.Count && r.Start.Equal(p.Start) && r.End.Equal(p.End) && r.Fingerprint == p.fingerprint
	alive := !r.Complete && r.alive(time.Now())
	switch {
	case own && alive:
		return fault.New(fault.Conflict, "shard %s of feature view %s is being run by process %d on %s; wait for it, or run another shard", r.Shard, p.View, r.Process, r.Host).
			About("feature view", p.View, p.view.Project)
	case !same && restart && !alive, own && restart:
		m.note(ctx, p, &r.runRecord, "the run is to start from the beginning")
		m.drop(ctx, p, r)
	case !same:
		return fault.New(fault.Conflict, "shard %s of feature view %s was begun with the window from %s to %s, which does not fit shard %s from %s to %s; "+
			"run all shards with the same number, window and definition, or drop what was begun with --restart",
			r.Shard, p.View, stamp(r.Start), stamp(r.End), p.shard, stamp(p.Start), stamp(p.End)).About("feature view", p.View, p.view.Project)
	case own:
		why, err := m.lost(ctx, p, &r.runRecord)
		if err != nil {
			return err
		}
		if why != "" {
			m.note(ctx, p, &r.runRecord, why)
			return nil
		}
		p.resumed = &r.runRecord
	}
	return nil
}

// finishShard notes that a shard is stored. The one that finishes last records the
// window, once; if two finish at the same time, both try.
func (t *task) finishShard(ctx context.Context, kept *checkpoint) error {
	if err := kept.complete(ctx); err != nil {
		return err
	}
	var set []found
	for _, r := range t.recordsOf(ctx, t.view) {
		if r.Shard.Count == t.shard.Count && r.Start.Equal(t.Start) && r.End.Equal(t.End) && r.Fingerprint == t.fingerprint {
			set = append(set, r)
		}
	}
	if !slices.ContainsFunc(set, func(r found) bool { return r.Shard == t.shard }) {
		return nil // another shard has recorded the window and removed the records
	}
	if t.result.Waiting = t.missing(set); t.result.Waiting != "" {
		return nil
	}
	recorded, err := t.commit(ctx, set)
	if err != nil {
		t.kept = true
		return err
	}
	for _, r := range set {
		t.forget(ctx, r.name)
	}
	if t.inherited.After(recorded.end) {
		r := t.newRecord()
		r.Shard, r.Ended = Shard{}, true
		if stub, err := t.checkpoint(ctx, recordName(t.view, Shard{}), r); err == nil {
			stub.finish(ctx, recorded.end)
		}
	}
	return nil
}

// missing tells which shards are not stored yet; empty if all are.
func (t *task) missing(set []found) string {
	var left []string
	for i := range t.shard.Count {
		s := Shard{i, t.shard.Count}
		if !slices.ContainsFunc(set, func(r found) bool { return r.Shard == s && r.Complete }) {
			left = append(left, s.String())
		}
	}
	if len(left) == 0 {
		return ""
	}
	return fmt.Sprintf("%s: shard %s is stored; the window is recorded when %s too: %s; the first of them: banquet materialize %s %s --views %s --shard %s",
		t.View, t.shard, choose(int64(len(left)), "this one is", "these are"), strings.Join(left, ", "), argument(t.Start), argument(t.End), t.View, left[0])
}

// commit records the window of all shards, unless another shard has done so. It was
// read when the earliest of them began.
func (t *task) commit(ctx context.Context, set []found) (interval, error) {
	first := slices.MinFunc(set, func(a, b found) int { return a.Read.Compare(b.Read) })
	for _, r := range set {
		first.Intervals = min(first.Intervals, r.Intervals)
	}
	done := interval{t.Start, earlier(t.End, first.Read)}
	if done.start.After(done.end) {
		return done, nil
	}
	_, err := registry.Update(ctx, t.opt.Storage, func(reg *core.Registry) error {
		for _, i := range recordedSince(reg, t.view, first.Intervals) {
			if i.start.Equal(done.start) && i.end.Equal(done.end) {
				return registry.ErrNoChange
			}
		}
		return registry.RecordMaterialization(reg, t.view.Project, t.View, done.start, done.end, first.Read)
	})
	return done, err
}
