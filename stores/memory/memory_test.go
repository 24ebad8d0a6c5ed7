package memory_test

import (
	"testing"

	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/memory"
	"github.com/banquet-fs/banquet/stores/storetest"
)

func TestContract(t *testing.T) {
	storetest.Run(t, func(testing.TB) stores.Store { return new(memory.Store) })
}
