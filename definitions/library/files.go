package library

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/banquet-fs/banquet/definitions/python"
)

// maxRead bounds the size of a file that definitions read, in bytes.
const maxRead = 4 << 20

// disk provides the files of a repository that definitions may read.
type disk struct {
	run   *python.Interpreter
	files fs.FS
	dir   string // the working directory
	// methods are the file methods of paths.
	methods map[string]method
	search  *searchPath
	// changed is a call that was not run and may have created directories: a missing
	// path may exist then.
	changed string
}

// method is a method of paths.
type method struct {
	signature string
	call      func(p Path, a []any) (any, error)
}

// place returns the path of a file from the root of the repository, which is the
// working directory for relative paths.
func (r *disk) place(p string) (string, error) {
	abs := r.absolute(p)
	rel, ok := strings.CutPrefix(path.Clean(abs)+"/", strings.TrimSuffix(r.dir, "/")+"/")
	if !ok {
		return "", fmt.Errorf("the file %s lies outside of the repository and is not read; copy it into the repository", p)
	}
	if strings.ContainsRune(p, 0) {
		return "", python.Raise("ValueError", "embedded null byte")
	}
	if i := strings.Index(abs+"/", "/../"); i >= 0 {
		if err := r.unlinked(abs[:i]); err != nil {
			return "", err
		}
		if info, err := r.info(abs[:i]); err == nil && !info.IsDir() {
			return "", osError("NotADirectoryError", p)
		} else if err != nil {
			return "", err
		}
	}
	if rel = strings.TrimSuffix(rel, "/"); rel == "" {
		rel = "."
	}
	return rel, nil
}

// unlinked refuses paths through symbolic links, which cannot be resolved here.
func (r *disk) unlinked(abs string) error {
	rel, ok := strings.CutPrefix(path.Clean(abs), strings.TrimSuffix(r.dir, "/")+"/")
	files := r.files
	if !ok || files == nil {
		return nil
	}
	for at := rel; at != "."; at = path.Dir(at) {
		if info, err := fs.Lstat(files, at); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return fmt.Errorf("the path %s leads through a symbolic link, which is not read; use the path that it points to", abs)
		}
	}
	return nil
}

// osError makes the operating system's exception for a path.
func osError(class, p string) error {
	e := map[string]struct {
		number int64
		text   string
	}{
		"FileNotFoundError": {2, "No such file or directory"}, "NotADirectoryError": {20, "Not a directory"}, "IsADirectoryError": {21, "Is a directory"},
	}[class]
	text := fmt.Sprintf("[Errno %d] %s: %s", e.number, e.text, python.Repr(p))
	return python.Raised(class, text, names{"args": python.Tuple{e.number, e.text}, "errno": e.number, "strerror": e.text, "filename": p})
}

// info returns the state of a file, or Python's exception.
func (r *disk) info(p string) (fs.FileInfo, error) {
	if err := r.run.Charge(20); err != nil {
		return nil, err
	}
	files := r.files
	if files == nil {
		return nil, fmt.Errorf("the file %s is not read here", p)
	}
	if p == "" {
		return nil, osError("FileNotFoundError", p)
	}
	rel, err := r.place(p)
	if err != nil {
		return nil, err
	}
	if acted := r.run.Acted(); acted != "" {
		return nil, fmt.Errorf("%s is not read, since %s is not run, which may write it; write this without it", p, acted)
	}
	info, err := fs.Stat(files, rel)
	switch {
	case errors.Is(err, fs.ErrNotExist) && r.changed != "":
		return nil, fmt.Errorf("%s is not there, and %s is not run, which may make it; write this without it", p, r.changed)
	case errors.Is(err, fs.ErrNotExist):
		return nil, osError("FileNotFoundError", p)
	case errors.Is(err, syscall.ENOTDIR) || err == nil && !info.IsDir() && strings.HasSuffix(p, "/"):
		return nil, osError("NotADirectoryError", p)
	case err != nil:
		return nil, fmt.Errorf("the file %s cannot be read: it lies outside of the repository or is closed to this user", p)
	}
	return info, nil
}

// exists is os.path.exists, isfile or isdir.
func (r *disk) exists(kind, p string) (any, error) {
	info, err := r.info(p)
	if err := refusal(err); err != nil {
		return nil, err
	}
	switch kind {
	case "isfile", "is_file":
		return info != nil && info.Mode().IsRegular(), nil
	case "isdir", "is_dir":
		return info != nil && info.IsDir(), nil
	}
	return info != nil, nil
}

// read returns the bytes of a file.
func (r *disk) read(p string) ([]byte, error) {
	info, err := r.info(p)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, osError("IsADirectoryError", p)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file, so it is not read", p)
	case info.Size() > maxRead:
		return nil, fmt.Errorf("%s is larger than %d MiB and is not read", p, maxRead>>20)
	}
	rel, err := r.place(p)
	if err != nil {
		return nil, err
	}
	b, err := fs.ReadFile(r.files, rel)
	if err != nil || len(b) > maxRead {
		return nil, fmt.Errorf("%s cannot be read now", p)
	}
	return b, r.run.Charge(len(b) / 64)
}

