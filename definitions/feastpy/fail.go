package feastpy

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/registry"
)

// maxShown bounds the part of a long line that an error shows, in characters on
// either side of the caret; maxText bounds an exception's text.
const (
	maxShown = 80
	maxText  = 500
)

// fault makes the error for the user: one line, and the line of the repository
// that it is about.
func (t *trouble) fault(program string, a *answer) error {
	raised := clean(t.Type, maxText)
	if t.Message != "" {
		raised += ": " + clean(t.Message, maxText)
	}
	switch t.Kind {
	case "missing":
		return fault.New(fault.Invalid, "%s has no Feast; install it there with `%s -m pip install feast`, or name another program: --python=/path/to/venv/bin/python", program, program)
	case "broken":
		return fault.New(fault.Invalid, "%s cannot import feast: %s; repair that installation, or name another program: --python=/path/to/venv/bin/python", program, raised)
	case "unknown":
		return fault.New(fault.Invalid, "Feast %s in %s has no parse_repo that banquet knows (%s); install Feast %s there", clean(a.Feast, 40), program, raised, registry.FeastVersion)
	case "kinds":
		return fault.New(fault.Invalid, "Feast %s in %s gives %s, which banquet does not know; use Feast %s", clean(a.Feast, 40), program, clean(t.Message, 80), registry.FeastVersion)
	case "exit":
		return t.at("the file ends the program with sys.exit(%s)", clean(t.Message, maxText))
	case "object":
		return t.at("Feast refuses %s: %s", clean(t.Object, maxText), raised)
	case "twice":
		return t.at("%s is defined twice, as %s; use one object for both or give one another name", clean(t.Object, maxText), clean(t.Message, maxText))
	case "code":
		return t.code(program, raised)
	}
	return fault.New(fault.Internal, "reading with Python failed: %s", raised)
}

// code is the fault of an exception in the repository's code, or of Feast about it.
func (t *trouble) code(program, raised string) error {
	switch {
	case t.Type == "ModuleNotFoundError":
		raised += "; install it for " + program
	case t.File == "":
		raised = "Feast cannot read the repository: " + raised
	case t.Line == 0 && t.Bound != "":
		raised = fmt.Sprintf("Feast cannot read what %s is bound to: %s", clean(t.Bound, maxText), raised)
	}
	return t.at("%s", raised)
}

// at makes an error with its place, in the form of package definitions.
func (t *trouble) at(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if t.File == "" {
		return fault.New(fault.Invalid, "%s", text)
	}
	place := clean(t.File, maxText)
	if t.Line > 0 {
		place = fmt.Sprintf("%s:%d", place, t.Line)
	}
	full := place
	if t.Column > 0 {
		full = fmt.Sprintf("%s:%d", place, t.Column)
	}
	return fault.New(fault.Invalid, "%s: %s%s", full, text, t.shown()).About("definition", place, "")
}

// shown is the line of the source, and a caret if the column is known.
func (t *trouble) shown() string {
	line := []rune(t.Source)
	if strings.TrimSpace(t.Source) == "" {
		return ""
	}
	at := max(min(t.Column-1, len(line)), 0)
	before, after := printable(line[:at]), printable(line[at:])
	if r := []rune(before); len(r) > maxShown {
		before = "…" + string(r[len(r)-maxShown:])
	}
	if r := []rune(after); len(r) > maxShown {
		after = string(r[:maxShown]) + "…"
	}
	if t.Column <= 0 {
		return "\n    " + after
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, before)
	return "\n    " + before + after + "\n    " + pad + "^"
}

// printable removes characters that control a terminal.
func printable(line []rune) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, string(line))
}

// clean turns a text into one line of bounded length.
func clean(text string, longest int) string {
	r := []rune(printable([]rune(strings.Join(strings.Fields(text), " "))))
	if len(r) > longest {
		return string(r[:longest]) + "…"
	}
	return string(r)
}
