package definitions

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
)

// pythonBuiltins are the names that exist in every Python module.
const pythonBuiltins = `ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError BufferError BytesWarning
	ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError Ellipsis EncodingWarning EnvironmentError
	Exception ExceptionGroup False FileExistsError FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError ImportError ImportWarning IndentationError
	IndexError InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError None NotADirectoryError NotImplemented
	NotImplementedError OSError OverflowError PendingDeprecationWarning PermissionError ProcessLookupError RecursionError ReferenceError ResourceWarning RuntimeError
	RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError True TypeError UnboundLocalError UnicodeDecodeError
	UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning UserWarning ValueError Warning ZeroDivisionError __build_class__ __builtins__ __debug__ __import__
	__name__ abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex delattr dict dir divmod enumerate eval exec filter
	float format frozenset getattr globals hasattr hash hex id input int isinstance issubclass iter len list locals map max memoryview min next object oct open ord pow
	print property range repr reversed round set setattr slice sorted staticmethod str sum super tuple type vars zip`

// runner is how Feast restores the function of a view from a registry.
type runner uint8

const (
	// runsText: Feast runs the text, without decorators; only pandas and numpy are
	// known by their usual names, and annotations are not evaluated. If that fails,
	// Feast uses the pickle.
	runsText runner = iota
	// runsPandas is runsText that also evaluates the function's annotations.
	runsPandas
	// loadsPickle: Feast uses only the pickle.
	loadsPickle
	// failsWithout: Feast fails unless the pickle is its own.
	failsWithout
)

// runnerOf returns how Feast restores functions of a mode.
func runnerOf(mode string) runner {
	switch mode {
	case "python":
		return runsText
	case "pandas":
		return runsPandas
	}
	return failsWithout
}

// readBack is how Feast will restore the function of a view from a registry that
// does not have Feast's own pickle.
type readBack struct {
	// pickle replaces Feast's own; nil if the text is sufficient.
	pickle []byte
	// err says why it cannot be restored: all Feast commands would fail at the view.
	err error
}

// readsBack determines how Feast will restore the function of a view.
func (a *args) readsBack(of string, t *transformation, how runner) readBack {
	if t == nil || a.err != nil {
		return readBack{}
	}
	f := &function{call: a.call, of: of, t: t, how: how}
	problem, final := f.checkText()
	if problem == nil && how != loadsPickle || final {
		return readBack{err: problem}
	}
	pickle, err := f.pickle()
	switch {
	case err == nil:
		return readBack{pickle: pickle}
	case problem == nil:
		problem = err
	}
	return readBack{err: problem}
}

// function is the function of a view while it is checked.
type function struct {
	call *python.Call
	of   string // the view, for errors
	t    *transformation
	how  runner
}

const withPython = "or read the repository with --python, which keeps Feast's pickle"

// refuse makes an error at a byte of the function's own text; -1 means the call.
func (f *function) refuse(at int, format string, v ...any) error {
	message := fmt.Sprintf("function %s of %s ", f.t.proto.GetName(), f.of) + fmt.Sprintf(format, v...)
	if at >= 0 && f.t.fn != nil && f.t.fn.Source != "" {
		return f.t.fn.Fail(at, "%s", message)
	}
	return f.call.Fail("%s", message)
}

// at converts a byte offset of the text to one of the function's own; -1 if that
// text differs.
func (f *function) at(i int) int {
	if f.t.fn == nil || f.t.fn.Source != f.t.proto.GetBodyText() {
		return -1
	}
	return i
}

// checkFree finds a name that the text uses and that neither the text nor Feast
// defines. into is the offset of the text in the function's own.
func (f *function) checkFree(alone *python.Alone, into int) (problem error, final bool) {
	late := -1
	for i, n := range alone.Free {
		switch {
		case known(n.Name) || n.Hint && (n.Late || f.how != runsPandas):
		case n.Hint:
			return f.refuse(f.at(into+n.At), "has an annotation with '%s', which its own text does not define and Feast evaluates; write it without that name", n.Name), true
		case !n.Late:
			return f.refuse(f.at(into+n.At), "uses '%s', which its own text does not define; write it without that name, %s", n.Name, withPython), false
		case late < 0:
			late = i
		}
	}
	if late < 0 {
		return nil, false
	}
	n := alone.Free[late]
	return f.refuse(f.at(into+n.At), "uses '%s', which its own text does not define: Feast runs the text alone; define or import it inside the function", n.Name), true
}

// checkText says why the text alone is not sufficient; final if a pickle would
// not help.
func (f *function) checkText() (problem error, final bool) {
	name, text := f.t.proto.GetName(), f.t.proto.GetBodyText()
	switch f.how {
	case loadsPickle:
		return nil, false
	case failsWithout:
		return f.refuse(0, "has a mode for which Feast reads only its own pickles; use mode=\"python\" or \"pandas\", %s", withPython), true
	}
	source := withoutDecorators(text)
	alone, err := python.ReadAlone(source)
	switch {
	case strings.TrimSpace(text) == "":
		return f.refuse(-1, "has no udf_string; give it the text of the function, a def"), strings.HasPrefix(f.of, "on-demand")
	case strings.HasPrefix(strings.TrimSpace(source), "@"):
		return f.refuse(f.at(0), "has a text whose decorators Feast cannot remove, because of a quote or a bracket in a comment between their brackets; remove it from the comment"), true
	case err != nil:
		return f.refuse(-1, "has a text that cannot be read by itself: %s; write one complete def, %s", firstLine(err), withPython), false
	case len(alone.Functions) == 0:
		return f.refuse(f.at(0), "has a text that defines no function; write a def, %s", withPython), false
	case len(alone.Functions) > 1 && !slices.Contains(alone.Functions, name):
		return f.refuse(-1, "has a text that does not define it; write a def named %s, %s", name, withPython), true
	}
	if problem, final := f.checkFree(alone, len(text)-len(source)); problem != nil {
		return problem, final
	}
	if problem := f.otherDecorators(); problem != nil && f.t.fn.Source == text {
		return problem, true
	}
	return f.returns(alone.Returns), true
}

