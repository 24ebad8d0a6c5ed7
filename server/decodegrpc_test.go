package server

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/serving"
)

// FuzzRequest compares the request decoder with protobuf's: both must accept the same
// bytes, as the same request.
func FuzzRequest(f *testing.F) {
	seed := func(m *feast.GetOnlineFeaturesRequest) {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint8(0))
		f.Add(b, uint8(len(b)/2))
	}
	keys := &types.RepeatedValue{Val: []*types.Value{{Val: &types.Value_Int64Val{Int64Val: 76104}}, {Val: &types.Value_StringVal{StringVal: "é"}}, {}}}
	seed(&feast.GetOnlineFeaturesRequest{
		Kind:     &feast.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: []string{"v:f", "v:g", ""}}},
		Entities: map[string]*types.RepeatedValue{"zipcode": keys, "b": {}}, FullFeatureNames: true,
		RequestContext: map[string]*types.RepeatedValue{"r": keys},
	})
	seed(&feast.GetOnlineFeaturesRequest{Kind: &feast.GetOnlineFeaturesRequest_FeatureService{FeatureService: "s"}})
	f.Fuzz(func(t *testing.T, raw []byte, cut uint8) {
		want, got := new(feast.GetOnlineFeaturesRequest), new(feast.GetOnlineFeaturesRequest)
		failed := proto.Unmarshal(raw, want)
		at := min(int(cut), len(raw)) // a message may come in pieces
		err := received(slices.Clone(raw[:at]), got, slices.Clone(raw[at:]))
		if failed != nil {
			return // the columns are looked into later
		}
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		if got.GetFullFeatureNames() != want.GetFullFeatureNames() || got.GetFeatureService() != want.GetFeatureService() ||
			!slices.Equal(got.GetFeatures().GetVal(), want.GetFeatures().GetVal()) {
			t.Fatalf("%v, want %v", got, want)
		}
		fromMaps, err := requestColumns(&feast.GetOnlineFeaturesRequest{}, decodeLimits{}, want.GetEntities(), want.GetRequestContext())
		if err != nil {
			t.Fatal(err)
		}
		fromBytes, err := requestColumns(got, decodeLimits{})
		if err != nil {
			t.Fatal(err)
		}
		if len(distinct(fromMaps)) < len(want.GetEntities())+len(want.GetRequestContext()) {
			return // one name in both maps: the order decides
		}
		if diff := cmp.Diff(values(t, fromMaps), values(t, fromBytes)); diff != "" {
			t.Fatalf("(-protobuf +banquet)\n%s", diff)
		}
	})
}

func distinct(columns []serving.Column) map[string]bool {
	out := map[string]bool{}
	for i := range columns {
		out[columns[i].Name] = true
	}
	return out
}

// values decodes columns, since a number has more than one encoding.
func values(t *testing.T, columns []serving.Column) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, c := range columns {
		list := []string{}
		for _, b := range c.Values {
			var v types.Value
			if err := proto.Unmarshal(b, &v); err != nil {
				t.Fatal(err)
			}
			v.ProtoReflect().SetUnknown(nil)
			b, err := proto.MarshalOptions{Deterministic: true}.Marshal(&v)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, string(b))
		}
		out[c.Name] = list
	}
	if !slices.IsSorted(slices.Collect(func(yield func(string) bool) {
		for _, c := range columns {
			if !yield(c.Name) {
				return
			}
		}
	})) {
		t.Errorf("columns are not in order: %v", slices.Collect(maps.Keys(out)))
	}
	return out
}

// processorTime is the CPU time that this process has used.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// The cost of a request with very many features fields or columns is linear in its
// bytes.
func TestDecodingIsLinear(t *testing.T) {
	const n = 50_000
	var pieces []byte
	entities := map[string]*types.RepeatedValue{}
	var text strings.Builder
	text.WriteString(`{"entities": {`)
	for i := range n {
		pieces = append(pieces, featuresField<<3|2, 3, 1<<3|2, 1, 'f')
		name := "c" + strconv.Itoa(i)
		entities[name] = &types.RepeatedValue{}
		text.WriteString(`"` + name + `": [], `)
	}
	text.WriteString(`"last": []}}`)
	wide, err := proto.Marshal(&feast.GetOnlineFeaturesRequest{Entities: entities})
	if err != nil {
		t.Fatal(err)
	}
	start := processorTime(t)
	m := new(feast.GetOnlineFeaturesRequest)
	if err := received(pieces, m); err != nil || len(m.GetFeatures().GetVal()) != n {
		t.Fatalf("%d references, %v", len(m.GetFeatures().GetVal()), err)
	}
	m = new(feast.GetOnlineFeaturesRequest)
	if err := received(wide, m); err != nil {
		t.Fatal(err)
	}
	var set columnSet
	for i := range n {
		set.put(serving.Column{Name: "c" + strconv.Itoa(i)})
	}
	if len(set.list) != n {
		t.Fatalf("%d columns", len(set.list))
	}
	if _, err := requestColumns(m, decodeLimits{}); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "more than 4096 entity columns") {
		t.Error(err)
	}
	if _, err := parseBody([]byte(text.String()), dialect{}); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "more than 4096 entity columns") {
		t.Error(err)
	}
	// A quadratic decoder takes ten seconds and more.
	if d := processorTime(t) - start; d > 2*time.Second {
		t.Errorf("%v", d)
	}
}
