package transform

import "strings"

// kind is the kind of a value that a function computes with.
type kind uint8

const (
	kNone      kind = iota
	kBool           // i: 0 or 1
	kInt            // i
	kFloat          // f
	kText           // s
	kTime           // i: microseconds since 1970; w is dTime for a time with a zone (UTC)
	kDelta          // i: microseconds; w is dDelta for a Timedelta, which pandas keeps in nanoseconds
	kNaT            // a missing time
	kList           // ref: *list
	kTuple          // ref: *list
	kSet            // ref: *list
	kDict           // ref: *dict
	kRange          // ref: *list of the numbers
	kColumn         // ref: *column
	kFrame          // ref: *frame
	kText2          // ref: *column, its .str
	kTimes          // ref: *column, its .dt
	kModule         // s: module
	kNative         // ref: *native
	kLambda         // ref: *closure or *function
	kDType          // w
	kRow            // ref: *row of a frame
	kSlice          // ref: *slice
	kOpaque         // a value that functions can only test for null; ref: *ndarray if it is a list
	kLoc            // ref: *frame, its .loc
	kIter           // ref: *items
	kUnset          // a variable without a value
	kBytes          // s
	kHash           // s: its digest in hexadecimal
	kBig            // ref: *big.Int, an integer of more than 64 bits
	kMatch          // ref: *match
	kPattern        // ref: *reCall
	kError          // s: the class of a caught exception
	kMatrix         // ref: *frame, its values
	kNA             // pd.NA
	kExtension      // ref: *column of an extension type
)

// dtype is a type of NumPy.
type dtype uint8

const (
	dNone dtype = iota
	dBool
	dInt8
	dInt16
	dInt32
	dInt64
	dUint8
	dUint16
	dUint32
	dFloat32
	dFloat64
	dObject
	dTime
	dDelta
	dDate // of a single time: datetime.date
)

var dtypeNames = [...]string{"", "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "float32", "float64", "object", "datetime64", "timedelta64", "date"}

func (d dtype) String() string { return dtypeNames[d] }
func (d dtype) isInt() bool    { return d >= dInt8 && d <= dUint32 }
func (d dtype) isFloat() bool  { return d == dFloat32 || d == dFloat64 }
func (d dtype) isNumber() bool { return d >= dBool && d <= dFloat64 }

// bits is the width of an integer type.
func (d dtype) bits() int {
	switch d {
	case dInt8, dUint8, dBool:
		return 8
	case dInt16, dUint16:
		return 16
	case dInt32, dUint32, dFloat32:
		return 32
	}
	return 64
}

func (d dtype) unsigned() bool { return d >= dUint8 && d <= dUint32 }

// wrap cuts an integer to the width of its type, as NumPy does.
func (d dtype) wrap(i int64) int64 {
	switch d {
	case dInt8:
		return int64(int8(i))
	case dInt16:
		return int64(int16(i))
	case dInt32:
		return int64(int32(i))
	case dUint8:
		return int64(uint8(i))
	case dUint16:
		return int64(uint16(i))
	case dUint32:
		return int64(uint32(i))
	}
	return i
}

// fits reports whether an integer is within the range of a type.
func (d dtype) fits(i int64) bool { return d.wrap(i) == i }

// val is a value of Python or NumPy. Its zero is None.
type val struct {
	k kind
	// w is the type of a NumPy scalar; dNone for values of Python itself.
	w   dtype
	i   int64
	f   float64
	s   string
	ref any
}

type list struct{ items []val }

func boolVal(b bool) val {
	v := val{k: kBool}
	if b {
		v.i = 1
	}
	return v
}

func intVal(i int64) val      { return val{k: kInt, i: i} }
func floatVal(f float64) val  { return val{k: kFloat, f: f} }
func textVal(s string) val    { return val{k: kText, s: s} }
func listVal(items []val) val { return val{k: kList, ref: &list{items}} }

// colVal is a column as a value; nil is one without columns.
func colVal(c *column) val {
	if c != nil && c.ext != extNone {
		return val{k: kExtension, ref: c}
	}
	return val{k: kColumn, ref: c}
}

func (v val) col() *column { c, _ := v.ref.(*column); return c }

// isNumber reports whether v is a bool, int or float scalar.
func (v val) isNumber() bool { return v.k >= kBool && v.k <= kFloat }

// isScalar reports whether v can be an element of a column.
func (v val) isScalar() bool { return v.k <= kNaT || v.k == kOpaque }

// float is the value of a number as a float.
func (v val) float() float64 {
	if v.k == kFloat {
		return v.f
	}
	return float64(v.i)
}

// ndarray is a list of a column of the mode pandas; dt is the type of its items.
type ndarray struct {
	items []val
	dt    dtype
}

// extended reports whether v has operators of its own, which are not computed: a match, an
// array of two dimensions, pd.NA, a column of an extension type and others.
func (v val) extended() bool { return v.k >= kBytes }

// null is pandas' isna of a scalar.
func (v val) null() bool {
	return v.k == kNone || v.k == kNaT || v.k == kNA || v.k == kFloat && v.f != v.f
}

// typeName is Python's name of the type of v.
func (v val) typeName() string {
	if v.w != dNone && v.isNumber() {
		return "numpy." + v.w.String()
	}
	switch v.k {
	case kNone:
		return "NoneType"
	case kBool:
		return "bool"
	case kInt:
		return "int"
	case kFloat:
		return "float"
	case kText:
		return "str"
	case kTime:
		return "Timestamp"
	case kDelta:
		return "Timedelta"
	case kNaT:
		return "NaTType"
	case kList:
		return "list"
	case kTuple:
		return "tuple"
	case kSet:
		return "set"
	case kDict:
		return "dict"
	}
	return v.rareName()
}

func (v val) rareName() string {
	switch v.k {
	case kColumn:
		if v.col().array {
			return "ndarray of " + v.col().dt.String()
		}
		return "Series of " + v.col().dt.String()
	case kModule:
		return "module " + v.s
	case kNative:
		return "function " + v.s
	case kOpaque:
		return strings.TrimSpace("value " + v.s)
	case kExtension:
		return "Series of type " + v.col().ext.String()
	}
	if name := rareNames[v.k]; name != "" {
		return name
	}
	return "object"
}

// rareNames are the names of kinds that need nothing but their kind.
var rareNames = map[kind]string{
	kRange: "range", kFrame: "DataFrame", kLambda: "function", kText2: "Series.str", kTimes: "Series.dt", kRow: "row", kBytes: "bytes", kHash: "hash",
	kBig: "integer of more than 64 bits", kMatch: "match", kPattern: "pattern", kError: "caught exception", kMatrix: "array of two dimensions", kNA: "NAType",
}

// failure is an error of a function, before its place is known.
type failure struct {
	class, text string
	at          int
	// outside marks constructs that banquet does not compute.
	outside bool
	// data marks errors that depend on the values, not on their types.
	data bool
}

func (f *failure) Error() string {
	if f.class == "" {
		return f.text
	}
	return f.class + ": " + f.text
}
