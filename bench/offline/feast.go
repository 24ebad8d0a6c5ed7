package offline

import (
	_ "embed"
	"os"
	"path/filepath"
)

//go:embed join.py
var feastScript []byte

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
	script, out := filepath.Join(r.Work, "join.py"), filepath.Join(r.Work, "training.parquet")
	if err := os.WriteFile(script, feastScript, 0o644); err != nil {
		return nil, err
	}
	return append(all, r.writes("feast", out, want, r.Python, script, repo, entityRows, out)), nil
}