// list lists a directory, sorted: in Python the order is arbitrary.
func (r *disk) list(p string) ([]string, error) {
	if err := r.run.Charge(200); err != nil {
		return nil, err
	}
	info, err := r.info(p)
	switch {
	case err != nil:
		return nil, err
	case r.changed != "":
		return nil, fmt.Errorf("what %s holds is not known: %s is not run; write this without it", p, r.changed)
	}
	if !info.IsDir() {
		return nil, osError("NotADirectoryError", p)
	}
	rel, err := r.place(p)
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(r.files, rel)
	if err != nil {
		return nil, fmt.Errorf("the directory %s cannot be read", p)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, r.run.Charge(len(names))
}

// openFile is a file opened for reading.
type openFile struct {
	name   any
	data   string
	at     int
	binary bool
	ends   string // the characters that end lines
	closed bool
}

// open is open(), Path.open, read_text and read_bytes: all of them only read files.
func (r *disk) open(p any, mode, encoding, newline any) (*openFile, error) {
	at, err := pathText(p)
	if err != nil {
		return nil, err
	}
	m, ok := python.Text(mode)
	switch {
	case mode == nil:
		m = "r"
	case !ok:
		return nil, python.Raise("TypeError", "open() argument 'mode' must be str, not %s", python.TypeName(mode))
	}
	if m != "r" && m != "rt" && m != "tr" && m != "rb" && m != "br" {
		return nil, fmt.Errorf("opening a file by mode %s is not read: definitions only read files", python.Brief(m))
	}
	b, err := r.read(at)
	if err != nil {
		return nil, err
	}
	f := &openFile{name: p, data: string(b), binary: strings.Contains(m, "b"), ends: "\n"}
	if f.binary {
		return f, nil
	}
	return f, f.decode(encoding, newline)
}

func (f *openFile) decode(encoding, newline any) error {
	name, _ := python.Text(encoding)
	switch strings.ReplaceAll(strings.ToLower(name), "_", "-") {
	case "utf-8-sig":
		f.data = strings.TrimPrefix(f.data, "\ufeff")
	case "utf-8", "utf8":
	default:
		if encoding != nil {
			return fmt.Errorf("files in the encoding %s are not read; write them in utf-8", python.Brief(encoding))
		}
	}
	if !utf8.ValidString(f.data) {
		return fmt.Errorf("the file %s is not UTF-8 text, so it is not read", python.Str(f.name))
	}
	switch newline {
	case nil:
		f.data = strings.ReplaceAll(strings.ReplaceAll(f.data, "\r\n", "\n"), "\r", "\n")
	case "":
		f.ends = "\r\n"
	case "\n":
	default:
		return fmt.Errorf("open() with newline=%s is not read", python.Brief(newline))
	}
	return nil
}

// Kinds lists the types of an open file.
func (f *openFile) Kinds() []string {
	if f.binary {
		return []string{"BufferedReader"}
	}
	return []string{"TextIOWrapper"}
}

// piece returns file content as text or bytes.
func (f *openFile) piece(n int) any {
	s := f.data[f.at : f.at+n]
	f.at += n
	if f.binary {
		return python.Bytes(s)
	}
	return s
}

func (f *openFile) line() any {
	rest := f.data[f.at:]
	i := strings.IndexAny(rest, f.ends)
	switch {
	case i < 0:
		return f.piece(len(rest))
	case strings.HasPrefix(rest[i:], "\r\n"):
		i++
	}
	return f.piece(i + 1)
}

// Next returns the next line.
func (f *openFile) Next() (any, bool, error) {
	if f.closed {
		return nil, false, python.Raise("ValueError", "I/O operation on closed file.")
	}
	if f.at == len(f.data) {
		return nil, false, nil
	}
	return f.line(), true, nil
}

// Attr returns the attributes of an open file.
func (f *openFile) Attr(name string) (any, bool) {
	switch name {
	case "name":
		return f.name, true
	case "closed":
		return f.closed, true
	case "close":
		return python.NewFunction(name, "", func(*python.Call, []any) (any, error) {
			f.closed = true
			return nil, nil
		}), true
	case "read", "readline", "readlines", "__enter__", "readable", "writable":
	default:
		return nil, false
	}
	return python.NewFunction(name, "size?", func(c *python.Call, a []any) (any, error) {
		if f.closed {
			return nil, python.Raise("ValueError", "I/O operation on closed file.")
		}
		switch name {
		case "__enter__":
			return f, nil
		case "readable", "writable":
			return name == "readable", nil
		}
		if n, ok := python.Int(a[0]); ok && n >= 0 || a[0] != nil && !ok {
			return nil, fmt.Errorf("%s() with a size is not read; read the whole file", name)
		}
		switch name {
		case "read":
			return f.piece(len(f.data) - f.at), c.Charge(len(f.data) / 64)
		case "readline":
			return f.line(), nil
		}
		l := &python.List{}
		for f.at < len(f.data) {
			l.Items = append(l.Items, f.line())
		}
		return l, nil
	}), true
}

// readAll returns the rest of an open file, or a text or bytes itself; false for
// other values.
func readAll(v any) (string, bool) {
	switch v := v.(type) {
	case *openFile:
		s := v.data[v.at:]
		v.at = len(v.data)
		return s, !v.closed
	case python.Bytes:
		return string(v), utf8.Valid(v)
	}
	return python.Text(v)
}

// Enter begins a with statement.
func (f *openFile) Enter() (any, error) {
	if f.closed {
		return nil, python.Raise("ValueError", "I/O operation on closed file.")
	}
	return f, nil
}

// Exit ends a with statement.
func (f *openFile) Exit(error) (bool, error) {
	f.closed = true
	return false, nil
}

// opened is open() of a file with its other arguments: mode, buffering, encoding,
// errors and newline.
func (r *disk) opened(file any, a []any) (any, error) {
	if a[1] != nil && a[1] != int64(-1) || a[3] != nil && a[3] != "strict" {
		return nil, fmt.Errorf("open() with buffering or errors is not read; leave them out")
	}
	f, err := r.open(file, a[0], a[2], a[4])
	if err != nil {
		return nil, err
	}
	return f, nil
}

// module adds open, and the file functions of os and pathlib.
func (r *disk) module(system, osPath names) {
	const opening = "mode? buffering? encoding? errors? newline?"
	r.run.SetBuiltin("open", python.NewFunction("open", "file "+opening, func(_ *python.Call, a []any) (any, error) { return r.opened(a[0], a[1:]) }))
	for _, name := range []string{"exists", "isfile", "isdir", "lexists"} {
		osPath[name] = r.onPath(name, "path", func(p string, _ []any) (any, error) { return r.exists(name, p) })
	}
	system["listdir"] = python.NewFunction("listdir", "path?", func(_ *python.Call, a []any) (any, error) {
		p, err := pathText(cond(a[0] == nil, ".", a[0]))
		if err != nil {
			return nil, err
		}
		list, err := r.list(p)
		return texts(list), err
	})
	for _, name := range []string{"makedirs", "mkdir"} { // no definition depends on these
		system[name] = &python.Builtin{Name: name, Call: func(*python.Call) (any, error) {
			r.changed = "os." + name + "()"
			return nil, nil
		}}
	}
	for _, name := range []string{"chdir", "fchdir", "chroot", "remove", "unlink", "rmdir", "removedirs", "rename", "replace", "symlink", "link", "walk", "scandir", "fwalk"} {
		system[name] = refused("os." + name)
	}
	osPath["realpath"] = r.onPath("realpath", "path", func(p string, _ []any) (any, error) {
		abs := r.absolute(p)
		return path.Clean(abs), r.unlinked(abs)
	})
	r.methods = r.pathMethods(opening)
}

// pathMethods are the file methods of paths.
func (r *disk) pathMethods(opening string) map[string]method {
	out := map[string]method{
		"open": {opening, func(p Path, a []any) (any, error) { return r.opened(p, a) }},
		"read_text": {"encoding? errors?", func(p Path, a []any) (any, error) {
			return r.whole(p, []any{"r", nil, a[0], a[1], nil})
		}},
		"read_bytes": {"", func(p Path, _ []any) (any, error) { return r.whole(p, []any{"rb", nil, nil, nil, nil}) }},
		"iterdir": {"", func(p Path, _ []any) (any, error) {
			list, err := r.list(p.text)
			var items []any
			for _, n := range list {
				items = append(items, r.path(p.text+"/"+n))
			}
			return python.NewIterator(items), err
		}},
		"resolve": {"strict?", func(p Path, _ []any) (any, error) {
			abs := r.absolute(p.text)
			return r.path(path.Clean(abs)), r.unlinked(abs)
		}},
	}
	for _, name := range []string{"exists", "is_file", "is_dir"} {
		out[name] = method{"", func(p Path, _ []any) (any, error) { return r.exists(name, p.text) }}
	}
	for _, name := range []string{"glob", "rglob"} {
		out[name] = method{"pattern", func(p Path, a []any) (any, error) { return r.globPath(p.text, name, a[0]) }}
	}
	return out
}

func (r *disk) whole(p Path, a []any) (any, error) {
	v, err := r.opened(p, a)
	if f, ok := v.(*openFile); ok {
		return f.piece(len(f.data)), nil
	}
	return nil, err
}

func texts(list []string) *python.List {
	l := &python.List{}
	for _, s := range list {
		l.Items = append(l.Items, s)
	}
	return l
}
