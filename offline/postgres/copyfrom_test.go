package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/pgtest"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/postgres"
)

// lingering rows go on for a while after the reason to end the COPY came.
type lingering struct {
	array.RecordReader
	end      func()
	returned chan struct{}
	// late tells once whether the call returned while the rows were being read.
	late chan bool
}

func (r *lingering) Next() bool {
	r.end()
	select {
	case <-r.returned:
		r.late <- true
	case <-time.After(300 * time.Millisecond):
		r.late <- false
	}
	return false
}

// Nobody reads the rows any more when a join or a write that was ended has returned: the
// caller releases them then.
func TestRowsOfAnEndedCopyAreLeftAlone(t *testing.T) {
	const table = "CREATE TABLE t (k int8, t timestamptz); INSERT INTO t VALUES (1, '2024-01-01')"
	for what, call := range map[string]func(context.Context, *postgres.Store, array.RecordReader) error{
		"join": func(ctx context.Context, s *postgres.Store, rows array.RecordReader) error {
			view := byKey("t", "", types.ValueType_INT64, "k")
			view.Timestamp = "t"
			_, err := s.PointInTime(ctx, offline.Join{Entities: rows, Views: []offline.JoinView{view}})
			return err
		},
		"write": func(ctx context.Context, s *postgres.Store, rows array.RecordReader) error {
			_, err := s.Append(ctx, byKey("t", "", types.ValueType_INT64, "k").Source, rows)
			return err
		},
	} {
		for _, by := range []string{"the caller", "the server"} {
			t.Run(what+" ended by "+by, func(t *testing.T) {
				s := open(t, table)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				rows := &lingering{
					RecordReader: entityRows(t, arrow.PrimitiveTypes.Int64, `[{"k": 1, "t": "2024-01-02T00:00:00Z"}]`),
					end:          cancel, returned: make(chan struct{}), late: make(chan bool, 1),
				}
				if by == "the server" {
					rows.end = func() {
						pgtest.Exec(t, postgres.OptionsOf(s), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
					}
				}
				err := call(ctx, s, rows)
				close(rows.returned)
				if err == nil {
					t.Error("no error")
				}
				if <-rows.late {
					t.Error("the call returned while its rows were being read")
				}
			})
		}
	}
}
