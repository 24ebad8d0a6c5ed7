//go:build linux

package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/internal/dialtest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/postgres"
	"github.com/banquet-fs/banquet/stores/storetest"
)

// A server whose first address is dead is reached through the second within the
// deadline of the request.
func TestADeadAddressOfTheServer(t *testing.T) {
	opt := options(t)
	dialtest.Blackhole(t, opt.Port)
	opt.Host, opt.Lookup = dialtest.Host, dialtest.Lookup
	s := postgres.New(opt)
	t.Cleanup(func() { _ = s.Close() })
	table := stores.Table{Project: "p", View: "v"}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if _, err := storetest.Update(ctx, s, stores.Tables{Keep: []stores.TableSpec{{Table: table}}}); err != nil {
		t.Fatal(err)
	}
	rows, err := s.Read(ctx, []stores.Read{{Table: table, Features: stores.NewSelection("f"), Keys: [][]byte{[]byte("k")}}})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Release()
	if err := rows.Reads[0][0].Err; err != nil {
		t.Error(err)
	}
}
