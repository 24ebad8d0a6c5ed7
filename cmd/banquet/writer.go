package main

import (
	"context"
	"sync"
	"time"

	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/training"
)

// writingNeed is the need of pushes and writes, for errors.
const writingNeed = "writing rows"

// writeTime bounds how long a push or a write takes, if its caller has no shorter deadline.
const writeTime = time.Minute

// writer makes the use case of pushes and writes.
func (r *repository) writer(snapshots func() *registry.Snapshot, refresh func(context.Context) error) *ingest.Writer {
	var opening sync.Mutex // of the stores: the first requests open them
	var service *training.Service
	l := r.config.Banquet.Limits
	return ingest.NewWriter(ingest.WriterOptions{
		Snapshots: snapshots, Refresh: refresh, Project: r.config.Project, KeyVersion: r.config.KeyVersion, Functions: r.functions,
		Online: func(ctx context.Context) (stores.Writer, error) {
			opening.Lock()
			defer opening.Unlock()
			if err := r.config.ProviderBuilt(writingNeed); err != nil {
				return nil, err
			}
			return r.onlineStore(ctx, nil, writingNeed)
		},
		Appender: func(context.Context) (ingest.Appender, error) {
			opening.Lock()
			defer opening.Unlock()
			if service == nil {
				made, err := r.training(snapshots)
				if err != nil {
					return nil, err
				}
				service = made
			}
			return service, nil
		},
		Limits: ingest.WriteLimits{Rows: l.Rows, Cells: l.Cells}, Deadline: writeTime, OfflineDeadline: time.Duration(r.config.Banquet.Offline.Timeout), Log: r.app.log,
	})
}

// serverWriter makes the use case for a server. It has connections and retries of its own,
// so that writes take none from reads.
func (r *repository) serverWriter(holder *registry.Holder) *ingest.Writer {
	check := newFreshness(holder)
	return r.loader().repo.writer(holder.Snapshot, func(ctx context.Context) error {
		check.now(ctx)
		return nil
	})
}
