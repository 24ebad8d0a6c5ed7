package server

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/ingest"
)

// rowsForm is the JSON body of a request that writes.
type rowsForm struct {
	name        string // of the push source or the feature view
	named       bool
	to          string // Feast's word
	frame       frame
	framed      bool
	cached      bool // allow_registry_cache
	transformed bool // transform_on_write
	// These are only in banquet's own API.
	project        string
	partial        bool
	events, create [][]byte // JSON texts
	plain          bool     // the request cannot be inside of another object
}

// The fields of Feast's two requests in its order, which is also the order of errors.
var (
	pushFields  = []string{"push_source_name", "df", "allow_registry_cache", "to", "transform_on_write"}
	writeFields = []string{"feature_view_name", "df", "allow_registry_cache", "transform_on_write"}
)

// parseFeastRows parses a body of /push or of /write-to-online-store. Unknown fields are
// ignored, as in Feast.
func parseFeastRows(raw []byte, contentType string, push bool, limits decodeLimits) (*rowsForm, error) {
	raw, err := feastJSON(raw, contentType)
	if err != nil {
		return nil, err
	}
	form := &rowsForm{to: ingest.Online.String(), cached: true, transformed: true}
	p := &bodyParser{s: &scanner{b: raw}, d: dialect{limits: limits}}
	fields := writeFields
	if push {
		fields = pushFields
	}
	err = parseObject(p.s, raw, func(key string) error { return p.feastRowsField(key, fields, form) })
	if err != nil {
		return nil, bodyFault(err)
	}
	if !form.named {
		p.addError("missing", "Field required", raw, fields[0])
	}
	if !form.framed {
		p.addError("missing", "Field required", raw, fields[1])
	}
	return form, bodyFault(joinErrors(p.errs, fields))
}

func (p *bodyParser) feastRowsField(key string, fields []string, form *rowsForm) error {
	p.forget(key)
	switch {
	case key == fields[0]:
		form.named = true
		return p.requiredText(key, &form.name)
	case key == "df":
		form.framed = true
		return p.frame(key, &form.frame)
	case key == "allow_registry_cache":
		return p.boolField(key, &form.cached)
	case key == "transform_on_write":
		return p.boolField(key, &form.transformed)
	case key == "to" && len(fields) == len(pushFields):
		return p.requiredText(key, &form.to)
	}
	_, err := p.s.value()
	return err
}

// forget drops the errors of a field that is read again: of two equal keys the last one
// counts.
func (p *bodyParser) forget(key string) {
	p.errs = slices.DeleteFunc(p.errs, func(e *bodyError) bool { return e.loc[0].name == key })
}

// parseRows parses a body of banquet's own API, or, if streamed, a line of a stream, which
// may also have the form of a stream's message: {"request": …}. Unknown fields are errors.
func parseRows(raw []byte, push, streamed bool, limits decodeLimits) (*rowsForm, error) {
	form := &rowsForm{to: ingest.Online.String(), transformed: true, cached: true, plain: !streamed}
	p := &bodyParser{s: &scanner{b: raw}, d: dialect{strict: true, limits: limits}}
	err := parseObject(p.s, raw, func(key string) error { return p.rowsField(snake(key), push, form) })
	if err == nil {
		err = joinErrors(p.errs, nil)
	}
	return form, plainFault(err)
}

func (p *bodyParser) rowsField(key string, push bool, form *rowsForm) error {
	name := "feature_view"
	if push {
		name = "push_source"
	}
	switch key {
	case name:
		return p.textField(key, &form.name)
	case "columns":
		return p.frame(key, &form.frame)
	case "event_timestamps":
		return p.timesField(key, &form.events)
	case "created_timestamps":
		return p.timesField(key, &form.create)
	case "project":
		return p.textField(key, &form.project)
	case "partial":
		return p.boolField(key, &form.partial)
	case "transform_on_write":
		return p.boolField(key, &form.transformed)
	}
	switch {
	case key == "to" && push:
		return p.targetField(key, &form.to)
	case key == "request" && p.s.peek() == '{' && !form.plain:
		form.plain = true
		return p.s.object(func(key string) error { return p.rowsField(snake(key), push, form) })
	}
	raw, err := p.s.value()
	if err == nil {
		p.addError("extra_forbidden", "unknown field", raw, key)
	}
	return err
}

