package definitions

import (
	"context"
	"strings"
)

// Locate finds a text in the Python files below root, and returns the path of the file and
// the line, from 1, where the text begins. The path is empty if no file has the text.
func Locate(ctx context.Context, root, text string) (file string, line int) {
	lead := text[:len(text)-len(strings.TrimLeft(text, "\r\n"))]
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if text == "" {
		return "", 0
	}
	tree, err := openTree(root)
	if err != nil {
		return "", 0
	}
	defer tree.close()
	paths, err := tree.files(ctx)
	if err != nil {
		return "", 0
	}
	for _, path := range paths {
		f, err := tree.read(path)
		if err != nil {
			continue
		}
		source := strings.ReplaceAll(f.Source, "\r\n", "\n")
		if at := strings.Index(source, text); at >= 0 {
			return f.Name, 1 + strings.Count(source[:at], "\n") - strings.Count(lead, "\n")
		}
	}
	return "", 0
}
