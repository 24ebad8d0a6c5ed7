package feastpy

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/banquet-fs/banquet/fault"
)

// Find returns the Python to run: program if it is a path, else the program of
// that name in PATH; python3 or python if it is empty. The path is absolute.
func Find(program string) (string, error) {
	names := []string{program}
	if program == "" {
		names = []string{"python3", "python"}
	}
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil && !errors.Is(err, exec.ErrDot) {
			continue
		}
		// Python is started in the repository. Links are not resolved: a virtual
		// environment is found by the link to its Python.
		if abs, err := filepath.Abs(path); err == nil {
			return abs, nil
		}
	}
	const remedy = "name one that has Feast: --python=/path/to/venv/bin/python"
	switch {
	case program == "":
		return "", fault.New(fault.Invalid, "neither python3 nor python is in PATH; %s", remedy)
	case strings.ContainsAny(program, `/\`):
		return "", fault.New(fault.Invalid, "%s is not a program; %s", program, remedy)
	}
	return "", fault.New(fault.Invalid, "no program %s is in PATH; %s", program, remedy)
}
