package serving_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

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

var now = time.Unix(1_700_000_000, 0)

func feature(name string) *core.FeatureSpecV2 {
	return &core.FeatureSpecV2{Name: name, ValueType: types.ValueType_INT64}
}

// declared is a view over entities, each of which has the join key <entity>_id.
func declared(name string, entities []string, features ...string) *core.FeatureViewSpec {
	spec := &core.FeatureViewSpec{Name: name, Project: "p", Online: true, Entities: entities, Ttl: durationpb.New(0)}
	for _, e := range entities {
		if e == "__dummy" {
			spec.EntityColumns = append(spec.EntityColumns, &core.FeatureSpecV2{Name: "__dummy_id", ValueType: types.ValueType_STRING})
			continue
		}
		spec.EntityColumns = append(spec.EntityColumns, feature(e+"_id"))
	}
	for _, f := range features {
		spec.Features = append(spec.Features, feature(f))
	}
	return spec
}

func projection(name, alias string, joinKeys map[string]string, features ...string) *core.FeatureViewProjection {
	p := &core.FeatureViewProjection{FeatureViewName: name, FeatureViewNameAlias: alias, JoinKeyMap: joinKeys}
	for _, f := range features {
		p.FeatureColumns = append(p.FeatureColumns, feature(f))
	}
	return p
}

// wide are the names of many features.
func wide() []string {
	names := make([]string, 400)
	for i := range names {
		names[i] = fmt.Sprintf("a_feature_with_a_long_name_%03d", i)
	}
	return names
}

