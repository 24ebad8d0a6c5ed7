package serving

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/transform"
	"github.com/banquet-fs/banquet/value"
)

// computedColumns are the outputs of a transform. All of them have the same statuses.
type computedColumns struct {
	values   [][][]byte
	statuses []Status
}

// bindRequestData types the request data that functions read. It refuses a request
// without the data that its on-demand feature views need, or with a function that
// cannot be computed.
func (r *Response) bindRequestData(req *Request) error {
	p := r.plan
	var missing []string
	for _, name := range p.requestData {
		if requestColumn(req.Columns, name) == nil {
			missing = append(missing, "'"+name+"'")
		}
	}
	if len(missing) > 0 {
		return fault.New(fault.Invalid, "Required request data source features [%s] not found in the entity rows, but required by feature views",
			strings.Join(missing, ", ")).For(fault.RequestDataUnset)
	}
	for i := range p.transforms {
		t := &p.transforms[i]
		switch {
		case t.err != nil:
			return t.err
		case req.Chunk && t.program.MixesRows():
			return fault.New(fault.Unimplemented, "on-demand feature view %q computes with all rows of a request at once; send them in one request instead of a stream", t.view.Name).
				About("on-demand feature view", t.view.Name, t.view.Project)
		}
		if err := r.checkEntityColumns(t); err != nil {
			return err
		}
	}
	for i := range p.requestFields {
		values, err := r.requestValues(requestColumn(req.Columns, p.requestFields[i].Name), p.requestFields[i].Type)
		if err != nil {
			return err
		}
		r.request = append(r.request, values)
	}
	return nil
}

// checkEntityColumns refuses a request without the entity columns that a function reads.
func (r *Response) checkEntityColumns(t *planTransform) error {
	for i := range t.inputs {
		if in := &t.inputs[i]; in.kind == fromEntities && r.anyColumn(in.columns) == nil {
			return fault.New(fault.Invalid, "on-demand feature view %q reads the entity column %q, which the request does not have", t.view.Name, in.columns[0]).
				About("on-demand feature view", t.view.Name, t.view.Project)
		}
	}
	return nil
}

func (r *Response) anyColumn(names []string) *entityColumn {
	for _, name := range names {
		if c := r.column(name); c != nil {
			return c
		}
	}
	return nil
}

// requestColumn finds a column of request data: the one that was sent as such, or
// else the one of the entity rows.
func requestColumn(columns []Column, name string) *Column {
	var found *Column
	for i := range columns {
		if c := &columns[i]; c.Name == name && (found == nil || c.Context) {
			found = c
		}
	}
	return found
}

// requestValues returns the values of a column of request data, as Values of the type
// that its schema says.
func (r *Response) requestValues(c *Column, t types.ValueType_Enum) ([][]byte, error) {
	values := r.allocValues(c.rows())
	for row := range values {
		start := len(r.arena)
		var err error
		switch {
		case c.JSON != nil:
			r.arena, err = appendRequestToken(r.arena, c.JSON[row], t)
		case value.Kind(c.Values[row]) == t || len(c.Values[row]) == 0:
			values[row] = c.Values[row]
			continue
		default:
			r.arena, err = value.ValueCells(c.Values).Append(r.arena, row, t, value.Exact)
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, "request data %q, row %d: %s", c.Name, row, fault.Of(err).Text).
				About("column", c.Name, r.plan.shape.project).Because(err)
		}
		values[row] = r.arena[start:len(r.arena):len(r.arena)]
	}
	return values, nil
}

// appendRequestToken appends the Value of a JSON token. A text is read as the type that
// the schema says, as a command line or a form sends it.
func appendRequestToken(dst, token []byte, t types.ValueType_Enum) ([]byte, error) {
	if t == types.ValueType_DOUBLE && len(token) > 0 && (token[0] == '-' || token[0] >= '0' && token[0] <= '9') {
		if f, err := strconv.ParseFloat(string(token), 64); err == nil { // the usual token, without checking its form again
			return value.AppendDouble(dst, f), nil
		}
	}
	token = bytes.TrimSpace(token)
	if len(token) == 0 || token[0] != '"' || t == types.ValueType_STRING || t == types.ValueType_JSON {
		return value.AppendFromToken(dst, token, t, value.Exact)
	}
	var text string
	if err := json.Unmarshal(token, &text); err != nil {
		return dst, fault.New(fault.Invalid, "the text is not valid JSON").Because(err)
	}
	if t == types.ValueType_UNIX_TIMESTAMP {
		if moment, err := value.ParseTime(text); err == nil {
			return value.AppendUnixTimestamp(dst, moment.Unix()), nil
		}
	}
	return value.TextCells{text}.Append(dst, 0, t, value.Exact)
}

