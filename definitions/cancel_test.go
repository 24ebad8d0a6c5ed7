package definitions_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/definitions"
	"github.com/banquet-fs/banquet/fault"
)

// A repository that would be read for minutes is given up when the context ends, at any
// moment, and no file is blamed for it.
func TestLoadEndsWithItsContext(t *testing.T) {
	root := t.TempDir()
	const slow = "from feast import Entity\nx = 0\ntry:\n    for i in range(300_000): x += 1\nfinally:\n    e = Entity(name='e%d')\n"
	for i := range 500 {
		if err := os.WriteFile(filepath.Join(root, fmt.Sprintf("f%d.py", i)), fmt.Appendf(nil, slow, i), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rand.IntN(100))*time.Millisecond)
		_, err := definitions.Load(ctx, root, definitions.Options{})
		if fault.KindOf(err) != fault.TimedOut {
			t.Errorf("it ends with %v", err)
		}
		if end, _ := ctx.Deadline(); time.Since(end) > 10*time.Second {
			t.Errorf("it ends %s after the context", time.Since(end))
		}
		cancel()
	}
}
