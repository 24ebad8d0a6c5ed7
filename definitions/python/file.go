// Package python reads the declarative part of Python: modules that build
// objects by calls, as feature repositories do. It never runs Python. Functions
// of the file itself are evaluated where their result is needed; what the
// reader cannot know, such as what a third-party package gives, is carried along
// as Unknown and matters only where a definition uses it.
package python

import (
	"fmt"
	"strings"

	"github.com/banquet-fs/banquet/fault"
)

// File is a Python file.
type File struct {
	// Name is the path as errors show it.
	Name   string
	Source string
}

// fail makes an error at a byte of the file: where, what, the line and a caret.
func (f *File) fail(at int, format string, args ...any) error {
	at = min(at, len(f.Source))
	line := strings.Count(f.Source[:at], "\n") + 1
	start := strings.LastIndexByte(f.Source[:at], '\n') + 1
	end := len(f.Source)
	if i := strings.IndexByte(f.Source[start:], '\n'); i >= 0 {
		end = start + i
	}
	shown := strings.TrimRight(f.Source[start:end], "\r")
	column := len([]rune(f.Source[start:at])) + 1
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, f.Source[start:at])
	return fault.New(fault.Invalid, "%s:%d:%d: %s\n    %s\n    %s^", f.Name, line, column, fmt.Sprintf(format, args...), shown, pad).
		About("definition", fmt.Sprintf("%s:%d", f.Name, line), "")
}
