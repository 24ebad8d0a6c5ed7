package transform

// extension is a type of pandas that is none of NumPy. Its columns have operations of
// their own, of which few are computed here.
type extension uint8

const (
	extNone     extension = iota
	extString             // StringDtype: texts, and pd.NA
	extCategory           // CategoricalDtype, as pd.cut makes it
	extZoned              // times of a zone other than UTC, by their wall clock
)

func (e extension) String() string {
	return [...]string{"", "string", "category", "datetime64 of a zone"}[e]
}

// plain refuses a column of an extension type.
func (c *column) plain(what string) error {
	if c.ext == extNone {
		return nil
	}
	hint := "convert it by .astype(str)"
	if c.ext == extZoned {
		hint = "use .dt and the parts of its times"
	}
	return outside("%s of a column of type %s is not supported; %s", what, c.ext, hint)
}

// asStrings is astype("string").
func (m *machine) asStrings(c *column) (*column, error) {
	if c.ext == extString {
		return m.mem.clone(c), nil
	}
	if err := c.plain(`astype("string")`); err != nil {
		return nil, err
	}
	out := m.mem.column(dObject, c.n)
	out.ext = extString
	for i := range out.objs {
		v := c.python(i)
		if v.null() {
			out.objs[i] = val{}
			continue
		}
		if v.isTime() || c.dt == dFloat32 {
			return nil, outside("astype(\"string\") of %s is not supported", c.dt)
		}
		s, err := str(v)
		if err != nil {
			return nil, err
		}
		out.objs[i] = textVal(s)
	}
	return out, nil
}

// extensionMethods are the methods of columns of an extension type.
var extensionMethods = map[string]method{
	"astype": columnAstype, "fillna": extensionFillna, "copy": columnCopy,
	"isna": columnIsna(true), "isnull": columnIsna(true), "notna": columnIsna(false), "notnull": columnIsna(false),
}

// extensionFillna replaces the nulls of a column of texts.
func extensionFillna(m *machine, v val, a *args) (val, error) {
	if err := a.known("fillna()", 1, "value"); err != nil {
		return val{}, err
	}
	with, _ := a.get(0, "value")
	c := v.col()
	if c.ext != extString || with.k != kText {
		return val{}, outside("fillna() of a column of type %s by a %s is not supported", c.ext, with.typeName())
	}
	out := m.mem.clone(c)
	for i := range out.objs {
		if out.objs[i].null() {
			out.objs[i] = with
		}
	}
	return colVal(out), nil
}

// fromExtension is astype of a column of an extension type.
func (m *machine) fromExtension(c *column, dt dtype, text string) (*column, error) {
	if c.ext == extZoned || c.ext == extString && text != "str" {
		return nil, c.plain("this astype")
	}
	out := m.mem.column(dObject, c.n)
	copy(out.objs, c.objs)
	if text == "object" {
		return out, nil
	}
	if text == "str" {
		null := textVal("nan")
		if c.ext == extString {
			null = textVal("<NA>")
		}
		for i, v := range out.objs {
			if v.null() {
				out.objs[i] = null
			}
		}
		return m.asText(out)
	}
	if !dt.isNumber() || dt == dBool {
		return nil, c.plain("this astype")
	}
	for _, v := range out.objs {
		if v.null() && dt.isInt() {
			return nil, valueError("Cannot convert float NaN to integer")
		}
	}
	if dt.isInt() {
		return m.asInt(out, dt)
	}
	return m.asFloat(out, dt)
}
