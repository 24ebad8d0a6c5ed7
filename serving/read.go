package serving

import (
	"context"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/stores"
)

// A twentieth of the caller's time is reserved for encoding the response, within
// these bounds.
const (
	minEncodeTime = time.Millisecond
	maxEncodeTime = 20 * time.Millisecond
)

// read reads all views of the request in one call to the store.
func (s *Service) read(ctx context.Context, req *Request, resp *Response) error {
	reads := resp.reads[:0]
	for i := range resp.plan.views {
		v := &resp.plan.views[i]
		if !v.view.Online {
			continue
		}
		reads = append(reads, stores.Read{
			Table: v.table, Features: v.selection,
			Keys:       resp.groups[v.group].keys,
			Distinct:   true,
			Consistent: req.Consistent || s.opt.Consistent,
		})
	}
	resp.reads = reads
	if len(reads) == 0 || resp.rows == 0 {
		return nil
	}
	ctx, cancel, err := s.withReadDeadline(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	start := time.Now()
	rows, err := s.opt.Reader.Read(ctx, reads)
	resp.StoreWait = time.Since(start)
	switch {
	case err != nil && (!req.Partial || !failsCells(err)):
		return err
	case err != nil:
		resp.stored = failedRows(reads, err)
		return nil
	}
	resp.stored = rows
	if req.Partial {
		return nil
	}
	return firstFault(rows)
}

// failsCells reports whether a partial response can show the failure of a whole read
// as statuses of its cells.
func failsCells(err error) bool {
	switch fault.KindOf(err) {
	case fault.TimedOut, fault.Overloaded, fault.Unavailable, fault.Denied, fault.NotFound:
		return true
	default:
		return false
	}
}

// failedRows are the rows of a read that failed as a whole.
func failedRows(reads []stores.Read, err error) *stores.Rows {
	rows := stores.NewRows(reads, nil)
	for _, read := range rows.Reads {
		for i := range read {
			read[i].Err = err
		}
	}
	return rows
}

// withReadDeadline gives the store less time than the caller has, so that a response
// or a clear error can still be written.
func (s *Service) withReadDeadline(ctx context.Context) (context.Context, context.CancelFunc, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, fault.Of(err)
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		if s.opt.Deadline <= 0 {
			ctx, cancel := context.WithCancel(ctx)
			return ctx, cancel, nil
		}
		ctx, cancel := context.WithTimeout(ctx, s.opt.Deadline)
		return ctx, cancel, nil
	}
	left := time.Until(deadline)
	reserve := min(max(left/20, minEncodeTime), maxEncodeTime)
	if left <= reserve {
		return nil, nil, fault.New(fault.TimedOut, "the deadline leaves %v, too little for a read", left.Round(time.Microsecond))
	}
	ctx, cancel := context.WithDeadline(ctx, deadline.Add(-reserve))
	return ctx, cancel, nil
}

// firstFault is the error of the first key that could not be read.
func firstFault(rows *stores.Rows) error {
	for _, read := range rows.Reads {
		for i := range read {
			if read[i].Err != nil {
				return read[i].Err
			}
		}
	}
	return nil
}
