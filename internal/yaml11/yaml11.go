// Package yaml11 says what a plain scalar is in YAML 1.1 as PyYAML reads it. The YAML
// library follows YAML 1.2 in part, where yes, 12:30:45 and 1:2 are texts and 1e3 is a number.
package yaml11

import "regexp"

// The tags of plain scalars (https://yaml.org/type).
const (
	Text  = "!!str"
	Bool  = "!!bool"
	Int   = "!!int"
	Float = "!!float"
	Null  = "!!null"
	Time  = "!!timestamp"
	Merge = "!!merge"
	Value = "!!value"
)

// scalars has one group for each of its tags, in the order of tags.
var scalars = regexp.MustCompile(`^(?:(yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)` +
	`|([-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))` +
	`|([-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)` +
	`|(<<)|(~|null|Null|NULL|)|(=)` +
	`|([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?))$`)

// Tag returns the tag of a scalar without quotes.
func Tag(plain string) string {
	m := scalars.FindStringSubmatchIndex(plain)
	if m == nil {
		return Text
	}
	for i, tag := range [...]string{Bool, Float, Int, Merge, Null, Value, Time} {
		if m[2*i+2] >= 0 {
			return tag
		}
	}
	return Text
}
