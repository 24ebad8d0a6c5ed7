package definitions

import (
	"regexp"
	"slices"
	"strings"
)

// Patterns of module lines that may affect other files. A file that matches none
// and does not use Feast is not evaluated.
var (
	changes = regexp.MustCompile(`^\s*\w+(\.\w+)+\s*([-+|]?=[^=])|^\s*\w[\w.]*\.(append|extend|insert|update|pop|popitem|remove|clear|setdefault|add|discard|sort|reverse)\(|\w\]\s*=[^=]|\bsetattr\(|\bdelattr\(|\bchdir\(|(simplefilter|filterwarnings)\(.*error`)
	writes  = regexp.MustCompile(`open\(.*["'][rb+]*[wax]|\.(write|write_text|write_bytes|to_csv|to_json|touch|unlink|rename|replace|rmdir|mkdir|dump|save|system|popen)\(|\b(subprocess|shutil)\.|\bos\.(remove|rename|replace|unlink|makedirs)\b`)
)

// changesImported reports whether a module changes something that it imports.
func changesImported(source string) bool {
	return slices.ContainsFunc(moduleLines(source), changes.MatchString)
}

// moduleLines are the lines that run when a file is imported, judged by its text:
// those outside of functions, classes and the main block.
func moduleLines(source string) []string {
	var out []string
	outside := true
	for line := range strings.Lines(source) {
		if line = strings.TrimRight(line, "\r\n"); line == "" || line[0] == '#' {
			continue
		}
		if line[0] != ' ' && line[0] != '\t' && line[0] != ')' {
			outside = true
			for _, start := range []string{"def ", "async def ", "class ", "if __name__"} {
				outside = outside && !strings.HasPrefix(line, start)
			}
		}
		if outside {
			out = append(out, line)
		}
	}
	return out
}
