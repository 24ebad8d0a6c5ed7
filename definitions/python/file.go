// Package python reads the declarative part of Python: modules that build
// objects by calls, as feature repositories do. It never runs Python. Functions
// of the files themselves are evaluated where their result is needed; what the
// reader cannot know, such as what a third-party package gives, is carried along
// as Unknown and matters only where a definition uses it.
//
// The reader answers as Python does or not at all: what it does not read ends in
// an error that says so, or in Unknown, never in a guess. Its errors are of two
// sorts. Exceptions of Python are caught by the except clauses of the files;
// refusals of the reader are not.
//
// Work and memory are bounded: files that do not end are given up.
package python

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/banquet-fs/banquet/definitions/tokens"
	"github.com/banquet-fs/banquet/fault"
)

// maxShown bounds how much of a long line an error shows.
const maxShown = 160

// File is a Python file.
type File struct {
	// Name is the path as errors show it, relative to the repository.
	Name string
	// Path is the value of __file__.
	Path   string
	Source string
	own    bool // of the reader: no error points into it
}

// fail makes an error at a byte of the file: where, what, the line and a caret.
func (f *File) fail(at int, format string, args ...any) *fault.Error {
	if f.own { // it gets its place where the file calls
		return fault.New(fault.Invalid, format, args...)
	}
	at = max(min(at, len(f.Source)), 0)
	start := strings.LastIndexByte(f.Source[:at], '\n') + 1
	end := len(f.Source)
	if i := strings.IndexByte(f.Source[start:], '\n'); i >= 0 {
		end = start + i
	}
	column := len([]rune(f.Source[start:at])) + 1
	before, after := shown(f.Source[start:at]), shown(strings.TrimRight(f.Source[min(at, end):end], "\r"))
	if r := []rune(before); len(r) > maxShown/2 {
		before = "…" + string(r[len(r)-maxShown/2:])
	}
	if r := []rune(after); len(r) > maxShown/2 {
		after = string(r[:maxShown/2]) + "…"
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, before)
	place := fmt.Sprintf("%s:%d", f.Name, f.line(at))
	return fault.New(fault.Invalid, "%s:%d: %s\n    %s%s\n    %s^", place, column, fmt.Sprintf(format, args...), before, after, pad).
		About("definition", place, "")
}

// shown is a piece of a line without what a terminal would obey.
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r // that of bytes that are no UTF-8 is this error, too
	}, s)
}

// place gives an error of package tokens its place.
func (f *File) place(err error) error {
	var e *tokens.Error
	if errors.As(err, &e) {
		return f.fail(e.At, "%s", e.Text)
	}
	return err
}

// line is the number of the line that a byte stands in, from 1.
func (f *File) line(at int) int {
	return strings.Count(f.Source[:max(min(at, len(f.Source)), 0)], "\n") + 1
}
