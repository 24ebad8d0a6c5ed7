package server

import (
	"cmp"
	"errors"
	"slices"
	"strconv"

	"github.com/banquet-fs/banquet/serving"
)

// body is the JSON body of a request for online features.
type body struct {
	req serving.Request
	jsonOptions
	chunk int
}

// bodyError describes an invalid body, as FastAPI does.
type bodyError struct {
	query  bool   // the fault is in the query, not in the body
	kind   string // pydantic's type of error
	loc    []step
	msg    string
	input  []byte // JSON as it was sent; it may point into the body
	ctx    string
	others []*bodyError // the other ill-typed fields
}

// step is one element of a location in JSON: a name, or an index if indexed is set.
type step struct {
	name    string
	index   int
	indexed bool
}

// locOf is a location of names only.
func locOf(names ...string) []step {
	steps := make([]step, len(names))
	for i, n := range names {
		steps[i].name = n
	}
	return steps
}

func (f *bodyError) Error() string {
	where := f.part()
	for _, w := range f.loc {
		if where += "." + w.name; w.indexed {
			where += strconv.Itoa(w.index)
		}
	}
	return where + ": " + f.msg
}

// part is the part of the request that loc is in.
func (f *bodyError) part() string {
	if f.query {
		return "query"
	}
	return "body"
}

// detail returns the JSON body that FastAPI writes for the error.
func (f *bodyError) detail() []byte {
	b := f.appendTo([]byte(`{"detail":[`))
	for _, other := range f.others {
		b = other.appendTo(append(b, ','))
	}
	return append(b, "]}"...)
}

func (f *bodyError) appendTo(b []byte) []byte {
	b = append(append(b, `{"type":"`...), f.kind...)
	b = append(append(append(b, `","loc":["`...), f.part()...), '"')
	for _, w := range f.loc {
		b = append(b, ',')
		if w.indexed {
			b = strconv.AppendInt(b, int64(w.index), 10)
			continue
		}
		b = appendJSONText(b, bounded(w.name, maxEcho))
	}
	b = appendJSONText(append(b, `],"msg":`...), f.msg)
	b = appendEcho(append(b, `,"input":`...), f.input)
	if f.ctx != "" {
		b = append(append(append(b, `,"ctx":{"error":`...), appendASCII(nil, f.ctx)...), '}')
	}
	return append(b, '}')
}

// feastFields are the fields of Feast's request in its order, which is also the order
// of errors.
var feastFields = []string{"entities", "feature_service", "features", "full_feature_names", "include_feature_view_version_metadata"}

// joinErrors joins errors in the order of the fields; nil if there are none.
func joinErrors(faults []*bodyError, fields []string) error {
	if len(faults) == 0 {
		return nil
	}
	slices.SortStableFunc(faults, func(a, b *bodyError) int {
		return cmp.Compare(slices.Index(fields, a.loc[0].name), slices.Index(fields, b.loc[0].name))
	})
	first := faults[0]
	first.others = faults[1:]
	return first
}

// dialect says what a route accepts.
type dialect struct {
	strict bool // banquet's own route: its fields are known, other unknown fields are errors
	limits decodeLimits
}

// parseBody parses a request.
func parseBody(raw []byte, d dialect) (*body, error) {
	p := &bodyParser{s: &scanner{b: raw}, d: d}
	if err := parseObject(p.s, raw, p.key); err != nil {
		return nil, err
	}
	if !p.hasEntities && (len(p.errs) == 0 || !d.strict) {
		p.addError("missing", "Field required", raw, "entities")
	}
	if err := joinErrors(p.errs, feastFields); err != nil {
		return nil, err
	}
	p.out.req.Columns = p.columnSet.list
	if !d.strict {
		p.out.req.Columns = withoutDoubles(p.out.req.Columns)
	}
	return &p.out, nil
}