// otherDecorators refuses decorators other than the one that creates the view:
// Feast removes all of them.
func (f *function) otherDecorators() error {
	if f.t.fn == nil || f.t.fn.Decorators <= f.t.own {
		return nil
	}
	return f.refuse(0, "has another decorator, which Feast removes when it reads the function back; define the function without it")
}

// returns refuses a return annotation that Feast refuses for the mode.
func (f *function) returns(annotation string) error {
	if f.how != runsPandas || annotation == "" || annotation == "pd.DataFrame" || annotation == "pandas.DataFrame" {
		return nil
	}
	return f.refuse(-1, "is annotated to return %s; a function of mode pandas returns pd.DataFrame", annotation)
}

func known(name string) bool {
	switch name {
	case "pd", "pandas", "np", "numpy":
		return true
	}
	return slices.Contains(strings.Fields(pythonBuiltins), name)
}

// pickle makes a pickle from which Python loads the function: its own text, run
// after the imports of its module that it needs.
func (f *function) pickle() ([]byte, error) {
	fn := f.t.fn
	if fn == nil || fn.Source == "" {
		return nil, f.refuse(-1, "is read by Feast from its pickle, which banquet can make only from a def; write a def, or read the repository with --python")
	}
	if err := f.otherDecorators(); err != nil {
		return nil, err
	}
	source := withoutDecorators(fn.Source)
	alone, err := python.ReadAlone(source)
	if err != nil || len(alone.Functions) != 1 {
		return nil, f.refuse(0, "cannot be read by itself; write it as one def without comments among its decorators, %s", withPython)
	}
	var imports []string
	for _, n := range alone.Free {
		if slices.Contains(strings.Fields(pythonBuiltins), n.Name) {
			continue
		}
		line, ok := f.call.Import(fn, n.Name)
		if !ok && n.Quoted && f.how != runsPandas {
			continue
		}
		if !ok {
			return nil, f.refuse(len(fn.Source)-len(source)+n.At, "uses '%s', which is neither its own nor an import of its module; define it inside the function, %s", n.Name, withPython)
		}
		if !slices.Contains(imports, line) {
			imports = append(imports, line)
		}
	}
	if err := f.returns(alone.Returns); err != nil {
		return nil, err
	}
	return pickleOf(strings.Join(append(imports, source), "\n"), fn.Name), nil
}

// pickleOf writes a pickle of the function that a text defines: Python's exec
// runs the text in a dict, and the function is taken from there.
func pickleOf(text, name string) []byte {
	b := []byte("\x80\x04}\x94") // protocol 4, an empty dict, memo 0
	push := func(s string) {
		b = append(b, 'X')
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s))) //nolint:gosec // texts of files are far smaller
		b = append(b, s...)
	}
	push("__name__")
	push("__main__")
	b = append(b, "s0cbuiltins\nexec\n"...) // set the item; pop the dict; the function exec
	push(text)
	b = append(b, "h\x00\x86R0coperator\ngetitem\nh\x00"...) // exec(text, dict); getitem(dict, name)
	push(name)
	return append(b, "\x86R."...)
}

// withoutDecorators removes the decorators from a text by Feast's rules, which
// count brackets and quotes: an apostrophe in a comment between the brackets
// makes them remove everything; the text is then left as it is.
func withoutDecorators(text string) string {
	s := strings.TrimLeft(text, " \t\n\r\f\v")
	if !strings.HasPrefix(s, "@") {
		return s
	}
	for {
		s = strings.TrimLeft(s, " \t\r\n")
		switch {
		case strings.HasPrefix(s, "#"):
			s = s[strings.IndexByte(s+"\n", '\n'):]
			continue
		case !strings.HasPrefix(s, "@"):
			if strings.TrimSpace(s) == "" {
				return text
			}
			return s
		}
		s = strings.TrimLeft(s[1:], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._")
		s = strings.TrimLeft(s, " \t")
		if strings.HasPrefix(s, "(") {
			s = strings.TrimLeft(afterBracket(s), " \t\r")
			s = strings.TrimPrefix(s, "\n")
			continue
		}
		s = s[strings.IndexByte(s+"\n", '\n'):]
	}
}

// afterBracket returns the text after a bracketed part.
func afterBracket(s string) string {
	depth, quote := 0, ""
	for i := 0; i < len(s); i++ {
		switch rest := s[i:]; {
		case quote != "" && rest[0] == '\\':
			i++
		case quote != "" && strings.HasPrefix(rest, quote):
			i += len(quote) - 1
			quote = ""
		case quote != "":
		case strings.HasPrefix(rest, `"""`), strings.HasPrefix(rest, "'''"):
			quote = rest[:3]
			i += 2
		case rest[0] == '"', rest[0] == '\'':
			quote = rest[:1]
		case rest[0] == '(':
			depth++
		case rest[0] == ')':
			if depth--; depth == 0 {
				return s[i+1:]
			}
		}
	}
	return ""
}