// targetField reads a target: Feast's word, or the name or number of a WriteTarget.
func (p *bodyParser) targetField(key string, to *string) error {
	var target banquetv1.WriteTarget
	if p.s.peek() == '"' {
		word, err := p.s.text()
		n, known := banquetv1.WriteTarget_value[word]
		if target = banquetv1.WriteTarget(n); !known {
			*to = word
			return err
		}
	} else {
		raw, err := p.s.value()
		if err != nil || string(raw) == "null" {
			return err
		}
		if n, ok := smallNumber(raw); ok {
			target = banquetv1.WriteTarget(n)
		} else {
			p.addError("string_type", "Input should be online, offline or online_and_offline", raw, key)
		}
	}
	t, err := targetOf(target)
	*to = t.String()
	return err
}

func smallNumber(raw []byte) (int32, bool) {
	n, err := strconv.ParseInt(string(raw), 10, 32)
	return int32(n), err == nil
}

// timesField reads a list of times, or null.
func (p *bodyParser) timesField(key string, times *[][]byte) error {
	*times = nil
	if p.s.peek() != '[' {
		raw, err := p.s.value()
		if err == nil && string(raw) != "null" {
			p.addError("list_type", "Input should be a valid list", raw, key)
		}
		return err
	}
	return p.s.array(func(i int) error {
		raw, err := p.s.value()
		switch {
		case err != nil:
			return err
		case raw[0] != '"' && string(raw) != "null":
			p.addErrorAt("string_type", "Input should be a time in ISO 8601", raw, []step{{name: key}, {index: i, indexed: true}})
		}
		*times = append(*times, raw)
		return p.d.limits.checkRows(len(*times))
	})
}

// request turns the form into a request. Its names do not point into the body, since
// metrics and streams keep them.
func (f *rowsForm) request(push, own bool) (*rowsRequest, error) {
	r := &rowsRequest{own: own, project: strings.Clone(f.project), push: push, name: strings.Clone(f.name)}
	r.Fresh, r.Partial, r.Untransformed = !f.cached, f.partial, !f.transformed
	var err error
	if r.to, err = ingest.ParseTarget(f.to); err != nil {
		return nil, err
	}
	r.Columns, err = f.columns()
	return r, err
}

// columns returns the columns of a request. The lists of times of banquet's own API become
// the columns that Feast's SDK sends.
func (f *rowsForm) columns() ([]ingest.Column, error) {
	for _, t := range []struct {
		name, field string
		times       [][]byte
	}{{eventColumn, "event_timestamps", f.events}, {createdColumn, "created_timestamps", f.create}} {
		if len(t.times) == 0 {
			continue
		}
		if _, there := f.frame.at[t.name]; there {
			return nil, twoTimes(t.field, t.name)
		}
		c := f.frame.column(t.name)
		c.form, c.cells = listOfValues, t.times
	}
	return f.frame.list()
}

// The names under which Feast's SDK sends the times of rows, whatever the source calls
// them.
const eventColumn, createdColumn = "event_timestamp", "created"

// plainFault turns an error of a body into one of banquet's own API.
func plainFault(err error) error {
	var bad *bodyError
	if !errors.As(err, &bad) {
		return err
	}
	text := bad.Error()
	if bad.ctx != "" {
		text = "the body is not JSON: " + bad.ctx + " at character " + strconv.Itoa(bad.loc[0].index)
	}
	return fault.New(fault.Invalid, "%s", text)
}
