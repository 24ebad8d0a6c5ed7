package python_test

import (
	"testing"

	"github.com/banquet-fs/banquet/definitions/python"
)

// A file is parsed once: what changes afterwards is not seen.
func TestAFileIsParsedOnce(t *testing.T) {
	f := &python.File{Name: "a.py", Source: "import os\nx = 1\n"}
	if err := python.Check(f); err != nil {
		t.Fatal(err)
	}
	f.Source = "x = ("
	if got := python.Imports(f); len(got) != 1 || got[0] != "os" {
		t.Errorf("it imports %v", got)
	}
	run := newRun()
	defer run.Close()
	if m, err := run.Load(f, "a"); err != nil || m.Names["x"] != int64(1) {
		t.Errorf("it gives %v", err)
	}
}

// What runs a parsed function asks for its lines from several goroutines.
func TestATreeHasItsLines(t *testing.T) {
	f := &python.File{Name: "a.py", Source: "def f(x):\n    return x\n"}
	if _, err := python.Tree(f); err != nil {
		t.Fatal(err)
	}
	if !f.Lined() {
		t.Error("the lines of a file with a tree are not known yet")
	}
}
