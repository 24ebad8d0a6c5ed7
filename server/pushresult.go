package server

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/ingest"
)

// unlessReported is the error of a request. A partial one has none if the report lists
// the rows that could not be written; only the online store reports rows.
func (r *rowsRequest) unlessReported(err error, report ingest.Report) error {
	if r.Partial && r.to == ingest.Online && slices.ContainsFunc(report.Views, func(v ingest.ViewReport) bool { return len(v.Failed) > 0 }) {
		return nil
	}
	return err
}

func pushResponse(report ingest.Report) *banquetv1.PushResponse {
	out := &banquetv1.PushResponse{}
	for i := range report.Views {
		out.Results = append(out.Results, resultOfRows(&report.Views[i]))
	}
	return out
}

func writeResponse(report ingest.Report) *banquetv1.WriteResponse {
	out := &banquetv1.WriteResponse{}
	for i := range report.Views {
		out.Result = resultOfRows(&report.Views[i])
	}
	return out
}

// resultOfRows is what a response says of a view.
func resultOfRows(v *ingest.ViewReport) *banquetv1.WriteResult {
	out := countsOf(v)
	status := banquetv1.WriteStatus_WRITE_STATUS_STORED
	if v.Stored == 0 {
		status = banquetv1.WriteStatus_WRITE_STATUS_UNSPECIFIED
	}
	out.Statuses = slices.Repeat([]banquetv1.WriteStatus{status}, v.Rows)
	for _, row := range v.Older {
		out.Statuses[row] = banquetv1.WriteStatus_WRITE_STATUS_OLDER
	}
	for _, f := range v.Failed {
		out.Statuses[f.Row] = banquetv1.WriteStatus_WRITE_STATUS_FAILED
		out.Errors = append(out.Errors, rowError(f, 0))
	}
	return out
}

func countsOf(v *ingest.ViewReport) *banquetv1.WriteResult {
	return &banquetv1.WriteResult{
		FeatureView: v.View, Stored: int64(v.Stored), Older: int64(len(v.Older)), Failed: int64(len(v.Failed)), Offline: v.Appended,
		Empty: v.Empty, NotOnline: v.NotOnline,
	}
}

// rowError describes a row; before is the number of rows of earlier messages.
func rowError(f ingest.FailedRow, before int64) *banquetv1.RowError {
	e := serverSide(f.Err)
	text := e.Text
	if !strings.Contains(text, f.Name) { // errors of cells name their row
		text = f.Name + ": " + text
	}
	return &banquetv1.RowError{Row: before + int64(f.Row), Code: int32(outcomes(e.Kind).grpc), Message: bounded(text, maxEcho)}
}

// upload is a stream that writes, over gRPC or HTTP. Its messages are written one after
// the other; only sums and a bounded number of errors stay in memory.
type upload struct {
	writer   *writer
	pipeline *pipeline
	first    *rowsRequest // without its rows
	rows     int64
	results  []*banquetv1.WriteResult
}

// maxStreamErrors bounds the failed rows that a stream reports for each view.
const maxStreamErrors = 1000

func (w *writer) upload(p *pipeline) *upload { return &upload{writer: w, pipeline: p} }

// write writes the rows of a message. err is why there is none. Its error says what is
// stored of the stream.
func (u *upload) write(ctx context.Context, r *rowsRequest, err error) error {
	begins, failed := u.rows, u.failed()
	if err == nil {
		err = u.follow(r)
	}
	if err == nil {
		err = u.pipeline.withWriteSlot(ctx, func() error {
			report, err := u.writer.run(ctx, r)
			u.add(report)
			return r.unlessReported(err, report)
		})
	}
	if err == nil || u.first == nil {
		return err
	}
	return u.ended(err, begins, failed)
}

// failed is the number of rows of which the response will say that they are not stored.
func (u *upload) failed() (n int64) {
	for _, r := range u.results {
		n += r.GetFailed()
	}
	return n
}

// follow checks that a message belongs to the stream, whose first message says where
// rows go.
func (u *upload) follow(r *rowsRequest) error {
	r.First = int(u.rows)
	if u.first == nil {
		u.first = &rowsRequest{project: r.project, name: r.name, to: r.to}
		u.first.Partial, u.first.Untransformed = r.Partial, r.Untransformed
		return nil
	}
	f := u.first
	if r.project != "" && r.project != f.project || r.name != "" && r.name != f.name || r.to != ingest.Online && r.to != f.to {
		return fault.New(fault.Invalid, "a message of the stream names another project, push source, feature view or target than the first one; send it in a stream of its own")
	}
	r.project, r.name, r.to = f.project, f.name, f.to
	r.Partial, r.Untransformed = f.Partial, f.Untransformed
	return nil
}

// add adds the outcome of a message.
func (u *upload) add(report ingest.Report) {
	most := 0
	for i := range report.Views {
		v := &report.Views[i]
		most = max(most, v.Rows)
		at := slices.IndexFunc(u.results, func(r *banquetv1.WriteResult) bool { return r.GetFeatureView() == v.View })
		if at < 0 {
			at = len(u.results)
			u.results = append(u.results, &banquetv1.WriteResult{FeatureView: v.View, Empty: true})
		}
		sum, more := u.results[at], countsOf(v)
		sum.Stored += more.GetStored()
		sum.Older += more.GetOlder()
		sum.Failed += more.GetFailed()
		sum.Offline += more.GetOffline()
		sum.Empty = sum.GetEmpty() && more.GetEmpty()
		sum.NotOnline = more.GetNotOnline()
		for _, f := range v.Failed[:min(len(v.Failed), maxStreamErrors-len(sum.GetErrors()))] {
			sum.Errors = append(sum.Errors, rowError(f, u.rows))
		}
	}
	u.rows += int64(most)
}

// ended is the error of a stream that ends early: in a message whose rows begin at a row.
func (u *upload) ended(err error, begins, failed int64) error {
	f := *fault.Of(err)
	before := "all rows before it are written"
	switch {
	case begins == 0:
		before = "no row is before it"
	case failed > 0:
		before = fmt.Sprintf("of the rows before it %d are not known to be stored", failed)
	}
	f.Text = fmt.Sprintf("the stream has ended at a message that begins at row %d; %s: %s", begins, before, f.Text)
	return f.Because(err)
}

func (u *upload) pushResponse() *banquetv1.StreamPushResponse {
	return &banquetv1.StreamPushResponse{Rows: u.rows, Results: u.results}
}

func (u *upload) writeResponse() *banquetv1.StreamWriteResponse {
	out := &banquetv1.StreamWriteResponse{Rows: u.rows}
	for _, r := range u.results { // there is one view
		out.Result = r
	}
	return out
}

func (u *upload) json(push bool) ([]byte, error) {
	if push {
		return messageJSON(u.pushResponse())
	}
	return messageJSON(u.writeResponse())
}
