package offline

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

//go:embed join.py
var feastScript []byte

// script writes the program that asks Feast's Python API.
func (r *run) script() (path string, err error) {
	path = filepath.Join(r.Work, "join.py")
	return path, os.WriteFile(path, feastScript, 0o644)
}

// withFeast adds Feast itself, if it is measured: its Python API, since its command
// writes no files.
func (r *run) withFeast(all []*contender, store, kind, entityRows string, want *expected) ([]*contender, error) {
	if r.Python == "" {
		return all, nil
	}
	repo, err := r.repository("feast", kind, store)
	if err != nil {
		return nil, err
	}
	script, err := r.script()
	if err != nil {
		return nil, err
	}
	out := filepath.Join(r.Work, "training.parquet")
	return append(all, r.writes("feast", out, want, r.Python, script, repo, entityRows, out)), nil
}

// apiTime is the time that the script says the call of the API took; zero without one.
func apiTime(stdout []byte) time.Duration {
	var said struct{ Seconds float64 }
	lines := bytes.Split(bytes.TrimSpace(stdout), []byte("\n"))
	if json.Unmarshal(lines[len(lines)-1], &said) != nil {
		return 0
	}
	return time.Duration(said.Seconds * float64(time.Second))
}
