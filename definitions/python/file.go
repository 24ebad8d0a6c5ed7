// Package python evaluates the declarative part of Python: modules that build
// objects by calls, as feature repositories do. It never runs Python. Functions
// of the files are evaluated where their result is needed. A value that the
// reader cannot know, such as the result of a third-party package, is Unknown,
// and matters only if a definition uses it.
//
// The reader gives Python's result or none: what it does not support ends in an
// error that says so, or in Unknown, never in a guess. There are two kinds of
// errors. Exceptions of Python can be caught by the except clauses of the files;
// refusals of the reader cannot.
//
// Work and memory are bounded: files that do not end are stopped.
package python

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/banquet-fs/banquet/definitions/tokens"
	"github.com/banquet-fs/banquet/fault"
)

// maxShown bounds the part of a long line that an error shows.
const maxShown = 160

// File is a Python file.
type File struct {
	// Name is the relative path in the repository, as errors show it.
	Name string
	// Path is the value of __file__.
	Path   string
	Source string
	own    bool // a file of the reader: errors do not point into it
	parsed *parsed
	lines  []int // starts of the lines, once they are needed
}

// parsed is the result of parsing a file.
type parsed struct {
	body []stmt
	err  error
}

// round is the work of one round of a loop besides its expressions; those of the
// reader's own files are not counted one by one.
func (f *File) round() int {
	if f.own {
		return 6
	}
	return 1
}

// fail makes an error at a byte of the file: place, message, the line and a caret.
func (f *File) fail(at int, format string, args ...any) *fault.Error {
	if f.own { // the calling file adds the place
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

// shown removes characters that a terminal would interpret.
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && unicode.IsControl(r) {
			return utf8.RuneError
		}
		return r // invalid UTF-8 decodes to this character, too
	}, s)
}

// place adds the place to an error of package tokens.
func (f *File) place(err error) error {
	var e *tokens.Error
	if errors.As(err, &e) {
		return f.fail(e.At, "%s", e.Text)
	}
	return err
}

// line is the number of the line that contains a byte, from 1.
func (f *File) line(at int) int {
	if f.lines == nil {
		f.lines = []int{0}
		for i := range len(f.Source) {
			if f.Source[i] == '\n' {
				f.lines = append(f.lines, i+1)
			}
		}
	}
	n, found := slices.BinarySearch(f.lines, max(at, 0))
	if found {
		n++
	}
	return n
}