// compute runs the functions of the on-demand feature views on the rows that were read.
func (s *Service) compute(ctx context.Context, r *Response) error {
	ctx, cancel, err := s.withReadDeadline(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	before := len(r.arena)
	for i := range r.plan.transforms {
		t, start := &r.plan.transforms[i], time.Now()
		if err := r.run(ctx, t, before, s.opt.Limits.ComputedBytes); err != nil {
			if at, _ := t.program.Remote(); at != "" && fault.KindOf(err) == fault.TimedOut {
				return err // it names the service
			}
			if f := ctx.Err(); f != nil {
				return fault.New(fault.KindOf(f), "on-demand feature view %q was not computed within the time allowed for the request", t.view.Name).
					About("on-demand feature view", t.view.Name, t.view.Project).Because(err)
			}
			return err
		}
		t.duration.Observe(time.Since(start).Seconds())
	}
	return nil
}

// run runs one function on all rows. Its values are kept in the arena.
func (r *Response) run(ctx context.Context, t *planTransform, before, limit int) error {
	out := computedColumns{values: make([][][]byte, len(t.outputs)), statuses: r.allocStatuses(r.rows)}
	for row := range out.statuses {
		out.statuses[row] = Present
	}
	batch := t.program.Acquire(r.rows)
	defer t.program.Release(batch)
	for i := range t.inputs {
		if err := r.feed(batch, i, &t.inputs[i], out.statuses); err != nil {
			return fault.New(fault.Internal, "on-demand feature view %q: its inputs cannot be read", t.view.Name).Because(err)
		}
	}
	if r.rows > 0 {
		if err := t.program.Run(ctx, batch); err != nil {
			return err
		}
	}
	if t.program.MixesRows() {
		spreadFailure(out.statuses)
	}
	for i, index := range t.outputs {
		values := r.allocValues(r.rows)
		for row := range values {
			if unread(out.statuses[row]) {
				continue
			}
			start := len(r.arena)
			var err error
			if r.arena, err = batch.AppendValue(r.arena, index, row); err != nil {
				return err
			}
			values[row] = r.arena[start:len(r.arena):len(r.arena)]
			if limit > 0 && len(r.arena)-before > limit {
				return tooManyBytes(t.view, limit)
			}
		}
		out.values[i] = values
	}
	r.computed = append(r.computed, out)
	return nil
}

func tooManyBytes(v *registry.View, limit int) error {
	return fault.New(fault.TooLarge, "the features that on-demand feature view %q computes have more than %d bytes (banquet.limits.store_bytes); "+
		"send fewer rows or shorten its results", v.Name, limit).About("on-demand feature view", v.Name, v.Project)
}

// feed gives a function the values of one input. A row whose input could not be read is
// not computed: its status says why. As in Feast, an input that is not found is null.
func (r *Response) feed(batch *transform.Batch, i int, in *source, statuses []Status) error {
	c := ResponseColumn{View: -1}
	switch in.kind {
	case fromRequest:
		c.entity = r.request[in.field]
	case fromEntities:
		c.entity = r.anyColumn(in.columns).values
	default:
		c.View, c.source, c.pos, c.invalid = in.view, &r.views[in.view], in.pos, r.invalid
	}
	for row := range r.rows {
		v, status := c.At(row)
		if status != Present && status != NotFound && !unread(statuses[row]) {
			statuses[row] = status
		}
		if err := batch.SetValue(i, row, v); err != nil {
			return err
		}
	}
	return nil
}

// unread reports whether a cell with a status has no value because an input is missing
// that exists.
func unread(s Status) bool { return s != Present && s != OutsideMaxAge }

// spreadFailure gives all rows the status of one that could not be read.
func spreadFailure(statuses []Status) {
	if at := slices.IndexFunc(statuses, unread); at >= 0 {
		failed := statuses[at]
		for row := range statuses {
			statuses[row] = failed
		}
	}
}
