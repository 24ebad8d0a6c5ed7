package server

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/banquet-fs/banquet/gen/feast/core"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/serving"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/value"
)

// size is the shape of a request: entity rows, views, and features of each view.
type size struct{ rows, views, features int }

func (s size) String() string {
	return fmt.Sprintf("%dx%d/%dviews", s.rows, s.views*s.features, s.views)
}

var sizes = []size{{1, 2, 10}, {100, 2, 10}, {100, 10, 25}}

// instant is a store that has every row in memory.
type instant struct {
	values [][]byte
	slabs  chan *stores.Slab
}

func newInstant(features int) *instant {
	s := &instant{slabs: make(chan *stores.Slab, 64)}
	for i := range features {
		switch i % 3 {
		case 0:
			s.values = append(s.values, value.AppendInt64(nil, int64(i)*1234567))
		case 1:
			s.values = append(s.values, value.AppendString(nil, "some text"))
		default:
			s.values = append(s.values, value.AppendDouble(nil, 1.5*float64(i)))
		}
	}
	return s
}

func (s *instant) Read(_ context.Context, reads []stores.Read) (*stores.Rows, error) {
	var slab *stores.Slab
	select {
	case slab = <-s.slabs:
	default:
		slab = new(stores.Slab)
	}
	rows := slab.NewRows(reads, func() {
		slab.Clear()
		s.slabs <- slab
	})
	for i := range rows.Reads {
		for j := range rows.Reads[i] {
			rows.Reads[i][j] = stores.Row{Found: true, Event: time.Unix(1718172666, 0), Values: s.values}
		}
	}
	return rows, nil
}

// benchRegistry is a registry with the given numbers of views and features per view.
func benchRegistry(tb testing.TB, views, features int) *registry.Snapshot {
	tb.Helper()
	reg := &core.Registry{
		Projects: []*core.Project{{Spec: &core.ProjectSpec{Name: "p"}}},
		Entities: []*core.Entity{{Spec: &core.EntitySpecV2{Name: "k", Project: "p", JoinKey: "k", ValueType: types.ValueType_INT64}}},
	}
	for v := range views {
		spec := &core.FeatureViewSpec{
			Name: fmt.Sprintf("v%d", v), Project: "p", Entities: []string{"k"}, Online: true, Ttl: durationpb.New(0),
			EntityColumns: []*core.FeatureSpecV2{{Name: "k", ValueType: types.ValueType_INT64}},
		}
		for f := range features {
			spec.Features = append(spec.Features, &core.FeatureSpecV2{Name: fmt.Sprintf("v%d_f%d", v, f), ValueType: types.ValueType_INT64})
		}
		reg.FeatureViews = append(reg.FeatureViews, &core.FeatureView{Spec: spec})
	}
	s, err := registry.OpenSnapshot(reg, registry.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// subject is everything that handles a request, without network and store.
type subject struct {
	size    size
	service *serving.Service
	request *serving.Request
	message []byte // as gRPC sends it
	body    string // as HTTP sends it
}

// newSubject makes a subject; registered is the number of views in the registry.
func newSubject(tb testing.TB, s size, registered int) *subject {
	tb.Helper()
	snapshot := benchRegistry(tb, registered, s.features)
	x := &subject{size: s, service: serving.New(serving.Options{
		Snapshots: func() *registry.Snapshot { return snapshot }, Project: "p", Reader: newInstant(s.features), KeyVersion: 3, Deadline: time.Second,
	})}
	var refs []string
	for v := range s.views {
		for f := range s.features {
			refs = append(refs, fmt.Sprintf("v%d:v%d_f%d", v, v, f))
		}
	}
	keys := &types.RepeatedValue{}
	var texts []string
	column := serving.Column{Name: "k"}
	for i := range s.rows {
		keys.Val = append(keys.Val, &types.Value{Val: &types.Value_Int64Val{Int64Val: int64(i + 1000)}})
		texts = append(texts, fmt.Sprint(i+1000))
		column.Values = append(column.Values, value.AppendInt64(nil, int64(i+1000)))
	}
	x.request = &serving.Request{Features: refs, Columns: []serving.Column{column}}
	var err error
	x.message, err = proto.Marshal(&feast.GetOnlineFeaturesRequest{
		Kind:     &feast.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: refs}},
		Entities: map[string]*types.RepeatedValue{"k": keys},
	})
	if err != nil {
		tb.Fatal(err)
	}
	x.body = `{"features":["` + strings.Join(refs, `","`) + `"],"entities":{"k":[` + strings.Join(texts, ",") + `]}}`
	return x
}

