package serving_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/serving"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/memory"
	"github.com/banquet-fs/banquet/value"
)

// typed is a feature or a field of request data.
func typed(name string, t types.ValueType_Enum) *core.FeatureSpecV2 {
	return &core.FeatureSpecV2{Name: name, ValueType: t}
}

func floats(names ...string) []*core.FeatureSpecV2 {
	var out []*core.FeatureSpecV2
	for _, n := range names {
		out = append(out, typed(n, types.ValueType_DOUBLE))
	}
	return out
}

// onDemand is an on-demand view. Its sources are projections and lists of request data.
func onDemand(name, mode, text string, features []*core.FeatureSpecV2, sources ...any) *core.OnDemandFeatureView {
	spec := &core.OnDemandFeatureViewSpec{
		Name: name, Project: "p", Mode: mode, Features: features, Sources: map[string]*core.OnDemandSource{},
		FeatureTransformation: &core.FeatureTransformationV2{Transformation: &core.FeatureTransformationV2_UserDefinedFunction{
			UserDefinedFunction: &core.UserDefinedFunctionV2{Name: name, BodyText: text},
		}},
	}
	for i, s := range sources {
		switch s := s.(type) {
		case *core.FeatureViewProjection:
			spec.Sources[string(rune('a'+i))] = &core.OnDemandSource{Source: &core.OnDemandSource_FeatureViewProjection{FeatureViewProjection: s}}
		case []*core.FeatureSpecV2:
			spec.Sources[string(rune('a'+i))] = &core.OnDemandSource{Source: &core.OnDemandSource_RequestDataSource{RequestDataSource: &core.DataSource{
				Type: core.DataSource_REQUEST_SOURCE, Options: &core.DataSource_RequestDataOptions_{RequestDataOptions: &core.DataSource_RequestDataOptions{Schema: s}},
			}}}
		}
	}
	return &core.OnDemandFeatureView{Spec: spec}
}

// pandas is a function whose result has one column for each pair of a name and an
// expression.
func pandas(name string, columns ...string) string {
	b := "def " + name + "(df):\n    out = pd.DataFrame()\n"
	for i := 0; i < len(columns); i += 2 {
		b += "    out[\"" + columns[i] + "\"] = " + columns[i+1] + "\n"
	}
	return b + "    return out\n"
}

