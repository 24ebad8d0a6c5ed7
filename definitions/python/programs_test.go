package python_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/definitions/library"
	"github.com/banquet-fs/banquet/definitions/python"
)

// program is a program with Python's result, recorded by testdata/record.py.
type program struct {
	Source string `json:"source"`
	// Repr is the repr of the name "out"; Error is the class of the exception that
	// ended the program.
	Repr  string `json:"repr"`
	Error string `json:"error"`
	// Unknown and Refused mark programs that the reader must leave to Python.
	Unknown bool `json:"unknown"`
	Refused bool `json:"refused"`
}

func programs(tb testing.TB) []program {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.jsonl"))
	if err != nil || len(files) == 0 {
		tb.Fatal("there are no recordings", err)
	}
	var list []program
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			var p program
			if err := json.Unmarshal([]byte(line), &p); err != nil {
				tb.Fatal(err)
			}
			list = append(list, p)
		}
	}
	return list
}

// alone is a host without modules and files.
type alone struct{ library map[string]*python.Module }

func (a *alone) Module(name string) (*python.Module, bool) {
	m, ok := a.library[name]
	return m, ok
}
func (*alone) Find(string) (*python.File, bool) { return nil, false }
func environment(name string) (string, bool)    { return "set", name == "BANQUET_SET" }

// newRun makes an interpreter with the modules of package library.
func newRun() *python.Interpreter {
	host := &alone{}
	run := python.New(context.Background(), host)
	host.library = library.New(run, os.DirFS("testdata/files"), "/repo", environment).Modules
	return run
}

func read(source string) (*python.Module, *python.Interpreter, error) {
	run := newRun()
	m, err := run.Load(&python.File{Name: "program.py", Path: "/repo/program.py", Source: source}, "program")
	return m, run, err
}

func TestProgramsGiveWhatPythonGives(t *testing.T) {
	for _, p := range programs(t) {
		title, _, _ := strings.Cut(p.Source, "\n")
		t.Run(title, func(t *testing.T) {
			m, run, err := read(p.Source)
			defer run.Close()
			switch {
			case p.Error != "":
				if got := python.ExceptionClass(err); got != p.Error {
					t.Errorf("%s\nends with %v (%s), want %s", p.Source, err, got, p.Error)
				}
			case p.Refused:
				_, want, _ := strings.Cut(p.Source, "# refused: ")
				if err == nil || python.ExceptionClass(err) != "" || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
					t.Errorf("%s\nis refused with %v", p.Source, err)
				}
			case p.Unknown:
				if err != nil {
					return // a refusal is correct, too
				}
				if _, ok := m.Names["out"].(*python.Unknown); !ok && !strings.Contains(p.Source, "suppress") {
					t.Errorf("%s\nout = %s, want it unknown", p.Source, python.Repr(m.Names["out"]))
				}
			case err != nil:
				t.Errorf("%s\n%v", p.Source, err)
			default:
				if got := python.Repr(m.Names["out"]); got != p.Repr {
					t.Errorf("%s\nout = %s\nwant  %s", p.Source, got, p.Repr)
				}
			}
		})
	}
}