// parseObject parses a body that must be an object.
func parseObject(s *scanner, raw []byte, visit func(key string) error) error {
	if len(raw) == 0 {
		return &bodyError{kind: "missing", msg: "Field required", input: []byte("null")}
	}
	var other []byte
	var err error
	if s.peek() == '{' {
		err = s.object(visit)
	} else {
		other, err = s.value()
	}
	if err == nil {
		err = s.end()
	}
	switch {
	case err != nil:
		return jsonError(err)
	case other != nil:
		return &bodyError{kind: "model_attributes_type", msg: "Input should be a valid dictionary or object to extract fields from", input: other}
	}
	return nil
}

// jsonError turns a syntax error into a bodyError.
func jsonError(err error) error {
	var at *scanError
	if !errors.As(err, &at) {
		return err
	}
	return &bodyError{kind: "json_invalid", loc: []step{{index: at.at, indexed: true}}, msg: "JSON decode error", input: []byte("{}"), ctx: at.what}
}

// maxBodyErrors bounds how many fields of a wrong type are reported.
const maxBodyErrors = 100

// bodyParser parses a request. It collects fields of a wrong type and still reads the
// rest, since a syntax error takes precedence.
type bodyParser struct {
	s           *scanner
	d           dialect
	out         body
	columnSet   columnSet
	hasEntities bool
	errs        []*bodyError
}

func (p *bodyParser) addError(kind, msg string, input []byte, names ...string) {
	p.addErrorAt(kind, msg, input, locOf(names...))
}

func (p *bodyParser) addErrorAt(kind, msg string, input []byte, where []step) {
	if len(p.errs) < maxBodyErrors {
		p.errs = append(p.errs, &bodyError{kind: kind, loc: where, msg: msg, input: input})
	}
}

func (p *bodyParser) key(key string) error {
	if p.d.strict {
		key = snake(key)
	}
	switch key {
	case "features":
		return p.features()
	case "feature_service":
		return p.textField(key, &p.out.req.Service)
	case "entities":
		p.hasEntities = true
		return p.columns(key)
	case "request_context":
		return p.requestContext(key)
	case "full_feature_names":
		return p.boolField(key, &p.out.req.FullNames)
	case "include_feature_view_version_metadata":
		return p.boolField(key, &p.out.versions)
	}
	if p.d.strict {
		return p.banquetKey(key)
	}
	_, err := p.s.value() // unknown keys are ignored, as in Feast
	return err
}

// banquetKey reads the fields that only banquet's own API has.
func (p *bodyParser) banquetKey(key string) error {
	switch key {
	case "project":
		return p.textField(key, &p.out.req.Project)
	case "partial":
		return p.boolField(key, &p.out.req.Partial)
	case "consistent":
		return p.boolField(key, &p.out.req.Consistent)
	case "chunk_rows":
		raw, err := p.s.value()
		if err == nil {
			if p.out.chunk, err = strconv.Atoi(string(raw)); err != nil {
				p.addError("int_type", "Input should be a valid integer", raw, key)
				err = nil
			}
		}
		return err
	}
	raw, err := p.s.value()
	if err == nil {
		p.addError("extra_forbidden", "unknown field", raw, key)
	}
	return err
}

// snake turns the camelCase names of protobuf's JSON into field names.
func snake(key string) string {
	var out []byte
	for i := range len(key) {
		if c := key[i]; c >= 'A' && c <= 'Z' {
			out = append(out, '_', c+32)
			continue
		}
		out = append(out, key[i])
	}
	return string(out)
}

func (p *bodyParser) textField(key string, out *string) error {
	if p.s.peek() == '"' {
		v, err := p.s.text()
		*out = v
		return err
	}
	raw, err := p.s.value()
	if err == nil && string(raw) != "null" {
		p.addError("string_type", "Input should be a valid string", raw, key)
	}
	return err
}

func (p *bodyParser) boolField(key string, out *bool) error {
	raw, err := p.s.value()
	if err != nil {
		return err
	}
	v, ok := boolOf(raw)
	switch {
	case ok:
		*out = v
	case raw[0] == '"' || raw[0] >= '0' && raw[0] <= '9':
		p.addError("bool_parsing", "Input should be a valid boolean, unable to interpret input", raw, key)
	default:
		p.addError("bool_type", "Input should be a valid boolean", raw, key)
	}
	return nil
}

