package server

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/value"
)

// materializeCall is a request of Feast's routes /materialize and
// /materialize-incremental in the pipeline.
type materializeCall struct {
	onlineCall
	incremental bool
	background  bool // ?async=true
	force       bool
	form        materializeForm
	status      int
	body        []byte
}

// materializeForm is the body of a request.
type materializeForm struct {
	start, end string
	views      []string
	named      bool // feature_views is a list, which may be empty
	whole      bool // disable_event_timestamp
	version    string
}

func (s *web) materialize(w http.ResponseWriter, r *http.Request) {
	c := &materializeCall{onlineCall: onlineCall{web: s, w: w, r: r, start: time.Now()}, incremental: r.URL.Path == "/materialize-incremental"}
	defer c.release()
	ctx, cancel, err := deadline(r)
	defer cancel()
	if err == nil {
		err = s.pipeline.stream(ctx, methodMaterialize, c)
	} else {
		s.pipeline.record(ctx, methodMaterialize, c.start, err)
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(chunkTimeout)) // a recorder of a test has no deadline
	if err != nil {
		s.feastError(w, err)
		return
	}
	writeJSON(w, c.status, c.body)
}

func (c *materializeCall) project() string { return "" }

// decode reads the query and the body. FastAPI reports the wrong fields of both.
func (c *materializeCall) decode(context.Context) error {
	query := c.r.URL.Query()
	var errs []*bodyError
	for _, p := range []struct {
		name string
		to   *bool
	}{{"async", &c.background}, {"force", &c.force}} {
		if err := queryBool(query, p.name, p.to); err != nil {
			errs = append(errs, err)
		}
	}
	err := parseMaterialize(c.raw, c.Header("Content-Type"), c.incremental, &c.form)
	var bad *bodyError
	switch {
	case err == nil:
	case !errors.As(err, &bad):
		return err
	case bad.kind == "json_invalid":
		return bodyFault(bad)
	default:
		errs = append(errs, bad)
		errs = append(errs, bad.others...)
		bad.others = nil
	}
	if len(errs) == 0 {
		return nil
	}
	errs[0].others = errs[1:]
	return bodyFault(errs[0])
}

// queryBool reads a boolean parameter; of several with one name the last counts.
func queryBool(query url.Values, name string, to *bool) *bodyError {
	values := query[name]
	if len(values) == 0 {
		return nil
	}
	raw := appendJSONText(nil, bounded(values[len(values)-1], maxEcho))
	v, ok := boolOf(raw)
	if !ok {
		return &bodyError{query: true, kind: "bool_parsing", loc: locOf(name), msg: "Input should be a valid boolean, unable to interpret input", input: raw}
	}
	*to = v
	return nil
}

// The fields of the two requests in Feast's order, which is also the order of errors.
var (
	materializeFields = []string{"start_ts", "end_ts", "feature_views", "disable_event_timestamp", "full_feature_names", "version"}
	incrementalFields = []string{"end_ts", "feature_views", "full_feature_names", "version"}
)

// parseMaterialize parses a body. Unknown fields are ignored, as in Feast.
func parseMaterialize(raw []byte, contentType string, incremental bool, form *materializeForm) error {
	raw, err := feastJSON(raw, contentType)
	if err != nil {
		return err
	}
	p := &bodyParser{s: &scanner{b: raw}}
	fields, ended := materializeFields, !incremental
	if incremental {
		fields = incrementalFields
	}
	err = parseObject(p.s, raw, func(key string) error {
		switch key {
		case "start_ts":
			if !incremental {
				return p.textField(key, &form.start)
			}
		case "end_ts":
			ended = true
			if incremental {
				return p.requiredText(key, &form.end)
			}
			return p.textField(key, &form.end)
		case "feature_views":
			return p.viewNames(form)
		case "disable_event_timestamp":
			if !incremental {
				return p.boolField(key, &form.whole)
			}
		case "full_feature_names":
			return p.boolField(key, new(bool)) // nothing depends on it
		case "version":
			return p.textField(key, &form.version)
		}
		_, err := p.s.value()
		return err
	})
	if err != nil {
		return err
	}
	if !ended {
		p.addError("missing", "Field required", raw, "end_ts")
	}
	return joinErrors(p.errs, fields)
}