func newOnDemandWorld(t *testing.T, change func(*serving.Options)) *world {
	t.Helper()
	entity := func(name string) *core.Entity {
		return &core.Entity{Spec: &core.EntitySpecV2{Name: name, Project: "p", JoinKey: name + "_id", ValueType: types.ValueType_INT64}}
	}
	old := declared("old", []string{"user"}, "f")
	old.Ttl = durationpb.New(time.Hour)
	offline := declared("offline", []string{"user"}, "f")
	offline.Online = false
	user, shop := projection("user", "", nil, "f", "g"), projection("shop", "", nil, "h")
	int64s := func(names ...string) []*core.FeatureSpecV2 {
		var out []*core.FeatureSpecV2
		for _, n := range names {
			out = append(out, feature(n))
		}
		return out
	}
	first := onDemand("versioned", "pandas", pandas("versioned", "v", `df["f"] * 100.0`), floats("v"), user)
	first.Spec.Project = "p"
	history, err := proto.Marshal(first)
	if err != nil {
		t.Fatal(err)
	}
	moved := onDemand("moved", "pandas", "def moved(df):\n    import torch\n    return torch.nn(df)\n", floats("m"), user)
	before, err := proto.Marshal(moved)
	if err != nil {
		t.Fatal(err)
	}
	written := onDemand("written", "pandas", pandas("written", "w", `df["f"] + 0.5`), floats("w"), user)
	written.Spec.WriteToOnlineStore, written.Spec.Entities, written.Spec.EntityColumns = true, []string{"user"}, int64s("user_id")
	reg := &core.Registry{
		Projects: []*core.Project{{Spec: &core.ProjectSpec{Name: "p"}}},
		Entities: []*core.Entity{entity("user"), entity("shop"), {Spec: &core.EntitySpecV2{Name: "__dummy", Project: "p", JoinKey: "__dummy_id", ValueType: types.ValueType_STRING}}},
		FeatureViews: []*core.FeatureView{
			{Spec: declared("user", []string{"user"}, "f", "g")},
			{Spec: declared("shop", []string{"shop"}, "h", "f")},
			{Spec: declared("global", []string{"__dummy"}, "total")},
			{Spec: old},
			{Spec: offline},
		},
		OnDemandFeatureViews: []*core.OnDemandFeatureView{
			onDemand("sum", "pandas", pandas("sum", "s", `df["f"] + df["amount"]`, "half", `df["f"] / 2`), floats("s", "half"), user, floats("amount")),
			onDemand("ratio", "pandas", pandas("ratio", "r", `df["user__f"] / df["h"]`), floats("r"), user, shop),
			onDemand("dist", "pandas", pandas("dist", "d", `df["f"] + 0.25`), floats("d"), projection("user", "", map[string]string{"user_id": "friend_id"}, "f")),
			onDemand("greet", "python", "def greet(d):\n    return {\"text\": [f\"{a}!\" for a in d[\"word\"]]}\n", []*core.FeatureSpecV2{typed("text", types.ValueType_STRING)}, []*core.FeatureSpecV2{typed("word", types.ValueType_STRING)}),
			onDemand("keyed", "pandas", pandas("keyed", "k", `df["user_id"] * 2 + df["f"]`), int64s("k"), user, int64s("user_id")),
			onDemand("keys", "pandas", pandas("keys", "k", `df["user_id"] * 2 + df["f"]`), int64s("k"), user),
			onDemand("total", "pandas", pandas("total", "t", `df["total"] + 1`), int64s("t"), projection("global", "", nil, "total")),
			onDemand("share", "pandas", pandas("share", "q", `df["f"] / df["f"].sum()`), floats("q"), user),
			onDemand("aged", "pandas", pandas("aged", "a", `df["f"] * 1.0`), floats("a"), projection("old", "", nil, "f")),
			onDemand("unwritten", "pandas", pandas("unwritten", "u", `df["f"].isna()`), []*core.FeatureSpecV2{typed("u", types.ValueType_BOOL)}, projection("offline", "", nil, "f")),
			onDemand("other", "pandas", "def other(df):\n    import torch\n    return torch.nn(df)\n", floats("o"), user),
			onDemand("nested", "pandas", pandas("nested", "n", `df["s"] + 1`), floats("n"), &core.FeatureViewProjection{FeatureViewName: "sum", FeatureColumns: floats("s", "half")}),
			onDemand("gone", "pandas", pandas("gone", "x", `df["f"] + 1`), floats("x"), projection("deleted", "", nil, "f")),
			onDemand("changed", "pandas", pandas("changed", "x", `df["f"] + 1`), floats("x"), &core.FeatureViewProjection{FeatureViewName: "user", FeatureColumns: floats("f")}),
			onDemand("long", "pandas", pandas("long", "l", `df["word"] + df["word"]`), []*core.FeatureSpecV2{typed("l", types.ValueType_STRING)}, []*core.FeatureSpecV2{typed("word", types.ValueType_STRING)}),
			onDemand("slow", "python", "def slow(d):\n    n = 0\n    while n < 1000000000:\n        n = n + 1\n    return {\"n\": [n for f in d[\"f\"]]}\n", int64s("n"), user),
			onDemand("times", "pandas", pandas("times", "hour", `df["at"].dt.hour`), int64s("hour"), []*core.FeatureSpecV2{typed("at", types.ValueType_UNIX_TIMESTAMP)}),
			onDemand("versioned", "pandas", pandas("versioned", "v", `df["f"] * 1000.0`), floats("v"), user),
			moved, written,
		},
		FeatureServices: []*core.FeatureService{
			{Spec: &core.FeatureServiceSpec{Name: "aliased", Project: "p", Features: []*core.FeatureViewProjection{
				{FeatureViewName: "sum", FeatureViewNameAlias: "al", FeatureColumns: floats("half")}, projection("shop", "", nil, "h"),
			}}},
			{Spec: &core.FeatureServiceSpec{Name: "mapped", Project: "p", Features: []*core.FeatureViewProjection{
				projection("user", "", map[string]string{"user_id": "buyer"}, "f"), {FeatureViewName: "sum", FeatureColumns: floats("s")},
			}}},
		},
		FeatureViewVersionHistory: &core.FeatureViewVersionHistory{Records: []*core.FeatureViewVersionRecord{
			{FeatureViewName: "versioned", ProjectId: "p", VersionNumber: 1, FeatureViewType: "on_demand_feature_view", FeatureViewProto: history},
			{FeatureViewName: "moved", ProjectId: "p", VersionNumber: 1, FeatureViewType: "on_demand_feature_view", FeatureViewProto: before},
		}},
	}
	snapshot, err := registry.OpenSnapshot(reg, registry.Options{VersionedTables: true})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{store: new(memory.Store)}
	opt := serving.Options{
		Snapshots: func() *registry.Snapshot { return snapshot }, Project: "p", Reader: w.store, KeyVersion: 3, Versioned: true,
		Now: func() time.Time { return now },
	}
	if change != nil {
		change(&opt)
	}
	w.Service = serving.New(opt)
	w.put(t, "user", "f", []string{"user_id"}, []int64{1}, []int64{2})
	w.put(t, "shop", "h", []string{"shop_id"}, []int64{5})
	w.put(t, "global", "total", []string{"__dummy_id"}, []int64{})
	w.put(t, "old", "f", []string{"user_id"}, []int64{1})
	w.put(t, "written", "w", []string{"user_id"}, []int64{1})
	return w
}

