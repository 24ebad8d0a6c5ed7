package library

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// scalars are the forms of plain scalars of YAML 1.1, in the order in which
// PyYAML tries them.
type scalars struct{ yes, no, float, integer, null, date, moment *regexp.Regexp }

func newScalars() *scalars {
	whole := func(s string) *regexp.Regexp { return regexp.MustCompile(`\A(?:` + s + `)\z`) }
	return &scalars{
		yes: whole(`yes|Yes|YES|true|True|TRUE|on|On|ON`), no: whole(`no|No|NO|false|False|FALSE|off|Off|OFF`),
		float: whole(`[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?` +
			`|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)`),
		integer: whole(`[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+`),
		null:    whole(`~|null|Null|NULL|`),
		date:    whole(`[0-9]{4}-[0-9][0-9]-[0-9][0-9]`),
		moment: whole(`([0-9]{4})-([0-9][0-9]?)-([0-9][0-9]?)(?:[Tt]|[ \t]+)([0-9][0-9]?):([0-9][0-9]):([0-9][0-9])(?:\.([0-9]*))?` +
			`(?:[ \t]*(?:Z|[-+][0-9][0-9]?(?::[0-9][0-9])?))?`),
	}
}

// value is the value of a plain scalar.
func (forms *scalars) value(s string) (any, error) {
	switch {
	case forms.yes.MatchString(s):
		return true, nil
	case forms.no.MatchString(s):
		return false, nil
	case forms.float.MatchString(s):
		return yamlFloat(s)
	case forms.integer.MatchString(s):
		return yamlInt(s)
	case s == "<<" || s == "=":
		return nil, fmt.Errorf("%s stands as a value; quote it", s)
	case forms.null.MatchString(s):
		return nil, nil
	case forms.date.MatchString(s):
		t, err := time.Parse("2006-01-02", s)
		if err != nil || t.Year() < 1 {
			return nil, fmt.Errorf("%s is not a date", s)
		}
		return datetime{at: t, dateOnly: true}, nil
	case forms.moment.MatchString(s):
		return nil, fmt.Errorf("%s is a point in time; quote it", s)
	}
	return s, nil
}

func sign(s string) (int64, string) {
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		return -1, rest
	}
	return 1, strings.TrimPrefix(s, "+")
}

func yamlInt(text string) (any, error) {
	by, s := sign(strings.ReplaceAll(text, "_", ""))
	base := 10
	switch {
	case s == "0":
		return int64(0), nil
	case strings.HasPrefix(s, "0b"):
		base, s = 2, s[2:]
	case strings.HasPrefix(s, "0x"):
		base, s = 16, s[2:]
	case strings.HasPrefix(s, "0"):
		base = 8
	case strings.Contains(s, ":"):
		total := int64(0)
		for part := range strings.SplitSeq(s, ":") {
			n, err := strconv.ParseInt(part, 10, 64)
			if err != nil || total > math.MaxInt64/60-60 {
				return nil, fmt.Errorf("the integer %s is not read", text)
			}
			total = total*60 + n
		}
		return by * total, nil
	}
	n, err := strconv.ParseInt(s, base, 64)
	if err != nil {
		return nil, fmt.Errorf("the integer %s is not read", text)
	}
	return by * n, nil
}

func yamlFloat(text string) (any, error) {
	by, s := sign(strings.ToLower(strings.ReplaceAll(text, "_", "")))
	switch {
	case s == ".inf":
		return math.Inf(int(by)), nil
	case s == ".nan":
		return math.NaN(), nil
	case strings.Contains(s, ":"):
		return nil, fmt.Errorf("the number %s by sixties is not read", text)
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, fmt.Errorf("the number %s is not read", text)
	}
	return float64(by) * f, nil
}
