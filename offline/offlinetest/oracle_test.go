package offlinetest_test

import (
	"testing"

	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/offlinetest"
)

// joining is a model that joins.
type joining struct{ *model }

func (j joining) Store() offline.Store { return offlinetest.Oracle{Store: j.model} }
func (joining) Unreachable(t testing.TB) offline.Store {
	return offlinetest.Oracle{Store: new(model).Unreachable(t)}
}

var unbounded = []string{"a join's memory is bounded by the batch", "Latest's memory is bounded by the batch"}

func TestTheOracleHoldsTheContract(t *testing.T) {
	var exceptions []offlinetest.Exception
	for _, name := range unbounded {
		exceptions = append(exceptions, offlinetest.Exception{Sentence: name, Reason: "the oracle holds all rows"})
	}
	offlinetest.RunJoins(t, func(testing.TB) offlinetest.Backend { return joining{new(model)} }, exceptions...)
}

func TestTheOracleAgreesWithItself(t *testing.T) {
	offlinetest.JoinsAgainstOracle(t, joining{new(model)}, 500)
}
