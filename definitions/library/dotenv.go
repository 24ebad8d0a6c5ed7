package library

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/banquet-fs/banquet/definitions/python"
)

// dotenvModule is python-dotenv: the variables of a file .env.
func dotenvModule(r *disk, e *environ) names {
	return names{
		"load_dotenv": python.NewFunction("load_dotenv", "dotenv_path? stream? verbose? override? interpolate? encoding?", func(c *python.Call, a []any) (any, error) {
			d, err := r.dotenv(c, a)
			if err != nil {
				return nil, err
			}
			for k, v := range d.All() {
				if value, set := v.(string); set {
					if _, there, err := e.find(k); err != nil || there && a[3] != true {
						continue
					}
					if err := e.Put(k, value); err != nil {
						return nil, err
					}
				}
			}
			return d.Len() > 0, nil
		}),
		"dotenv_values": python.NewFunction("dotenv_values", "dotenv_path? stream? verbose? interpolate? encoding?", func(c *python.Call, a []any) (any, error) {
			d, err := r.dotenv(c, a)
			if err != nil {
				return nil, err
			}
			return d, nil
		}),
		"find_dotenv": python.NewFunction("find_dotenv", "filename? raise_error_if_not_found? usecwd?", func(c *python.Call, a []any) (any, error) {
			if a[0] != nil && a[0] != ".env" || a[1] != nil || a[2] != nil {
				return nil, fmt.Errorf("find_dotenv() with arguments is not read")
			}
			return r.beside(c, ".env")
		}),
	}
}

func (r *disk) dotenv(c *python.Call, a []any) (*python.Dict, error) {
	file := a[0]
	if a[1] != nil {
		return nil, fmt.Errorf("variables of a stream are not read; name the file")
	}
	if file == nil || file == "" {
		found, err := r.beside(c, ".env")
		if err != nil {
			return nil, err
		}
		file = found
	}
	f, err := r.open(file, nil, nil, nil)
	if python.ExceptionClass(err) == "FileNotFoundError" {
		return &python.Dict{}, nil
	}
	if err != nil {
		return nil, err
	}
	return parseDotenv(f.data)
}

// beside finds a file in the directory of the calling file or in the directories
// above it. If it is not in the repository it may be above the repository: that
// is refused.
func (r *disk) beside(c *python.Call, name string) (string, error) {
	for dir := path.Dir(c.File().Path); ; dir = path.Dir(dir) {
		at := path.Join(dir, name)
		if v, err := r.exists("isfile", at); err != nil || v == true {
			return at, err
		}
		if dir == r.dir || dir == path.Dir(dir) {
			return "", fmt.Errorf("no %s lies in the repository, and none is looked for above it; put one there, or leave it out", name)
		}
	}
}

// isOtherSpace reports whether Python may treat a character as space or as a line
// end, other than newline, blank and tab.
func isOtherSpace(r rune) bool {
	return r < ' ' && r != '\t' || r == 0x7f || r == 0x85 || r == 0xa0 || r >= 0x1680
}

// parseDotenv parses the unambiguous lines of a .env: values are plain, or quoted
// without escapes, and refer to no other variable.
func parseDotenv(s string) (*python.Dict, error) {
	line := regexp.MustCompile(`\A[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.\-]*)[ \t]*(?:=[ \t]*(?:'([^'\\]*)'[ \t]*(?:#.*)?|"([^"\\]*)"[ \t]*(?:#.*)?|([^'"# \t].*|)))?\z`)
	tail := regexp.MustCompile(`[ \t]+#.*`)
	d := &python.Dict{}
	for n, text := range strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n") {
		if t := strings.TrimLeft(text, " \t"); t == "" || t[0] == '#' {
			continue
		}
		m := line.FindStringSubmatch(text)
		if m == nil || strings.Contains(text, "${") || strings.ContainsFunc(text, isOtherSpace) {
			return nil, fmt.Errorf("line %d of this .env is not read: write NAME=value, or quote the value", n+1)
		}
		var v any
		switch {
		case m[2] != "" || m[3] != "":
			v = m[2] + m[3]
		case strings.Contains(text, "="):
			v = strings.TrimRight(tail.ReplaceAllString(m[4], ""), " \t")
		}
		if err := d.Put(m[1], v); err != nil {
			return nil, err
		}
	}
	return d, nil
}
