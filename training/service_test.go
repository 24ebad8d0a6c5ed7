package training_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/training"
	"github.com/banquet-fs/banquet/transform"
)

// service computes functions as a service in Python would.
type service func(*transform.Call) (arrow.Table, error)

func (s service) Transform(_ context.Context, call *transform.Call) (arrow.Table, error) {
	return s(call)
}

func (s service) Address() string { return "functions:6569" }

// written returns each number of trips as text, as pandas would write it.
func written(call *transform.Call) (arrow.Table, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "seen__seen", Type: arrow.BinaryTypes.String}}, nil))
	trips := call.Rows.Column(call.Rows.Schema().FieldIndices("trips")[0])
	for row := range trips.Len() {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("%s of %s", trips.ValueStr(row), trips.DataType()))
	}
	batch := b.NewRecordBatch()
	return array.NewTableFromRecords(batch.Schema(), []arrow.RecordBatch{batch}), nil
}

func extracted(body string) *core.OnDemandFeatureView {
	return computedView("seen", "pandas", "out = pd.DataFrame()\nout[\"seen\"] = "+body+"\nreturn out", []*core.OnDemandSource{source("trips", trips)}, feature("seen", types.ValueType_STRING))
}

// The rows of a training set go to the service in batches, and a null in a later batch
// counts in the first; a function that mixes rows gets all at once.
func TestTrainingSetsOfAService(t *testing.T) {
	for _, c := range []struct {
		body  string
		whole bool
	}{{`inputs["trips"].map(lambda n: re.purge())`, false}, {`inputs["trips"].expanding().max()`, true}} {
		for last, kind := range map[int]string{3: "int64", 99: "float64"} {
			calls, rows := 0, int64(0)
			opt := taxiOptions(t, withComputed(extracted(c.body)))
			opt.Functions = service(func(call *transform.Call) (arrow.Table, error) {
				calls, rows = calls+1, rows+call.Rows.NumRows()
				return written(call)
			})
			req := manyDrivers(t, 9000, last)
			req.Features = []string{"seen:seen"}
			got, _ := lines(t, opt, req)
			if !strings.HasSuffix(got[1], "|text 7 of "+kind) || len(got) != 9001 || rows != 9000 || (calls == 1) != c.whole {
				t.Errorf("%s: %s, %d rows in %d calls", c.body, got[1], rows, calls)
			}
		}
	}
}

func TestATrainingSetWithoutItsService(t *testing.T) {
	opt := taxiOptions(t, withComputed(extracted(`inputs["trips"].expanding().max()`)))
	opt.Functions = service(func(*transform.Call) (arrow.Table, error) {
		return nil, fault.Store(fault.Unavailable, "the transformation service is down")
	})
	req := manyDrivers(t, 3, 1)
	req.Features = []string{"seen:seen"}
	set, err := training.New(opt).Historical(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if set.Next() || fault.KindOf(set.Err()) != fault.Unavailable {
		t.Errorf("%v", set.Err())
	}
}