func (x *subject) decodeGRPC(tb testing.TB) {
	var m feast.GetOnlineFeaturesRequest
	if err := received(x.message, &m); err != nil {
		tb.Fatal(err)
	}
	if c, err := requestColumns(&m, decodeLimits{}); err != nil || len(c) != 1 || len(c[0].Values) != x.size.rows {
		tb.Fatal(c, err)
	}
}

// unbounded is a pipeline without limits.
var unbounded = newPipeline(&Options{BodyBytes: 1 << 30, Log: slog.New(slog.DiscardHandler)})

// received decodes a message that arrived in these buffers.
func received(data []byte, m proto.Message, more ...[]byte) error {
	pieces := mem.BufferSlice{mem.SliceBuffer(data)}
	for _, b := range more {
		pieces = append(pieces, mem.SliceBuffer(b))
	}
	in := incoming{message: m, ctx: context.Background(), pipeline: unbounded}
	if err := newSpliceCodec(unbounded.messages).Unmarshal(pieces, &in); err != nil {
		return err
	}
	defer in.release()
	if in.err != nil {
		return in.err
	}
	return in.decode()
}

func (x *subject) decodeHTTP(tb testing.TB) {
	if b, err := parseBody([]byte(x.body), dialect{}); err != nil || len(b.req.Columns) != 1 {
		tb.Fatal(b, err)
	}
}

func (x *subject) serve(tb testing.TB) {
	r, err := x.service.GetOnlineFeatures(tb.Context(), x.request)
	if err != nil {
		tb.Fatal(err)
	}
	r.Release()
}

// response is a response to be encoded.
func (x *subject) response(tb testing.TB) *serving.Response {
	tb.Helper()
	r, err := x.service.GetOnlineFeatures(tb.Context(), x.request)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(r.Release)
	return r
}

// stages are the steps of a request, each on its own.
func stages(tb testing.TB, x *subject) map[string]func() {
	r := x.response(tb)
	var wire, text []byte
	return map[string]func(){
		"decode gRPC": func() { x.decodeGRPC(tb) },
		"decode HTTP": func() { x.decodeHTTP(tb) },
		"serve":       func() { x.serve(tb) },
		"encode gRPC": func() { wire = appendResults(wire[:0], r) },
		"encode HTTP": func() {
			var err error
			if text, err = appendResponse(text[:0], r, jsonOptions{}); err != nil {
				tb.Fatal(err)
			}
		},
	}
}

func BenchmarkStages(b *testing.B) {
	for _, s := range sizes {
		for name, run := range stages(b, newSubject(b, s, s.views)) {
			b.Run(s.String()+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					run()
				}
			})
		}
	}
}

// BenchmarkHTTP is a whole request over HTTP without the network and the store.
func BenchmarkHTTP(b *testing.B) {
	for _, s := range sizes {
		for _, registered := range []int{s.views, 500} {
			b.Run(fmt.Sprintf("%v/%d registered", s, registered), func(b *testing.B) {
				x := newSubject(b, s, registered)
				opt := &Options{Serving: x.service, BodyBytes: 64 << 20, Log: slog.New(slog.DiscardHandler)}
				h, err := newWeb(opt, newPipeline(opt), newRuns(opt, newPipeline(opt)), newWriter(opt), http.NotFoundHandler())
				if err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					w := httptest.NewRecorder()
					r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/get-online-features", strings.NewReader(x.body))
					r.Header.Set("Content-Type", "application/json")
					h.ServeHTTP(w, r)
					if w.Code != http.StatusOK {
						b.Fatal(w.Body)
					}
				}
			})
		}
	}
}

// debtCalc is the on-demand view of the credit-scoring tutorial.
const debtCalc = `def total_debt_calc(inputs: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame()
    out["total_debt_due"] = (inputs["credit_card_due"] + inputs["mortgage_due"] + inputs["student_loan_due"] + inputs["vehicle_loan_due"] + inputs["loan_amnt"]).astype("float64")
    out["loan_to_income"] = (inputs["loan_amnt"] / inputs["person_income"]).astype("float64")
    return out
`