func tokens(name string, values ...string) serving.Column {
	c := serving.Column{Name: name, JSON: [][]byte{}}
	for _, v := range values {
		c.JSON = append(c.JSON, []byte(v))
	}
	return c
}

func asContext(c serving.Column) serving.Column { c.Context = true; return c }

func TestOnDemandResponses(t *testing.T) {
	w := newOnDemandWorld(t, nil)
	type columns = []serving.Column
	for name, c := range map[string]struct {
		req  serving.Request
		want string
	}{
		"inputs are not returned":         {serving.Request{Features: []string{"sum:s", "sum:half"}, Columns: columns{numbers("user_id", 1, 9), tokens("amount", "5", "0.5")}}, "user_id: 1, 9; s: 15.0, ; half: 5.0, "},
		"unless asked for":                {serving.Request{Features: []string{"sum:s", "user:f"}, Columns: columns{numbers("user_id", 1, 9), tokens("amount", "5", "0.5")}}, "user_id: 1, 9; f: 10, ?; s: 15.0, "},
		"some features of a function":     {serving.Request{Features: []string{"sum:half"}, Columns: columns{tokens("amount", "5"), numbers("user_id", 2)}}, "user_id: 2; half: 10.0"},
		"full names":                      {serving.Request{Features: []string{"user:f", "sum:s"}, FullNames: true, Columns: columns{numbers("user_id", 1), tokens("amount", "5")}}, "user_id: 1; user__f: 10; sum__s: 15.0"},
		"stored features come first":      {serving.Request{Features: []string{"ratio:r", "user:f", "shop:h"}, Columns: columns{numbers("shop_id", 5), numbers("user_id", 1)}}, "shop_id: 5; user_id: 1; f: 10; h: 50; r: 0.2"},
		"the order of first need":         {serving.Request{Features: []string{"ratio:r", "shop:h", "user:f"}, Columns: columns{numbers("shop_id", 5), numbers("user_id", 1)}}, "shop_id: 5; user_id: 1; f: 10; h: 50; r: 0.2"},
		"rows twice":                      {serving.Request{Features: []string{"sum:s"}, Columns: columns{numbers("user_id", 2, 1, 2), tokens("amount", "1", "2", "3")}}, "user_id: 2, 1, 2; s: 21.0, 12.0, 23.0"},
		"functions do not meet":           {serving.Request{Features: []string{"sum:s", "dist:d", "ratio:r"}, Columns: columns{numbers("user_id", 1), numbers("friend_id", 2), numbers("shop_id", 5), tokens("amount", "5")}}, "user_id: 1; friend_id: 2; shop_id: 5; s: 15.0; d: 20.25; r: 0.2"},
		"a source's own join keys":        {serving.Request{Features: []string{"user:f", "dist:d"}, Columns: columns{numbers("user_id", 1), numbers("friend_id", 2)}}, "user_id: 1; friend_id: 2; f: 10; d: 20.25"},
		"only request data":               {serving.Request{Features: []string{"greet:text"}, Columns: columns{tokens("word", `"hi"`, `"é"`, "null")}}, `text: "hi!", "é!", "None!"`},
		"only request data, more columns": {serving.Request{Features: []string{"greet:text"}, Columns: columns{tokens("word", `"hi"`), numbers("user_id", 1), numbers("nobody", 4)}}, `user_id: 1; text: "hi!"`},
		"no rows":                         {serving.Request{Features: []string{"greet:text"}, Columns: columns{tokens("word")}}, `text: `},
		"a key that is request data":      {serving.Request{Features: []string{"keyed:k"}, Columns: columns{tokens("user_id", "1", `"2"`)}}, "user_id: 1, 2; k: 12, 24"},
		"both, sent apart":                {serving.Request{Features: []string{"keyed:k"}, Columns: columns{numbers("user_id", 1), asContext(numbers("user_id", 7))}}, "user_id: 1; k: 24"},
		"a key":                           {serving.Request{Features: []string{"keys:k"}, Columns: columns{tokens("user_id", "1", `"2"`)}}, "user_id: 1, 2; k: 12, 24"},
		"request context":                 {serving.Request{Features: []string{"sum:s"}, Columns: columns{numbers("user_id", 1), asContext(tokens("amount", "5"))}}, "user_id: 1; s: 15.0"},
		"context before entities":         {serving.Request{Features: []string{"sum:s"}, Columns: columns{asContext(tokens("amount", "5")), numbers("user_id", 1), tokens("amount", "6")}}, "user_id: 1; s: 15.0"},
		"typed request data":              {serving.Request{Features: []string{"sum:s"}, Columns: columns{numbers("user_id", 1, 2), numbers("amount", 5, 6)}}, "user_id: 1, 2; s: 15.0, 26.0"},
		"request data as text":            {serving.Request{Features: []string{"sum:s"}, Columns: columns{tokens("user_id", `"1"`), tokens("amount", `"5.5"`)}}, "user_id: 1; s: 15.5"},
		"null request data":               {serving.Request{Features: []string{"sum:s"}, Columns: columns{numbers("user_id", 1, 2), tokens("amount", "null", "1")}}, "user_id: 1, 2; s: , 21.0"},
		"times":                           {serving.Request{Features: []string{"times:hour"}, Columns: columns{tokens("at", `"2024-03-01T07:30:00Z"`, "3600")}}, "hour: 7, 1"},
		"no entities":                     {serving.Request{Features: []string{"total:t"}, Columns: columns{numbers("user_id", 1, 2)}}, "user_id: 1, 2; t: 1, 1"},
		"all rows at once":                {serving.Request{Features: []string{"share:q"}, Columns: columns{numbers("user_id", 1, 2, 1)}}, "user_id: 1, 2, 1; q: 0.25, 0.5, 0.25"},
		"an alias":                        {serving.Request{Service: "aliased", Columns: columns{numbers("user_id", 1), numbers("shop_id", 5), tokens("amount", "5")}}, "user_id: 1; shop_id: 5; h: 50; half: 5.0"},
		"an alias, full names":            {serving.Request{Service: "aliased", FullNames: true, Columns: columns{numbers("user_id", 1), numbers("shop_id", 5), tokens("amount", "5")}}, "user_id: 1; shop_id: 5; shop__h: 50; al__half: 5.0"},
		"the service's join keys":         {serving.Request{Service: "mapped", Columns: columns{numbers("buyer", 2), tokens("amount", "5")}}, "buyer: 2; f: 20; s: 25.0"},
		"the current version":             {serving.Request{Features: []string{"versioned:v"}, Columns: columns{numbers("user_id", 1)}}, "user_id: 1; v: 10000.0"},
		"a version":                       {serving.Request{Features: []string{"versioned@v1:v"}, FullNames: true, Columns: columns{numbers("user_id", 1)}}, "user_id: 1; versioned@v1__v: 1000.0"},
		"two versions":                    {serving.Request{Features: []string{"versioned@v1:v", "versioned:v"}, FullNames: true, Columns: columns{numbers("user_id", 1)}}, "user_id: 1; versioned@v1__v: 1000.0; versioned__v: 10000.0"},
		"a written view":                  {serving.Request{Features: []string{"written:w"}, Columns: columns{numbers("user_id", 1)}}, "user_id: 1; w: 10"},
		"ttl ignored":                     {serving.Request{Features: []string{"aged:a"}, Columns: columns{numbers("user_id", 1, 2)}}, "user_id: 1, 2; a: 10.0, "},
		"ttl marked":                      {serving.Request{Features: []string{"aged:a"}, TTL: serving.MarkTTL, Columns: columns{numbers("user_id", 1, 2)}}, "user_id: 1, 2; a: 10.0 old, "},
		"ttl withheld":                    {serving.Request{Features: []string{"aged:a"}, TTL: serving.NullTTL, Columns: columns{numbers("user_id", 1)}}, "user_id: 1; a:  old"},
		"a source that is not online":     {serving.Request{Features: []string{"unwritten:u"}, Columns: columns{numbers("user_id", 1)}}, "user_id: 1; u: true"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // the second time with the cached plan
				r, err := w.GetOnlineFeatures(t.Context(), &c.req)
				if err != nil {
					t.Fatal(err)
				}
				if got := text(t, r); got != c.want {
					t.Errorf("%s\nwant %s", got, c.want)
				}
				sameGathered(t, r)
				r.Release()
			}
		})
	}
}

