package transform

import (
	"strconv"
	"strings"

	"github.com/banquet-fs/banquet/definitions/pytext"
)

// textFormat is str.format with fields by number, by name, or in order.
func textFormat(_ *machine, v val, a *args) (val, error) {
	f := filling{args: a}
	s, err := pytext.Fill(v.s, 0, f.field)
	if err != nil {
		return val{}, asFailure(err)
	}
	return textVal(s), nil
}

// asFailure makes an error of package pytext one that depends on the values.
func asFailure(err error) error {
	if f, ok := err.(*failure); ok { //nolint:errorlint // made by filling itself, never wrapped
		return f
	}
	return &failure{text: err.Error(), data: true}
}

// filling fills the fields of a text.
type filling struct {
	args *args
	next int // the number of fields without a name
}

// field fills name!conversion:format.
func (f *filling) field(text string, depth int) (string, bool, error) {
	if depth > 0 || strings.ContainsAny(text, "{}") {
		return "", false, outside("a field within the format of a field is not supported")
	}
	name, format, _ := strings.Cut(text, ":")
	name, conversion, converted := strings.Cut(name, "!")
	v, err := f.value(name)
	if err != nil {
		return "", false, err
	}
	part := textPart{value: func(*machine) (val, error) { return v, nil }, format: format}
	if converted {
		if len(conversion) != 1 || !strings.Contains("rsa", conversion) {
			return "", false, outside("the conversion !%s is not supported", conversion)
		}
		part.convert = conversion[0]
	}
	s, err := part.show(&machine{})
	return s, true, err
}

// value is the argument that a field names.
func (f *filling) value(name string) (val, error) {
	if name == "" {
		name = strconv.Itoa(f.next)
		f.next++
	}
	if i, err := strconv.ParseUint(name, 10, 16); err == nil {
		if int(i) >= len(f.args.pos) {
			return val{}, &failure{class: "IndexError", text: "Replacement index " + name + " out of range for positional args tuple", data: true}
		}
		return f.args.pos[i], nil
	}
	if strings.ContainsAny(name, ".[") {
		return val{}, outside("a field such as {%s} is not supported", name)
	}
	v, ok := f.args.get(-1, name)
	if !ok {
		return val{}, keyError(textVal(name))
	}
	return v, nil
}