// Clients choose the shapes of requests: the memory for them is bounded, however many
// there are.
func TestShapesThatNeverComeAgain(t *testing.T) {
	w := newWorld(t, nil)
	features := wide()
	for i := range features {
		features[i] = "wide:" + features[i]
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range 2500 {
		j := 1 + i%399
		features[i/399], features[j] = features[j], features[i/399]
		resp, err := w.GetOnlineFeatures(t.Context(), &serving.Request{Features: features, Columns: []serving.Column{numbers("user_id", 1)}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Release()
	}
	if grown := int64(heap()) - int64(before); grown > 64<<20 {
		t.Errorf("2,500 shapes of 400 features use %d MB", grown>>20)
	}
	runtime.KeepAlive(w)
}

// world is a service over a registry of many kinds of views and a store in
// which the feature f of a view's row of key k is 10 k.
type world struct {
	*serving.Service
	store *memory.Store
}

func newWorld(t *testing.T, change func(*serving.Options)) *world {
	t.Helper()
	entity := func(name string) *core.Entity {
		return &core.Entity{Spec: &core.EntitySpecV2{Name: name, Project: "p", JoinKey: name + "_id", ValueType: types.ValueType_INT64}}
	}
	old := declared("old", []string{"user"}, "f")
	old.Ttl = durationpb.New(time.Hour)
	disabled := declared("disabled", []string{"user"}, "f")
	disabled.Disabled = true
	offline := declared("offline", []string{"user"}, "f")
	offline.Online = false
	created := &core.FeatureView{Spec: declared("created", []string{"user"}, "f"), Meta: &core.FeatureViewMeta{State: core.FeatureViewState_CREATED}}
	reg := &core.Registry{
		Projects: []*core.Project{{Spec: &core.ProjectSpec{Name: "p"}}, {Spec: &core.ProjectSpec{Name: "empty"}}},
		Entities: []*core.Entity{entity("user"), entity("shop"), {Spec: &core.EntitySpecV2{Name: "__dummy", Project: "p", JoinKey: "__dummy_id", ValueType: types.ValueType_STRING}}},
		FeatureViews: []*core.FeatureView{
			{Spec: declared("user", []string{"user"}, "f", "g")},
			{Spec: declared("shop", []string{"shop"}, "f", "h")},
			{Spec: declared("pair", []string{"user", "shop"}, "f")},
			{Spec: declared("global", []string{"__dummy"}, "total")},
			{Spec: declared("wide", []string{"user"}, wide()...)},
			{Spec: old},
			{Spec: disabled},
			{Spec: offline},
			created,
		},
		FeatureServices: []*core.FeatureService{
			{Spec: &core.FeatureServiceSpec{Name: "friends", Project: "p", Features: []*core.FeatureViewProjection{
				projection("user", "", nil, "f"), projection("user", "friend", map[string]string{"user_id": "friend_id"}, "f"),
			}}},
			{Spec: &core.FeatureServiceSpec{Name: "shops", Project: "p", Features: []*core.FeatureViewProjection{projection("shop", "", nil, "h")}}},
		},
	}
	snapshot, err := registry.OpenSnapshot(reg, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{store: new(memory.Store)}
	opt := serving.Options{Snapshots: func() *registry.Snapshot { return snapshot }, Project: "p", Reader: w.store, KeyVersion: 3, Now: func() time.Time { return now }}
	if change != nil {
		change(&opt)
	}
	w.Service = serving.New(opt)
	return w
}

// put stores rows of a view: the value is ten times the sum of the row's keys.
func (w *world) put(t *testing.T, view, feature string, joinKeys []string, rows ...[]int64) {
	t.Helper()
	layout := value.NewKeyLayout(3, joinKeys)
	var records []stores.Record
	for _, row := range rows {
		var keys [][]byte
		sum := int64(0)
		for _, k := range row {
			keys = append(keys, value.AppendInt64(nil, k))
			sum += k
		}
		if len(row) == 0 {
			keys = [][]byte{value.AppendString(nil, "")}
		}
		key, err := layout.Append(nil, keys)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, stores.Record{Key: key, Event: now.Add(-2 * time.Hour), Values: [][]byte{value.AppendInt64(nil, 10*sum)}})
	}
	if w, err := w.store.Write(t.Context(), stores.Table{Project: "p", View: view}, stores.NewSelection(feature), records, stores.Replace); err != nil || len(w.Failed.Indexes) > 0 {
		t.Fatal(w, err)
	}
}

func numbers(name string, values ...int64) serving.Column {
	c := serving.Column{Name: name}
	for _, v := range values {
		c.Values = append(c.Values, value.AppendInt64(nil, v))
	}
	return c
}

// text writes a response as "name: value status, …; …".
func text(t *testing.T, r *serving.Response) string {
	t.Helper()
	status := map[serving.Status]string{serving.Present: "", serving.NotFound: "?", serving.OutsideMaxAge: " old", serving.Invalid: " invalid", serving.Throttled: " throttled"}
	var columns []string
	for i := range r.Columns() {
		c := r.Column(i)
		var cells []string
		for row := range r.Rows() {
			v, s := c.At(row)
			b := []byte{}
			if len(v) > 0 {
				var err error
				if b, err = value.AppendJSON(nil, v); err != nil {
					t.Fatal(err)
				}
			}
			cells = append(cells, string(b)+status[s])
		}
		columns = append(columns, c.Name+": "+strings.Join(cells, ", "))
	}
	return strings.Join(columns, "; ")
}

func TestResponses(t *testing.T) {
	w := newWorld(t, nil)
	w.put(t, "user", "f", []string{"user_id"}, []int64{1}, []int64{2}, []int64{math.MinInt64 / 10})
	w.put(t, "shop", "h", []string{"shop_id"}, []int64{5})
	w.put(t, "pair", "f", []string{"user_id", "shop_id"}, []int64{1, 5})
	w.put(t, "global", "total", []string{"__dummy_id"}, []int64{})
	w.put(t, "old", "f", []string{"user_id"}, []int64{1})
	for name, c := range map[string]struct {
		req  serving.Request
		want string
	}{
		"one view":          {serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{numbers("user_id", 1, 9)}}, "user_id: 1, 9; f: 10, ?"},
		"order of features": {serving.Request{Features: []string{"user:g", "shop:h", "user:f"}, Columns: []serving.Column{numbers("shop_id", 5), numbers("user_id", 1)}}, "shop_id: 5; user_id: 1; g: ?; f: 10; h: 50"},
		"full names":        {serving.Request{Features: []string{"user:f", "shop:f"}, FullNames: true, Columns: []serving.Column{numbers("user_id", 1), numbers("shop_id", 5)}}, "user_id: 1; shop_id: 5; user__f: 10; shop__f: ?"},
		"rows twice":        {serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{numbers("user_id", 2, 1, 2, 9, 1)}}, "user_id: 2, 1, 2, 9, 1; f: 20, 10, 20, ?, 10"},
		"composite key":     {serving.Request{Features: []string{"pair:f"}, Columns: []serving.Column{numbers("shop_id", 5, 5), numbers("user_id", 1, 2)}}, "shop_id: 5, 5; user_id: 1, 2; f: 60, ?"},
		"half a key":        {serving.Request{Features: []string{"pair:f"}, Columns: []serving.Column{numbers("user_id", 1)}}, "user_id: 1; f: ?"},
		"no entities":       {serving.Request{Features: []string{"global:total"}, Columns: []serving.Column{numbers("user_id", 1, 2)}}, "user_id: 1, 2; total: 0, 0"},
		"the entity's name": {serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{numbers("user", 1)}}, "user_id: 1; f: 10"},
		"others' columns":   {serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{numbers("user_id", 1), numbers("shop_id", 3), numbers("nobody", 4)}}, "user_id: 1; shop_id: 3; f: 10"},
		"service":           {serving.Request{Service: "shops", Columns: []serving.Column{numbers("shop_id", 5)}}, "shop_id: 5; h: 50"},
		"service wins":      {serving.Request{Service: "shops", Features: []string{"user:f"}, Columns: []serving.Column{numbers("shop_id", 5)}}, "shop_id: 5; h: 50"},
		"a view twice":      {serving.Request{Service: "friends", FullNames: true, Columns: []serving.Column{numbers("user_id", 1, 2), numbers("friend_id", 2, 9)}}, "user_id: 1, 2; friend_id: 2, 9; user__f: 10, 20; friend__f: 20, ?"},
		"unmapped key":      {serving.Request{Service: "friends", FullNames: true, Columns: []serving.Column{numbers("user_id", 1)}}, "user_id: 1; user__f: 10; friend__f: 10"},
		"offline view":      {serving.Request{Features: []string{"offline:f"}, Columns: []serving.Column{numbers("user_id", 1)}}, "user_id: 1; f: ?"},
		"ttl ignored":       {serving.Request{Features: []string{"old:f"}, Columns: []serving.Column{numbers("user_id", 1)}}, "user_id: 1; f: 10"},
		"ttl marked":        {serving.Request{Features: []string{"old:f"}, TTL: serving.MarkTTL, Columns: []serving.Column{numbers("user_id", 1, 2)}}, "user_id: 1, 2; f: 10 old, ?"},
		"ttl withheld":      {serving.Request{Features: []string{"old:f"}, TTL: serving.NullTTL, Columns: []serving.Column{numbers("user_id", 1)}}, "user_id: 1; f:  old"},
		"extreme key":       {serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{numbers("user_id", math.MinInt64/10)}}, fmt.Sprintf("user_id: %d; f: %d", int64(math.MinInt64/10), int64(math.MinInt64/10*10))},
		"keys as text":      {serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{{Name: "user_id", JSON: [][]byte{[]byte(`"1"`), []byte(`2.0`)}}}}, "user_id: 1, 2; f: 10, 20"},
		"keys coerced":      {serving.Request{Features: []string{"user:f"}, Coerce: true, Columns: []serving.Column{{Name: "user_id", Values: [][]byte{value.AppendString(nil, "1")}}}}, "user_id: 1; f: 10"},
		"keys as they come": {serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{{Name: "user_id", Values: [][]byte{value.AppendString(nil, "1")}}}}, `user_id: "1"; f: ?`},
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
				r.Release()
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, func(o *serving.Options) { o.Limits = serving.Limits{Rows: 5, Features: 3, Cells: 8} })
	user := []serving.Column{numbers("user_id", 1)}
	for name, c := range map[string]struct {
		req  serving.Request
		kind fault.Kind
		want string
	}{
		"nothing wanted":     {serving.Request{Columns: user}, fault.Invalid, "No features specified"},
		"no reference":       {serving.Request{Features: []string{"user"}, Columns: user}, fault.Invalid, "Invalid feature reference 'user'"},
		"unknown view":       {serving.Request{Features: []string{"nope:f"}, Columns: user}, fault.NotFound, "nope"},
		"unknown feature":    {serving.Request{Features: []string{"user:nope"}, Columns: user}, fault.Invalid, "Feature nope not found in projection user"},
		"unknown service":    {serving.Request{Service: "nope", Columns: user}, fault.NotFound, "nope"},
		"unknown project":    {serving.Request{Project: "nope", Features: []string{"user:f"}, Columns: user}, fault.NotFound, "nope"},
		"other project":      {serving.Request{Project: "empty", Features: []string{"user:f"}, Columns: user}, fault.NotFound, "user"},
		"version":            {serving.Request{Features: []string{"user@v1:f"}, Columns: user}, fault.Invalid, "enable_online_feature_view_versioning"},
		"one name twice":     {serving.Request{Features: []string{"user:f", "shop:f"}, Columns: user}, fault.Invalid, "Duplicate features named f"},
		"one feature twice":  {serving.Request{Features: []string{"user:f", "user:f"}, FullNames: true, Columns: user}, fault.Invalid, "Duplicate features named user__f"},
		"disabled":           {serving.Request{Features: []string{"disabled:f"}, Columns: user}, fault.Disabled, "'disabled' is disabled"},
		"not yet filled":     {serving.Request{Features: []string{"created:f"}, Columns: user}, fault.Disabled, "in state 'CREATED'"},
		"no columns":         {serving.Request{Features: []string{"user:f"}}, fault.Invalid, "no entity columns"},
		"none of the keys":   {serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{numbers("shop_id", 1)}}, fault.Invalid, "Missing join key values for keys: ['shop_id', 'user_id']"},
		"lengths":            {serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{numbers("user_id", 1), numbers("shop_id", 1, 2)}}, fault.Invalid, `"user_id" has 1 values, column "shop_id" has 2`},
		"null key":           {serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{{Name: "user_id", JSON: [][]byte{[]byte("1"), []byte("null")}}}}, fault.Invalid, `column "user_id", row 1: the value is null`},
		"list as a key":      {serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{{Name: "user_id", JSON: [][]byte{[]byte("[1]")}}}}, fault.Invalid, `column "user_id", row 0`},
		"fraction as a key":  {serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{{Name: "user_id", JSON: [][]byte{[]byte("1.5")}}}}, fault.Invalid, `column "user_id", row 0`},
		"too large a number": {serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{{Name: "user_id", JSON: [][]byte{[]byte("9223372036854775808")}}}}, fault.Invalid, `column "user_id", row 0`},
		"too many rows":      {serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{numbers("user_id", 1, 2, 3, 4, 5, 6)}}, fault.Invalid, "banquet.limits.rows"},
		"too many features":  {serving.Request{Features: []string{"user:f", "user:g", "shop:h", "pair:f"}, FullNames: true, Columns: user}, fault.Invalid, "banquet.limits.features"},
		"too many cells":     {serving.Request{Features: []string{"user:f", "user:g"}, Columns: []serving.Column{numbers("user_id", 1, 2, 3, 4, 5)}}, fault.Invalid, "banquet.limits.cells"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := w.GetOnlineFeatures(t.Context(), &c.req)
			if err == nil {
				t.Fatalf("not refused: %s", text(t, r))
			}
			if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v (%v), want %v: %s", err, fault.KindOf(err), c.kind, c.want)
			}
		})
	}
}