// requiredText reads a text that may not be null.
func (p *bodyParser) requiredText(key string, out *string) error {
	if p.s.peek() == 'n' {
		raw, err := p.s.value()
		if err == nil {
			p.addError("string_type", "Input should be a valid string", raw, key)
		}
		return err
	}
	return p.textField(key, out)
}

// viewNames reads a list of names, or null.
func (p *bodyParser) viewNames(form *materializeForm) error {
	const key = "feature_views"
	form.views, form.named = nil, false
	if p.s.peek() != '[' {
		raw, err := p.s.value()
		if err == nil && string(raw) != "null" {
			p.addError("list_type", "Input should be a valid list", raw, key)
		}
		return err
	}
	form.named = true
	return p.s.array(func(i int) error {
		if p.s.peek() == '"' {
			name, err := p.s.text()
			form.views = append(form.views, strings.Clone(name)) // a run may last longer than the body, into which name points
			return err
		}
		raw, err := p.s.value()
		if err == nil {
			p.addErrorAt("string_type", "Input should be a valid string", raw, []step{{name: key}, {index: i, indexed: true}})
		}
		return err
	})
}

// respond runs the request, or begins it in the background.
func (c *materializeCall) respond(ctx context.Context) error {
	version, err := ingest.ParseVersion(c.form.version, c.form.views, c.web.opt.Versioned)
	if err != nil {
		return err
	}
	j := job{Request: ingest.Request{Views: c.form.views, Version: version}, incremental: c.incremental}
	p, err := c.web.runs.plan(ctx, j, ingest.Observer{})
	if err != nil {
		return err
	}
	if c.form.named && len(c.form.views) == 0 {
		p.Views = nil // an empty list is no view, not all of them
	}
	if p.Start, p.End, err = c.form.window(c.incremental, time.Now()); err != nil {
		return err
	}
	if c.background {
		return c.begin(ctx, p)
	}
	untimed(http.NewResponseController(c.w))
	c.status, c.body = http.StatusOK, []byte("null")
	_, err = p.run(ctx)
	return err
}

// begin answers an asynchronous request.
func (c *materializeCall) begin(ctx context.Context, p *plan) error {
	conflicts, err := p.begin(ctx, c.force)
	switch {
	case err != nil:
		return err
	case len(conflicts) > 0 && !c.force:
		c.status, c.body = http.StatusConflict, conflictBody(conflicts)
	default:
		c.status = http.StatusAccepted
		c.body = append(appendNames([]byte(`{"status":"accepted","feature_views":`), p.Views), '}')
	}
	return nil
}

// conflictBody is the response of Feast's server while a view is being materialized.
func conflictBody(views []string) []byte {
	quoted := make([]string, len(views))
	for i, v := range views {
		quoted[i] = pythonRepr(v)
	}
	text := "Cannot start async materialization — the following feature views are already in MATERIALIZING state: [" +
		strings.Join(quoted, ", ") + "]. Use ?force=true to override."
	b := appendJSONText([]byte(`{"error":`), text)
	return append(appendNames(append(b, `,"feature_views":`...), views), '}')
}

// appendNames appends a JSON list.
func appendNames(b []byte, names []string) []byte {
	b = append(b, '[')
	for i, n := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSONText(b, n)
	}
	return append(b, ']')
}

// window is the span of event times of a request.
func (f *materializeForm) window(incremental bool, now time.Time) (start, end time.Time, err error) {
	switch {
	case incremental:
		end, err = value.ParseTime(f.end)
		return start, end, err
	case f.whole:
		return time.Unix(0, 0).UTC(), now.UTC(), nil
	case f.start == "" || f.end == "":
		return start, end, fault.New(fault.Invalid, "start_ts and end_ts are required when disable_event_timestamp is False")
	}
	if start, err = value.ParseTime(f.start); err == nil {
		end, err = value.ParseTime(f.end)
	}
	if err != nil {
		return start, end, fault.New(fault.Invalid, "Invalid timestamp format: %s", fault.Of(err).Text).Because(err)
	}
	if !start.Before(end) {
		return start, end, fault.New(fault.Invalid, "start_ts (%s) must be before end_ts (%s)", pythonTime(start), pythonTime(end))
	}
	return start, end, nil
}

// pythonTime is a time as Python prints it, in UTC.
func pythonTime(t time.Time) string {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02 15:04:05+00:00")
	}
	return t.Format("2006-01-02 15:04:05.000000+00:00")
}