// sameGathered checks that Gather copies what At returns.
func sameGathered(t *testing.T, r *serving.Response) {
	t.Helper()
	for i := range r.Columns() {
		c := r.Column(i)
		values, statuses := make([][]byte, r.Rows()), make([]serving.Status, r.Rows())
		r.Gather(i, values, statuses)
		for row := range values {
			if v, s := c.At(row); string(v) != string(values[row]) || s != statuses[row] {
				t.Errorf("%s, row %d: %x %d, gathered %x %d", c.Name, row, v, s, values[row], statuses[row])
			}
		}
	}
}

func TestOnDemandRefusals(t *testing.T) {
	w := newOnDemandWorld(t, func(o *serving.Options) { o.Limits = serving.Limits{Cells: 12, ComputedBytes: 1000} })
	user := numbers("user_id", 1)
	type columns = []serving.Column
	for name, c := range map[string]struct {
		req  serving.Request
		kind fault.Kind
		want string
	}{
		"no request data":           {serving.Request{Features: []string{"sum:s"}, Columns: columns{user}}, fault.Invalid, "Required request data source features ['amount'] not found in the entity rows, but required by feature views"},
		"request data of a type":    {serving.Request{Features: []string{"sum:s"}, Columns: columns{user, tokens("amount", `"x"`)}}, fault.Invalid, `request data "amount", row 0: "x" is not a number`},
		"lengths":                   {serving.Request{Features: []string{"sum:s"}, Columns: columns{user, tokens("amount", "1", "2")}}, fault.Invalid, `"user_id" has 1 values, column "amount" has 2`},
		"no join key":               {serving.Request{Features: []string{"sum:s"}, Columns: columns{tokens("amount", "1")}}, fault.Invalid, "Missing join key values for keys: ['shop_id', 'user_id']"},
		"not computed":              {serving.Request{Features: []string{"other:o"}, Columns: columns{user}}, fault.Unimplemented, `on-demand feature view "other" cannot be computed: line 2 of its function`},
		"not computed among others": {serving.Request{Features: []string{"user:f", "other:o"}, Columns: columns{user}}, fault.Unimplemented, `"other"`},
		"a computed source":         {serving.Request{Features: []string{"nested:n"}, Columns: columns{user}}, fault.Unimplemented, `reads features of on-demand feature view "sum"`},
		"a source that is gone":     {serving.Request{Features: []string{"gone:x"}, Columns: columns{user}}, fault.NotFound, "deleted"},
		"a source that changed":     {serving.Request{Features: []string{"changed:x"}, Columns: columns{user}}, fault.Invalid, "Apply on-demand feature view changed again"},
		"an unknown feature":        {serving.Request{Features: []string{"sum:nope"}, Columns: columns{user}}, fault.Invalid, "Feature nope not found in projection sum"},
		"an unknown version":        {serving.Request{Features: []string{"versioned@v7:v"}, Columns: columns{user}}, fault.NotFound, "Version v7"},
		"too many cells":            {serving.Request{Features: []string{"ratio:r"}, Columns: columns{numbers("user_id", 1, 2, 3, 4, 5), numbers("shop_id", 1, 2, 3, 4, 5)}}, fault.Invalid, "banquet.limits.cells"},
		"too many bytes":            {serving.Request{Features: []string{"long:l"}, Columns: columns{tokens("word", `"`+strings.Repeat("x", 600)+`"`)}}, fault.TooLarge, "banquet.limits.store_bytes"},
		"a chunk of the rows":       {serving.Request{Features: []string{"share:q"}, Chunk: true, Columns: columns{user}}, fault.Unimplemented, "all rows of a request at once"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				r, err := w.GetOnlineFeatures(t.Context(), &c.req)
				if err == nil {
					t.Fatalf("not refused: %s", text(t, r))
				}
				if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v (%v), want %v: %s", err, fault.KindOf(err), c.kind, c.want)
				}
			}
		})
	}
	// Other requests are not affected.
	r, err := w.GetOnlineFeatures(t.Context(), &serving.Request{Features: []string{"user:f"}, Columns: columns{user}})
	if err != nil {
		t.Fatal(err)
	}
	r.Release()
}