// half is a store that cannot read every other key.
type half struct{ *memory.Store }

func (h half) Read(ctx context.Context, reads []stores.Read) (*stores.Rows, error) {
	rows, err := h.Store.Read(ctx, reads)
	if err != nil {
		return nil, err
	}
	for i := range rows.Reads {
		for j := range rows.Reads[i] {
			if j%2 == 1 {
				rows.Reads[i][j] = stores.Row{Err: fault.New(fault.Overloaded, "busy")}
			}
		}
	}
	return rows, nil
}

// A row that could not be read fails the request, or its cells say so. It is never
// reported as a missing row.
func TestUnreadRowsAreNotMissing(t *testing.T) {
	w := newWorld(t, nil)
	w.put(t, "user", "f", []string{"user_id"}, []int64{1}, []int64{2})
	broken := newWorld(t, func(o *serving.Options) { o.Reader = half{w.store} })
	req := &serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{numbers("user_id", 1, 2, 3, 4)}}
	if _, err := broken.GetOnlineFeatures(t.Context(), req); fault.KindOf(err) != fault.Overloaded {
		t.Errorf("%v", err)
	}
	req.Partial = true
	r, err := broken.GetOnlineFeatures(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if got, want := text(t, r), "user_id: 1, 2, 3, 4; f: 10,  throttled, ?,  throttled"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// down is a store whose reads fail.
type down struct{ err error }

func (d down) Read(context.Context, []stores.Read) (*stores.Rows, error) { return nil, d.err }

// When the whole store is down, each cell of a partial response says so. A caller who
// has gone gets no response.
func TestAPartialResponseOfAStoreThatIsDown(t *testing.T) {
	req := &serving.Request{Features: []string{"user:f", "shop:h"}, Partial: true, Columns: []serving.Column{numbers("user_id", 1, 2), numbers("shop_id", 5, 5)}}
	for kind, want := range map[fault.Kind]serving.Status{
		fault.Unavailable: serving.Unreadable, fault.Denied: serving.Unreadable, fault.TimedOut: serving.TimedOut, fault.Overloaded: serving.Throttled,
	} {
		w := newWorld(t, func(o *serving.Options) { o.Reader = down{fault.New(kind, "down")} })
		r, err := w.GetOnlineFeatures(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		for i := 2; i < r.Columns(); i++ {
			c := r.Column(i)
			for row := range r.Rows() {
				if v, s := c.At(row); v != nil || s != want {
					t.Errorf("%v: %s, row %d is %q with status %d", kind, c.Name, row, v, s)
				}
			}
		}
		r.Release()
	}
	for _, kind := range []fault.Kind{fault.Canceled, fault.Internal, fault.Invalid} {
		w := newWorld(t, func(o *serving.Options) { o.Reader = down{fault.New(kind, "down")} })
		if _, err := w.GetOnlineFeatures(t.Context(), req); fault.KindOf(err) != kind {
			t.Errorf("%v: %v", kind, err)
		}
	}
}

// No read starts for a caller who has gone or whose deadline is too close.
func TestNoReadForACallerWhoHasGone(t *testing.T) {
	w := newWorld(t, func(o *serving.Options) { o.Reader = nil }) // a read would panic
	req := &serving.Request{Features: []string{"user:f"}, Columns: []serving.Column{numbers("user_id", 1)}}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.GetOnlineFeatures(gone, req); fault.KindOf(err) != fault.Canceled {
		t.Errorf("%v", err)
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(500*time.Microsecond))
	defer cancel()
	if _, err := w.GetOnlineFeatures(late, req); fault.KindOf(err) != fault.TimedOut {
		t.Errorf("%v", err)
	}
}
