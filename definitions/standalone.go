package definitions

import (
	"fmt"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
)

// pythonBuiltins are the names that every text of Python has.
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

// runner says how Feast reads the function of a view back from a registry.
type runner uint8

const (
	// runsText: the text is run, without decorators, where only pandas and numpy
	// are known by their usual names; the pickle is looked at when that fails.
	runsText runner = iota
	// runsPandas is runsText that also evaluates the function's annotations.
	runsPandas
	// loadsPickle: only the pickle is looked at.
	loadsPickle
)

// runnerOf tells how Feast reads functions of a mode.
func runnerOf(mode string) runner {
	switch mode {
	case "python":
		return runsText
	case "pandas":
		return runsPandas
	}
	return loadsPickle
}

// unreadable says why Feast cannot read the function of a view back from its
// text alone; nil when it can. Without the pickle, which only Python makes, all
// of Feast's commands would end at such a view.
func (a *args) unreadable(of string, t *transformation, how runner) error {
	if t == nil {
		return nil
	}
	name, text := t.proto.GetName(), t.proto.GetBodyText()
	refuse := func(at int, format string, v ...any) error {
		message := fmt.Sprintf("function %s of %s ", name, of) + fmt.Sprintf(format, v...)
		if t.fn != nil && at >= 0 && text == t.fn.Source {
			return t.fn.Fail(at, "%s", message)
		}
		return a.call.Fail("%s", message)
	}
	const pickle = "or read the repository with --python, which keeps Feast's pickle"
	if how == loadsPickle {
		return refuse(0, "is read by Feast from its pickle only, which banquet cannot make; read the repository with --python")
	}
	source := withoutDecorators(text)
	from := len(text) - len(source)
	alone, err := python.ReadAlone(source)
	switch {
	case strings.HasPrefix(strings.TrimSpace(source), "@"):
		return refuse(0, "is kept by a text whose decorators Feast cannot take off: a quote or a bracket in a comment between their brackets is in the way; take it out of the comment")
	case strings.TrimSpace(text) == "":
		return refuse(-1, "has no udf_string; give it the text of the function, a def")
	case err != nil:
		return refuse(-1, "is kept by a text that cannot be read by itself: %s; write a def of one piece, %s", firstLine(err), pickle)
	case len(alone.Functions) == 0:
		return refuse(0, "is kept by a text that defines no function; write a def, %s", pickle)
	case len(alone.Functions) > 1 && !slices.Contains(alone.Functions, name):
		return refuse(-1, "is kept by a text that does not define it; write a def called %s, %s", name, pickle)
	}
	for _, f := range alone.Free {
		if known(f.Name) || f.Hint && how != runsPandas {
			continue
		}
		if f.Late {
			return refuse(from+f.At, "uses '%s', which its own text does not define: Feast runs the text alone; define or import it inside the function", f.Name)
		}
		return refuse(from+f.At, "uses '%s', which its own text does not define; write it without, %s", f.Name, pickle)
	}
	if r := alone.Returns; how == runsPandas && r != "" && r != "pd.DataFrame" && r != "pandas.DataFrame" {
		return refuse(-1, "says that it returns %s; a function of mode pandas returns pd.DataFrame", r)
	}
	return t.otherDecorators(refuse)
}

// otherDecorators refuses decorators beside the one that makes the view: Feast
// takes all of them off.
func (t *transformation) otherDecorators(refuse func(at int, format string, v ...any) error) error {
	if t.fn == nil || t.fn.Source != t.proto.GetBodyText() {
		return nil
	}
	if n := t.fn.Decorators; n > t.own {
		return refuse(0, "has %d decorators that Feast takes off when it reads it back; define it without them", n-t.own)
	}
	return nil
}

func known(name string) bool {
	switch name {
	case "pd", "pandas", "np", "numpy":
		return true
	}
	return slices.Contains(strings.Fields(pythonBuiltins), name)
}

// withoutDecorators takes the decorators off a text by Feast's rules, which go
// by brackets and quotes: an apostrophe in a comment between the brackets makes
// them take all, and the text then stays as it is.
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

// afterBracket is what follows a bracketed text.
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