// newDebtSubject is a request for the features of debtCalc, or for its inputs.
func newDebtSubject(tb testing.TB, rows int, refs ...string) *subject {
	tb.Helper()
	stored := []string{"credit_card_due", "mortgage_due", "student_loan_due", "vehicle_loan_due"}
	spec := &core.FeatureViewSpec{
		Name: "credit_history", Project: "p", Entities: []string{"k"}, Online: true,
		EntityColumns: []*core.FeatureSpecV2{{Name: "k", ValueType: types.ValueType_INT64}},
	}
	projection := &core.FeatureViewProjection{FeatureViewName: spec.GetName()}
	for _, f := range stored {
		spec.Features = append(spec.Features, &core.FeatureSpecV2{Name: f, ValueType: types.ValueType_INT64})
	}
	projection.FeatureColumns = spec.GetFeatures()
	request := &core.DataSource{Type: core.DataSource_REQUEST_SOURCE, Options: &core.DataSource_RequestDataOptions_{RequestDataOptions: &core.DataSource_RequestDataOptions{
		Schema: []*core.FeatureSpecV2{{Name: "loan_amnt", ValueType: types.ValueType_INT64}, {Name: "person_income", ValueType: types.ValueType_DOUBLE}},
	}}}
	view := &core.OnDemandFeatureView{Spec: &core.OnDemandFeatureViewSpec{
		Name: "total_debt_calc", Project: "p", Mode: "pandas",
		Features: []*core.FeatureSpecV2{{Name: "total_debt_due", ValueType: types.ValueType_DOUBLE}, {Name: "loan_to_income", ValueType: types.ValueType_DOUBLE}},
		Sources: map[string]*core.OnDemandSource{
			"credit_history": {Source: &core.OnDemandSource_FeatureViewProjection{FeatureViewProjection: projection}},
			"loan_request":   {Source: &core.OnDemandSource_RequestDataSource{RequestDataSource: request}},
		},
		FeatureTransformation: &core.FeatureTransformationV2{Transformation: &core.FeatureTransformationV2_UserDefinedFunction{
			UserDefinedFunction: &core.UserDefinedFunctionV2{Name: "total_debt_calc", BodyText: debtCalc},
		}},
	}}
	snapshot, err := registry.OpenSnapshot(&core.Registry{
		Projects:     []*core.Project{{Spec: &core.ProjectSpec{Name: "p"}}},
		Entities:     []*core.Entity{{Spec: &core.EntitySpecV2{Name: "k", Project: "p", JoinKey: "k", ValueType: types.ValueType_INT64}}},
		FeatureViews: []*core.FeatureView{{Spec: spec}}, OnDemandFeatureViews: []*core.OnDemandFeatureView{view},
	}, registry.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	store := newInstant(0)
	for i := range stored {
		store.values = append(store.values, value.AppendInt64(nil, int64(i)*1234567))
	}
	x := &subject{size: size{rows, 1, len(refs)}, service: serving.New(serving.Options{
		Snapshots: func() *registry.Snapshot { return snapshot }, Project: "p", Reader: store, KeyVersion: 3, Deadline: time.Second,
	})}
	columns := []serving.Column{{Name: "k"}, {Name: "loan_amnt"}, {Name: "person_income"}}
	for i := range rows {
		for j, token := range []string{fmt.Sprint(1000 + i), fmt.Sprint(35000 + i), fmt.Sprintf("%d.5", 59000+i)} {
			columns[j].JSON = append(columns[j].JSON, []byte(token))
		}
	}
	x.request = &serving.Request{Features: refs, Columns: columns}
	return x
}

// BenchmarkOnDemand is GetOnlineFeatures without a store, with features that a function
// computes and with its inputs alone.
func BenchmarkOnDemand(b *testing.B) {
	computed := []string{"total_debt_calc:total_debt_due", "total_debt_calc:loan_to_income"}
	inputs := []string{"credit_history:credit_card_due", "credit_history:mortgage_due", "credit_history:student_loan_due", "credit_history:vehicle_loan_due"}
	for _, rows := range []int{1, 100} {
		for name, refs := range map[string][]string{"computed": computed, "inputs": inputs} {
			x := newDebtSubject(b, rows, refs...)
			b.Run(fmt.Sprintf("%d rows/%s", rows, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					x.serve(b)
				}
			})
		}
	}
}
