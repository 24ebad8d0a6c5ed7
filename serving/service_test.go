package serving_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/serving"
	"github.com/banquet-fs/banquet/transform"
)

// service computes functions as a service in Python would.
type service func(context.Context, *transform.Call) (arrow.Table, error)

func (s service) Transform(ctx context.Context, call *transform.Call) (arrow.Table, error) {
	return s(ctx, call)
}

func (s service) Address() string { return "functions:6569" }

// halves returns half of f as the only feature of the view.
func halves(t *testing.T, feature string) service {
	return func(_ context.Context, call *transform.Call) (arrow.Table, error) {
		name := call.View + "__" + feature
		b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: name, Type: arrow.PrimitiveTypes.Float64, Nullable: true}}, nil))
		at := call.Rows.Schema().FieldIndices("f")
		if len(at) != 1 || len(call.Rows.Schema().FieldIndices("g")) != 1 || call.Project != "p" {
			t.Errorf("project %s, %s", call.Project, call.Rows.Schema())
		}
		for row := range int(call.Rows.NumRows()) {
			switch f := call.Rows.Column(at[0]).(type) {
			case *array.Int64:
				b.Field(0).(*array.Float64Builder).Append(float64(f.Value(row)) / 2)
			case *array.Float64: // integers with a null
				if f.IsNull(row) {
					b.Field(0).AppendNull()
					continue
				}
				b.Field(0).(*array.Float64Builder).Append(f.Value(row) / 2)
			default:
				t.Errorf("f has type %s", f.DataType())
			}
		}
		batch := b.NewRecordBatch()
		return array.NewTableFromRecords(batch.Schema(), []arrow.RecordBatch{batch}), nil
	}
}

// A function that is not compiled is computed by the service; all others are not.
func TestFunctionsOfAService(t *testing.T) {
	calls := 0
	w := newOnDemandWorld(t, func(o *serving.Options) {
		half := halves(t, "o")
		o.Functions = service(func(ctx context.Context, call *transform.Call) (arrow.Table, error) {
			calls++
			return half(ctx, call)
		})
	})
	for range 2 {
		calls = 0
		req := serving.Request{Features: []string{"other:o", "user:f", "sum:s"}, Columns: []serving.Column{numbers("user_id", 1, 9, 2), tokens("amount", "1", "2", "3")}}
		r, err := w.GetOnlineFeatures(t.Context(), &req)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := text(t, r), "user_id: 1, 9, 2; f: 10, ?, 20; o: 5.0, , 10.0; s: 11.0, , 23.0"; got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		if r.Release(); calls != 1 {
			t.Errorf("%d calls for one view", calls)
		}
	}
}

// The service has the current definition only: an earlier version would be computed by
// the wrong function.
func TestAServiceDoesNotComputeEarlierVersions(t *testing.T) {
	w := newOnDemandWorld(t, func(o *serving.Options) { o.Functions = halves(t, "m") })
	get := func(reference string) (string, error) {
		r, err := w.GetOnlineFeatures(t.Context(), &serving.Request{Features: []string{reference}, Columns: []serving.Column{numbers("user_id", 1)}})
		if err != nil {
			return "", err
		}
		defer r.Release()
		return text(t, r), nil
	}
	if got, err := get("moved:m"); err != nil || got != "user_id: 1; m: 5.0" {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := get("moved@v1:m"); fault.KindOf(err) != fault.Unimplemented || !strings.Contains(err.Error(), "module torch is not supported") {
		t.Errorf("%s, %v", got, err)
	}
}

// A failure of the service fails the request, as that of any function.
func TestFailuresOfAService(t *testing.T) {
	down := fault.Store(fault.Unavailable, "the transformation service is down")
	for name, c := range map[string]struct {
		service service
		req     serving.Request
		kind    fault.Kind
		want    string
	}{
		"an outage":             {func(context.Context, *transform.Call) (arrow.Table, error) { return nil, down }, serving.Request{}, fault.Unavailable, "the transformation service is down"},
		"an outage and partial": {func(context.Context, *transform.Call) (arrow.Table, error) { return nil, down }, serving.Request{Partial: true}, fault.Unavailable, "the transformation service is down"},
		"a deadline": {func(ctx context.Context, _ *transform.Call) (arrow.Table, error) {
			<-ctx.Done()
			return nil, fault.Store(fault.TimedOut, "the transformation service did not respond")
		}, serving.Request{}, fault.TimedOut, "the transformation service did not respond"},
		"part of a stream": {halves(t, "o"), serving.Request{Chunk: true}, fault.Unimplemented, "computes with all rows of a request at once; send them in one request instead of a stream"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newOnDemandWorld(t, func(o *serving.Options) { o.Functions, o.Deadline = c.service, 50*time.Millisecond })
			c.req.Features, c.req.Columns = []string{"user:f", "other:o"}, []serving.Column{numbers("user_id", 1)}
			_, err := w.GetOnlineFeatures(t.Context(), &c.req)
			if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v: %v", fault.KindOf(err), err)
			}
		})
	}
}
