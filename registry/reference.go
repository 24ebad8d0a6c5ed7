package registry

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/banquet-fs/banquet/fault"
)

// Reference is a parsed feature reference.
type Reference struct {
	View    string // without the version, if that is valid
	Version int    // -1: no version given
	Feature string
}

// ParseReference parses "view:feature" and "view@version:feature". The feature may
// contain more colons. An @ without a version after it is part of the name, as in
// Feast: such a view is not found then.
func ParseReference(text string) (Reference, error) {
	view, feature, ok := strings.Cut(text, ":")
	if !ok {
		return Reference{}, fault.New(fault.Invalid,
			"Invalid feature reference '%s'. Expected format: '<feature_view>:<feature>' or '<feature_view>@<version>:<feature>'", text)
	}
	ref := parseView(view)
	ref.Feature = feature
	return ref, nil
}

// parseView parses "view" and "view@version".
func parseView(view string) Reference {
	ref := Reference{View: view, Version: -1}
	name, version, ok := strings.Cut(view, "@")
	if !ok {
		return ref
	}
	if version == "" || strings.EqualFold(version, "latest") {
		ref.View = name
		return ref
	}
	if version[0] != 'v' && version[0] != 'V' {
		return ref
	}
	if n, ok := versionNumber(version[1:]); ok {
		ref.View, ref.Version = name, n
	}
	return ref // not a version: the whole part is the name
}

// name is the view's name with the version, if there is one.
func (r Reference) name() string {
	if r.Version < 0 {
		return r.View
	}
	return r.View + "@v" + strconv.Itoa(r.Version)
}

// versionNumber parses digits. A number too large for any view is still valid.
func versionNumber(digits string) (int, bool) {
	n, err := strconv.ParseUint(digits, 10, 63)
	if errors.Is(err, strconv.ErrRange) {
		return math.MaxInt, true
	}
	return int(n), err == nil
}