// features reads a list of references, or the form {"val": […]} of protobuf's JSON.
func (p *bodyParser) features() error {
	p.out.req.Features = nil
	element := func(i int) error {
		if p.s.peek() == '"' {
			f, err := p.s.text()
			if err == nil {
				err = p.d.limits.checkFeatures(len(p.out.req.Features) + 1)
			}
			p.out.req.Features = append(p.out.req.Features, f)
			return err
		}
		raw, err := p.s.value()
		if err == nil {
			p.addErrorAt("string_type", "Input should be a valid string", raw, []step{{name: "features"}, {index: i, indexed: true}})
		}
		return err
	}
	switch {
	case p.s.peek() == '[':
		p.out.req.Features = make([]string, 0, p.s.countElements())
		return p.s.array(element)
	case p.s.peek() == '{' && p.d.strict:
		return p.s.object(func(string) error {
			if p.s.peek() == '[' {
				return p.s.array(element)
			}
			_, err := p.s.value()
			return err
		})
	}
	raw, err := p.s.value()
	if err == nil {
		p.addError("list_type", "Input should be a valid list", raw, "features")
	}
	return err
}

// columns reads an object of columns, in order.
func (p *bodyParser) columns(key string) error {
	if p.s.peek() != '{' {
		raw, err := p.s.value()
		if err == nil {
			p.addError("dict_type", "Input should be a valid dictionary", raw, key)
		}
		return err
	}
	return p.s.object(func(name string) error {
		c := serving.Column{Name: name, Context: key == "request_context", JSON: [][]byte{}}
		err := p.column(&c, key)
		p.columnSet.put(c) // of two equal keys the last one counts, as in Python
		if err == nil {
			err = checkColumns(len(p.columnSet.list))
		}
		return err
	})
}

// requestContext reads request data that is sent apart from the entity rows, as Feast's
// Go server reads it. Its Python server ignores the field, whatever it holds; so do the
// routes that are like it if the field has no columns.
func (p *bodyParser) requestContext(key string) error {
	if p.d.strict {
		return p.columns(key)
	}
	raw, err := p.s.value()
	if err != nil {
		return err
	}
	inner := &bodyParser{s: &scanner{b: raw}, d: p.d}
	if err := inner.columns(key); err != nil || len(inner.errs) > 0 {
		return err
	}
	for _, c := range inner.columnSet.list {
		p.columnSet.put(c)
	}
	return checkColumns(len(p.columnSet.list))
}

// withoutDoubles drops columns of request_context that the entity rows have, too: Feast's
// Python server reads those of the entity rows.
func withoutDoubles(columns []serving.Column) []serving.Column {
	return slices.DeleteFunc(columns, func(c serving.Column) bool {
		return c.Context && slices.ContainsFunc(columns, func(o serving.Column) bool { return !o.Context && o.Name == c.Name })
	})
}

func (p *bodyParser) column(c *serving.Column, key string) error {
	element := func(int) error {
		raw, err := p.s.value()
		if err == nil && p.d.strict {
			raw = unwrap(raw)
		}
		if err == nil {
			err = p.d.limits.checkRows(len(c.JSON) + 1)
		}
		c.JSON = append(c.JSON, raw)
		return err
	}
	switch {
	case p.s.peek() == '[':
		c.JSON = make([][]byte, 0, p.s.countElements())
		return p.s.array(element)
	case p.s.peek() == '{' && p.d.strict:
		return p.s.object(func(string) error {
			if p.s.peek() == '[' {
				return p.s.array(element)
			}
			_, err := p.s.value()
			return err
		})
	}
	raw, err := p.s.value()
	if err == nil {
		p.addError("list_type", "Input should be a valid list", raw, key, c.Name)
	}
	return err
}

// unwrap returns the value inside {"int64Val": "1"}, the form of protobuf's JSON.
func unwrap(raw []byte) []byte {
	if raw[0] != '{' {
		return raw
	}
	s := &scanner{b: raw}
	inner := raw
	err := s.object(func(key string) error {
		v, err := s.value()
		if name := snake(key); len(name) > 4 && name[len(name)-4:] == "_val" {
			inner = v
		}
		return err
	})
	if err != nil {
		return raw
	}
	return inner
}
