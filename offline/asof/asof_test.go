package asof_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/asof"
	"github.com/banquet-fs/banquet/offline/offlinetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// joining is a store in memory that joins.
type joining struct {
	*offlinetest.Memory
	opt asof.Options
}

type store struct {
	offline.Store
	*asof.Joiner
}

func (j joining) Store() offline.Store { return store{j.Memory, asof.New(j.Memory, j.opt)} }

func (j joining) Unreachable(t testing.TB) offline.Store {
	down := j.Memory.Unreachable(t)
	return store{down, asof.New(down, j.opt)}
}

func TestContract(t *testing.T) {
	offlinetest.RunJoins(t, func(testing.TB) offlinetest.Backend { return joining{Memory: new(offlinetest.Memory)} },
		offlinetest.Elsewhere("with little memory", "a join's memory is bounded by the batch", "Latest's memory is bounded by the batch")...)
}

// TestContractWithLittleMemory has everything in files, and many blocks.
func TestContractWithLittleMemory(t *testing.T) {
	dir := t.TempDir()
	offlinetest.RunJoins(t, func(testing.TB) offlinetest.Backend {
		return joining{new(offlinetest.Memory), asof.Options{Memory: 1 << 20, Dir: dir}}
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestJoinsAgainstTheOracle has a block for each row, and a file for each shelf,
// with the least memory.
func TestJoinsAgainstTheOracle(t *testing.T) {
	for memory, cases := range map[int64]int{0: 1000, 1: 100, 2000: 100} {
		t.Run(fmt.Sprint(memory), func(t *testing.T) {
			offlinetest.JoinsAgainstOracle(t, joining{new(offlinetest.Memory), asof.Options{Memory: memory, Dir: t.TempDir()}}, cases)
		})
	}
}
