package config

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/banquet-fs/banquet/fault"
)

// FileName is the name of the configuration in a feature repository.
const FileName = "feature_store.yaml"

// The environment variables that Feast reads.
const (
	envBase64 = "FEATURE_STORE_YAML_BASE64"
	envFile   = "FEAST_FS_YAML_FILE_PATH"
)

// Env looks up environment variables.
type Env func(name string) (value string, ok bool)

// Load finds and reads the configuration of the feature repository dir: the text in
// FEATURE_STORE_YAML_BASE64 if that is set and encoded is true, else the file given, that
// of FEAST_FS_YAML_FILE_PATH, or feature_store.yaml in dir. The file may be a pipe. As in
// Feast, the paths of both are relative to the working directory, and those in the file to dir.
func Load(ctx context.Context, dir, file string, encoded bool, env Env) (*Config, error) {
	if text, ok := env(envBase64); ok && text != "" && encoded {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, fault.New(fault.Invalid, "%s is not base64", envBase64).Because(err)
		}
		return Parse(envBase64, dir, b, env)
	}
	if file == "" {
		file, _ = env(envFile)
	}
	if file == "" {
		file = filepath.Join(dir, FileName)
	}
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%s cannot be read: the working directory is unknown", file).Because(err)
	}
	b, err := read(ctx, file)
	if err != nil {
		return nil, err
	}
	return Parse(file, dir, b, env)
}

// maxFile bounds the size of a configuration, in bytes.
const maxFile = 4 << 20

// read reads a file or a pipe. The context ends the wait for a pipe that nobody writes; the
// read itself then ends with the process.
func read(ctx context.Context, file string) ([]byte, error) {
	type result struct {
		text []byte
		err  error
	}
	info, err := os.Stat(file)
	var r result
	switch {
	case err != nil:
		r.err = err
	case info.IsDir():
		return nil, fault.New(fault.Invalid, "%s is a directory; name the %s in it", file, FileName)
	case info.Mode().IsRegular():
		r.text, r.err = readAll(file)
	default:
		done := make(chan result, 1)
		go func() {
			text, err := readAll(file)
			done <- result{text, err}
		}()
		select {
		case <-ctx.Done():
			return nil, fault.New(fault.KindOf(ctx.Err()), "stopped while waiting for %s", file)
		case r = <-done:
		}
	}
	switch {
	case errors.Is(r.err, fs.ErrNotExist):
		return nil, fault.New(fault.Invalid, "Can't find feature repo configuration file at %s. Change to the feature repository, name it with --chdir, or make one with `banquet init`.", file).Because(r.err)
	case r.err != nil:
		return nil, fault.New(fault.Invalid, "%s cannot be read: %s", file, reason(r.err)).Because(r.err)
	case len(r.text) > maxFile:
		return nil, fault.New(fault.Invalid, "%s is larger than %d MiB, and no configuration; name the right file with --feature-store-yaml", file, maxFile>>20)
	}
	return r.text, nil
}

func readAll(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// reason is what the operating system says, without the path.
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

// Parse reads the text of a configuration. name is its name in errors, dir the
// feature repository. The error has all faults, one per line.
func Parse(name, dir string, text []byte, env Env) (*Config, error) {
	c := Default()
	c.Dir, c.File = dir, name
	d := newDecoder(name, c)
	root := d.parse(d.expand(string(text), env))
	if root == nil {
		return nil, d.err()
	}
	d.walk(root, d.index[""])
	d.stores(root, c)
	d.validate(c)
	if err := d.err(); err != nil {
		return nil, err
	}
	c.lines, c.warnings = d.lines, d.warnings
	return c, nil
}

// parse returns the mapping of the file, without aliases and merge keys; nil after a fault.
func (d *decoder) parse(text string) *yaml.Node {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		if strings.Contains(err.Error(), "unknown anchor") {
			d.anchor(text)
		} else {
			d.syntax(err)
		}
		return nil
	}
	if line := d.second(text); line > 0 {
		d.fault(line, "", "a second YAML document begins here; the file must have only one")
		return nil
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		d.fault(1, "", "the file holds no settings; project and registry are needed")
		return nil
	}
	root, err := flatten(doc.Content[0])
	if err != nil {
		d.syntax(err)
		return nil
	}
	return root
}

// second is the line of a second document of the file, which PyYAML refuses as well; 0 if
// there is none.
func (d *decoder) second(text string) int {
	documents := yaml.NewDecoder(strings.NewReader(text))
	var doc yaml.Node
	if err := documents.Decode(&doc); err != nil {
		return 0
	}
	var next yaml.Node
	switch err := documents.Decode(&next); {
	case errors.Is(err, io.EOF):
		return 0
	case err != nil:
		d.syntax(err)
		return 0
	}
	return max(1, next.Line)
}

// expand replaces $NAME and ${NAME} by environment variables, as Feast does before it
// reads the YAML. A variable that is not set is a fault: otherwise its name would be
// used as the value.
func (d *decoder) expand(text string, env Env) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		code, comment := splitComment(line)
		lines[i] = d.expandLine(i+1, code, env) + comment
	}
	return strings.Join(lines, "")
}

// splitComment separates a comment: a # at the start or after a blank, outside quotes.
func splitComment(line string) (code, comment string) {
	quote := byte(0)
	for i := range len(line) {
		switch c := line[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && (i == 0 || strings.IndexByte(" \t[{,:", line[i-1]) >= 0):
			quote = c
		case c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t'):
			return line[:i], line[i:]
		}
	}
	return line, ""
}

func (d *decoder) expandLine(line int, s string, env Env) string {
	var out strings.Builder
	secret := isSecret(s)
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 {
			out.WriteString(s)
			return out.String()
		}
		out.WriteString(s[:i])
		name, size := variable(s[i:])
		if name == "" {
			out.WriteByte('$')
			s = s[i+1:]
			continue
		}
		v, ok := env(name)
		switch {
		case !ok && secret && s[i+1] != '{':
			// A part of the password, as in Feast. It must not be in an error.
			v = s[i : i+size]
		case !ok:
			d.fault(line, "", "environment variable "+name+" is not set")
			v = s[i : i+size]
		case strings.ContainsAny(v, "\r\n"):
			d.fault(line, "", "environment variable "+name+" holds a line break, which is not allowed in the file")
			v = ""
		default:
			d.variables[line] = append(d.variables[line], "$"+name)
		}
		out.WriteString(v)
		s = s[i+size:]
	}
}

// isSecret reports whether a line sets a password.
func isSecret(line string) bool {
	key, _, ok := strings.Cut(strings.TrimLeft(line, " \t{,"), ":")
	return ok && strings.Trim(key, ` "'`) == "password"
}

// variable returns the name after a dollar sign, and the length of the whole reference.
func variable(s string) (name string, size int) {
	if strings.HasPrefix(s, "${") {
		end := strings.IndexByte(s, '}')
		if end < 0 {
			return "", 0
		}
		return s[2:end], end + 1
	}
	i := 1
	for i < len(s) && (s[i] == '_' || s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z' || s[i] >= '0' && s[i] <= '9') {
		i++
	}
	return s[1:i], i
}
