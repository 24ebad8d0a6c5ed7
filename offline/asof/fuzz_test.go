package asof_test

import (
	"testing"

	"github.com/banquet-fs/banquet/offline/asof"
	"github.com/banquet-fs/banquet/offline/offlinetest"
)

// FuzzJoins compares joins of the tables that some bytes describe with the oracle.
func FuzzJoins(f *testing.F) {
	f.Add([]byte{}, int64(0))
	f.Add([]byte("some bytes"), int64(1))
	long := make([]byte, 4000)
	for i := range long {
		long[i] = byte(i * i >> 3)
	}
	f.Add(long, int64(0))
	f.Add(long, int64(1500))
	f.Fuzz(func(t *testing.T, choices []byte, memory int64) {
		offlinetest.JoinAgainstOracle(t, joining{new(offlinetest.Memory), asof.Options{Memory: memory, Dir: t.TempDir()}}, choices)
	})
}