// An input that could not be read is not a missing one: the cell has no value, and its
// status says why. A function that computes with all rows has no value for any of them.
func TestUnreadInputsAreNotMissing(t *testing.T) {
	w := newOnDemandWorld(t, nil)
	broken := newOnDemandWorld(t, func(o *serving.Options) { o.Reader = half{w.store} })
	req := &serving.Request{Features: []string{"sum:half"}, Columns: []serving.Column{numbers("user_id", 1, 2, 3), tokens("amount", "1", "1", "1")}}
	if _, err := broken.GetOnlineFeatures(t.Context(), req); fault.KindOf(err) != fault.Overloaded {
		t.Errorf("%v", err)
	}
	for ref, want := range map[string]string{"sum:half": "half: 5.0,  throttled, ", "share:q": "q:  throttled,  throttled,  throttled"} {
		req.Features, req.Partial = []string{ref}, true
		r, err := broken.GetOnlineFeatures(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if got := text(t, r); got != "user_id: 1, 2, 3; "+want {
			t.Errorf("%s\nwant %s", got, want)
		}
		r.Release()
	}
}

// A stored value that is damaged is not computed with.
func TestADamagedInput(t *testing.T) {
	w := newOnDemandWorld(t, nil)
	key, err := value.NewKeyLayout(3, []string{"user_id"}).Append(nil, [][]byte{value.AppendInt64(nil, 1)})
	if err != nil {
		t.Fatal(err)
	}
	bad := []stores.Record{{Key: key, Event: now, Values: [][]byte{{0xff}}}}
	if _, err := w.store.Write(t.Context(), stores.Table{Project: "p", View: "user"}, stores.NewSelection("f"), bad, stores.Replace); err != nil {
		t.Fatal(err)
	}
	r, err := w.GetOnlineFeatures(t.Context(), &serving.Request{Features: []string{"sum:half"}, Columns: []serving.Column{numbers("user_id", 1, 2), tokens("amount", "1", "1")}})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if got, want := text(t, r), "user_id: 1, 2; half:  invalid, 10.0"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// A changed function is used with the next snapshot, and so is one that can be computed now.
// A request that began with the earlier snapshot has the earlier function.
func TestAFunctionChangesWithItsSnapshot(t *testing.T) {
	open := func(text string) *registry.Snapshot {
		s, err := registry.OpenSnapshot(&core.Registry{
			Projects:             []*core.Project{{Spec: &core.ProjectSpec{Name: "p"}}},
			OnDemandFeatureViews: []*core.OnDemandFeatureView{onDemand("double", "pandas", text, floats("d"), floats("x"))},
		}, registry.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var current *registry.Snapshot
	service := serving.New(serving.Options{Snapshots: func() *registry.Snapshot { return current }, Project: "p", KeyVersion: 3})
	ask := func(s *registry.Snapshot) string {
		current = s
		r, err := service.GetOnlineFeatures(t.Context(), &serving.Request{Features: []string{"double:d"}, Columns: []serving.Column{numbers("x", 1)}})
		if err != nil {
			return fault.KindOf(err).String()
		}
		defer r.Release()
		return text(t, r)
	}
	first, second, third := open(pandas("double", "d", `df["x"] * 2`)), open(pandas("double", "d", `df["x"] * 3`)), open("def double(df):\n    return df.frobnicate()\n")
	for i, c := range []struct {
		snapshot *registry.Snapshot
		want     string
	}{{first, "d: 2.0"}, {second, "d: 3.0"}, {first, "d: 2.0"}, {third, fault.Unimplemented.String()}, {second, "d: 3.0"}, {third, fault.Unimplemented.String()}} {
		if got := ask(c.snapshot); got != c.want {
			t.Errorf("request %d: %s, want %s", i, got, c.want)
		}
	}
}

// Requests that run one function at the same time do not share memory.
func TestConcurrentOnDemandRequests(t *testing.T) {
	w := newOnDemandWorld(t, nil)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for j := range 100 {
				amount := fmt.Sprintf("%d.5", 1000*i+j)
				r, err := w.GetOnlineFeatures(t.Context(), &serving.Request{
					Features: []string{"sum:s", "greet:text"},
					Columns:  []serving.Column{numbers("user_id", 1, 2), tokens("amount", amount, amount), tokens("word", `"a`+amount+`"`, `"b"`)},
				})
				if err != nil {
					t.Error(err)
					return
				}
				want := fmt.Sprintf(`user_id: 1, 2; s: %d.5, %d.5; text: "a%s!", "b!"`, 1000*i+j+10, 1000*i+j+20, amount)
				if got := text(t, r); got != want {
					t.Errorf("%s\nwant %s", got, want)
				}
				r.Release()
			}
		})
	}
	group.Wait()
}

// A slow function ends with the deadline of its request, also with the default one.
func TestASlowFunctionEndsWithTheDeadline(t *testing.T) {
	w := newOnDemandWorld(t, func(o *serving.Options) { o.Deadline = 30 * time.Millisecond })
	req := &serving.Request{Features: []string{"slow:n"}, Columns: []serving.Column{numbers("user_id", make([]int64, 500)...)}}
	for name, with := range map[string]func() (context.Context, context.CancelFunc){
		"own": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), 20*time.Millisecond)
		},
		"default": func() (context.Context, context.CancelFunc) { return t.Context(), func() {} },
	} {
		_, _ = w.GetOnlineFeatures(t.Context(), req) // compiles the function
		ctx, cancel := with()
		start := time.Now()
		_, err := w.GetOnlineFeatures(ctx, req)
		cancel()
		if fault.KindOf(err) != fault.TimedOut || !strings.Contains(err.Error(), `"slow" was not computed within the time`) {
			t.Errorf("%s: %v", name, err)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s: it took %v", name, d)
		}
	}
}
