package stores_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/banquet-fs/banquet/stores"
)

func TestUnwrittenStaysInOrder(t *testing.T) {
	var u stores.Unwritten
	for _, i := range []int{7, 2, 9, 0} {
		u.Add(i, errors.New(string(rune('a'+i))))
	}
	if !slices.Equal(u.Indexes, []int{0, 2, 7, 9}) || u.Errs[0].Error() != "a" || u.Errs[3].Error() != "j" {
		t.Errorf("%v %v", u.Indexes, u.Errs)
	}
}
