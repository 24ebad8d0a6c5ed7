package ingest

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
)

const (
	// defaultBatch is how many rows one write carries unless configured.
	defaultBatch = 1000
	// writers is how many writes are under way at once; a backend splits each
	// further.
	writers = 4
)

// view takes one view: read, write, record.
func (m *Materializer) view(ctx context.Context, v *registry.View, w Window) (Result, error) {
	began := time.Now()
	result := Result{Window: w}
	if w.Start.After(w.End) {
		result.Hint = v.Name + ": already materialized up to " + stamp(w.Start) + ", which is after " + stamp(w.End) + "; nothing to do"
		return result, nil
	}
	rows, err := m.readNewest(ctx, v, w)
	if err != nil {
		return result, err
	}
	result.Read, result.NullKeys = rows.read, rows.nullKeys
	if result.Written, err = m.write(ctx, v, w, rows.records); err != nil {
		return result, err
	}
	if err := m.record(ctx, v, w); err != nil {
		return result, err
	}
	if result.Written == 0 {
		result.Hint = m.hint(ctx, v, w)
	}
	if result.NullKeys > 0 {
		m.opt.Log.WarnContext(ctx, "rows without a join key were left out",
			slog.String("view", v.Name), slog.Int64("rows", result.NullKeys))
	}
	result.Elapsed = time.Since(began)
	return result, nil
}

// readNewest reads the window and keeps the newest row of each key.
func (m *Materializer) readNewest(ctx context.Context, v *registry.View, w Window) (*newest, error) {
	l, err := encode.NewLayout(v, m.opt.KeyVersion)
	if err != nil {
		return nil, err
	}
	reader, err := m.opt.Offline.Range(ctx, offline.Query{
		Source: v.Batch, Columns: l.Columns(), Timestamp: l.Timestamp(), Created: l.Created(), Start: w.Start, End: w.End,
	})
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	rows := newNewest(l)
	for reader.Next() {
		if err := rows.take(reader.RecordBatch()); err != nil {
			return nil, err
		}
	}
	return rows, reader.Err()
}

// write stores the records, a few writes at a time, and counts what the store
// acknowledged. Each key occurs once, so the order of the writes is free: that
// of the keys lets a store with a tree of them change each of its pages once,
// and not in every write.
func (m *Materializer) write(ctx context.Context, v *registry.View, w Window, records []stores.Record) (int, error) {
	table := stores.Table{Project: v.Project, View: v.Name, Version: v.TableVersion}
	features := make([]string, 0, len(v.Features))
	for _, f := range v.Features {
		features = append(features, f.Name)
	}
	selection := stores.NewSelection(features...)
	how := mode(v, w)
	slices.SortFunc(records, func(a, b stores.Record) int { return bytes.Compare(a.Key, b.Key) })
	size := max(m.opt.BatchSize, m.opt.BatchCells/max(1, len(features)))
	var mu sync.Mutex
	written := 0
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for start := 0; start < len(records); start += size {
		chunk := records[start:min(start+size, len(records))]
		group.Go(func() error {
			done, err := m.opt.Online.Write(ctx, table, selection, chunk, how)
			if err != nil {
				return err
			}
			if left := done.Failed; len(left.Indexes) > 0 {
				return fault.New(fault.KindOf(left.Errs[0]), "feature view %s: %d rows are not stored: %s",
					v.Name, len(left.Indexes), fault.Of(left.Errs[0]).Text).Because(left.Errs[0])
			}
			mu.Lock()
			defer mu.Unlock()
			written += done.Stored(len(chunk))
			if m.opt.Observer.Written != nil {
				m.opt.Observer.Written(w, written, len(records))
			}
			return nil
		})
	}
	err := group.Wait()
	return written, err
}

// record appends the window to the view's intervals. An end that has not come
// yet is recorded as now: rows that arrive until then are not taken yet.
func (m *Materializer) record(ctx context.Context, v *registry.View, w Window) error {
	now := m.opt.Now()
	end := w.End
	if end.After(now) {
		m.opt.Log.WarnContext(ctx, "the end lies in the future; the window is recorded up to now",
			slog.String("view", v.Name), slog.Time("end", w.End))
		end = now
	}
	if w.Start.After(end) {
		return nil
	}
	_, err := registry.Update(ctx, m.opt.Storage, func(reg *core.Registry) error {
		return registry.RecordMaterialization(reg, v.Project, v.Name, w.Start, end, now)
	})
	return err
}

// hint says where the rows of an empty window are. It is a courtesy: when the
// source cannot tell, there is none.
func (m *Materializer) hint(ctx context.Context, v *registry.View, w Window) string {
	original := encode.Originals(v.Batch.GetFieldMapping())
	span, err := m.opt.Offline.Span(ctx, offline.Query{Source: v.Batch, Timestamp: original(v.Batch.GetTimestampField())})
	if err != nil {
		m.opt.Log.DebugContext(ctx, "no hint about the source", slog.String("view", v.Name), slog.Any("error", err))
		return ""
	}
	return hint(w, span.Rows, span.First, span.Last)
}
