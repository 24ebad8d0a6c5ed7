// Package dataset is the deterministic data that all parts of the benchmark use:
// feature views with names as for credit scoring, their keys, values and event times,
// and the items that Feast would store for them in DynamoDB. Nothing is stored: a
// value is calculated from the numbers of its view, its feature and its entity.
package dataset

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// Names in the registry and feature_store.yaml of ../repo.
const (
	Project = "credit_bench"
	Region  = "us-west-2"
	// Balance is the view that the benchmark materializes.
	Balance = "account_balance"
)

// Kind is the type of a feature or a join key.
type Kind byte

// The kinds, by their letter in the tables below.
const (
	Int    Kind = 'i'
	String Kind = 's'
	Double Kind = 'd'
	Float  Kind = 'f'
	Bool   Kind = 'b'
)

// Feature is one column of a view.
type Feature struct {
	Name string
	Kind Kind
}

// View is one feature view and its table.
type View struct {
	Name     string
	JoinKey  string
	Features []Feature
	// Entities is the number of stored entities: Key(Entities) and later ones are
	// unknown.
	Entities int

	number uint64
	key    func(i int) *types.Value
}

// Case is the shape of one request.
type Case struct {
	Name  string
	Rows  int
	Views []*View
}

var (
	views = build()
	cases = []Case{
		{"a", 1, views[:2]},       // 1 x 20 features of 2 views
		{"b", 100, views[:2]},     // 100 x 20 of 2
		{"c", 100, views[2:12]},   // 100 x 250 of 10
		{"d1", 1, views[12:13]},   // 1 x 50 of 1
		{"d100", 100, views[12:]}, // 100 x 50 of 1
	}
	words  = []string{"DALLAS", "AUSTIN", "PRIMARY", "TX", "CA", "NEWARK", "SAN DIEGO", "OVERLAND PARK", "PO BOX", "gold", "standard", "B2", "A1", "platinum", "München", "riverside"}
	origin = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
)

func features(kinds string, names ...string) []Feature {
	out := make([]Feature, len(names))
	for i, n := range names {
		out[i] = Feature{n, Kind(kinds[i%len(kinds)])}
	}
	return out
}

func numbered(n int, kinds, format string) []Feature {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf(format, i)
	}
	return features(kinds, names...)
}

func integer(from, step int) func(int) *types.Value {
	return func(i int) *types.Value {
		return &types.Value{Val: &types.Value_Int64Val{Int64Val: int64(from + step*i)}}
	}
}

func build() []*View {
	const mixed = "idisfidb"
	vs := []*View{
		{
			Name: "zipcode_features", JoinKey: "zipcode", Entities: 10000, key: integer(10000, 1),
			Features: features("sssiiidf", "city", "state", "location_type", "tax_returns_filed", "population", "total_wages", "median_income", "unemployment_rate"),
		},
		{
			Name: "credit_history", JoinKey: "dob_ssn", Entities: 10000,
			key: func(i int) *types.Value { return text(fmt.Sprintf("%08d_%04d", 19300101+i, i%10000)) },
			Features: features("iiiiiiiiidis", "credit_card_due", "mortgage_due", "student_loan_due", "vehicle_loan_due", "hard_pulls", "missed_payments_2y",
				"missed_payments_1y", "missed_payments_6m", "bankruptcies", "credit_utilization", "oldest_account_days", "risk_grade"),
		},
	}
	for k := range 10 {
		vs = append(vs, &View{
			Name: fmt.Sprintf("bureau_%d", k), JoinKey: "customer_id", Entities: 2000, key: integer(1000000, 7),
			Features: numbered(25, mixed[k%8:]+mixed[:k%8], fmt.Sprintf("bureau%d_attr_%%02d", k)),
		})
	}
	vs = append(vs, &View{
		Name: "account_profile", JoinKey: "account_id", Entities: 10000, key: integer(5000000, 1),
		Features: numbered(50, mixed, "profile_attr_%02d"),
	})
	for i, v := range vs {
		v.number = uint64(i + 1)
	}
	return vs
}

// Views returns all views.
func Views() []*View { return views }

// ViewOf returns a view by name, nil if there is none.
func ViewOf(name string) *View {
	if i := slices.IndexFunc(views, func(v *View) bool { return v.Name == name }); i >= 0 {
		return views[i]
	}
	return nil
}

// CaseOf returns a case by name.
func CaseOf(name string) (Case, bool) {
	i := slices.IndexFunc(cases, func(c Case) bool { return c.Name == name })
	if i < 0 {
		return Case{}, false
	}
	return cases[i], true
}

// mix hashes three numbers to 64 bits (the last step of splitmix64).
func mix(a, b, c uint64) uint64 {
	z := a*0x9e3779b97f4a7c15 ^ b*0xbf58476d1ce4e5b9 ^ c*0x94d049bb133111eb
	z ^= z >> 30
	z *= 0xbf58476d1ce4e5b9
	z ^= z >> 27
	z *= 0x94d049bb133111eb
	return z ^ z>>31
}

func text(s string) *types.Value { return &types.Value{Val: &types.Value_StringVal{StringVal: s}} }

// Table is the view's table in DynamoDB.
func (v *View) Table() string { return Project + "." + v.Name }

// Key is the join key's value of entity i.
func (v *View) Key(i int) *types.Value { return v.key(i) }

// Value is feature f of entity i. One double in fifty is a stored null.
func (v *View) Value(f, i int) *types.Value {
	h := mix(v.number, uint64(f+1), uint64(i+1))
	switch v.Features[f].Kind {
	case Int:
		return &types.Value{Val: &types.Value_Int64Val{Int64Val: int64(h % (1 << (4 + h>>8%28)))}}
	case String:
		return text(words[h%uint64(len(words))])
	case Float:
		return &types.Value{Val: &types.Value_FloatVal{FloatVal: float32(h%10000) / 10000}}
	case Bool:
		return &types.Value{Val: &types.Value_BoolVal{BoolVal: h&1 == 1}}
	case Double:
		if h%50 != 0 {
			return &types.Value{Val: &types.Value_DoubleVal{DoubleVal: float64(h%10000000) / 100}}
		}
	}
	return &types.Value{}
}

// EventTime of entity i: whole seconds for a third of them.
func (v *View) EventTime(i int) time.Time {
	t := origin.Add(time.Duration(i*37%200000) * time.Second)
	if i%3 != 0 {
		t = t.Add(time.Duration(1+mix(7, 7, uint64(i))%999999) * time.Microsecond)
	}
	return t
}

// EntityID is the hash key of entity i.
func (v *View) EntityID(i int) (string, error) { return EntityID(v.JoinKey, v.Key(i)) }

// EntityID is the hash key of an entity with one join key.
func EntityID(joinKey string, of *types.Value) (string, error) {
	raw, err := proto.Marshal(of)
	if err != nil {
		return "", err
	}
	key, err := value.NewKeyLayout(3, []string{joinKey}).Append(nil, [][]byte{raw})
	if err != nil {
		return "", err
	}
	return string(value.AppendEntityID(nil, key)), nil
}

// Order is the order in which a table returns its items. It is fixed for a table and,
// as in DynamoDB, independent of the order of writes and of the request.
func (v *View) Order() []int {
	o := make([]int, len(v.Features))
	for i := range o {
		o[i] = i
	}
	for i := len(o) - 1; i > 0; i-- {
		j := int(mix(99, v.number, uint64(i)) % uint64(i+1))
		o[i], o[j] = o[j], o[i]
	}
	return o
}

// Cell is one member of an item's map of values, as DynamoDB's JSON.
func (v *View) Cell(f, i int) ([]byte, error) {
	raw, err := proto.Marshal(v.Value(f, i))
	if err != nil {
		return nil, err
	}
	b := append([]byte{'"'}, v.Features[f].Name...)
	b = append(b, `":{"B":"`...)
	return append(base64.StdEncoding.AppendEncode(b, raw), `"}`...), nil
}

// Item is entity i as DynamoDB's JSON, with the cells given. The order of its
// attributes differs from table to table.
func (v *View) Item(i int, cells []byte) ([]byte, error) {
	id, err := v.EntityID(i)
	if err != nil {
		return nil, err
	}
	t := v.EventTime(i)
	layout := "2006-01-02 15:04:05.000000-07:00"
	if t.Nanosecond() == 0 {
		layout = "2006-01-02 15:04:05-07:00"
	}
	parts := []string{`"entity_id":{"S":"` + id + `"}`, `"event_ts":{"S":"` + t.Format(layout) + `"}`, `"values":{"M":{` + string(cells) + `}}`}
	n := int(v.number) % 3
	return []byte("{" + parts[n] + "," + parts[(n+1)%3] + "," + parts[(n+2)%3] + "}"), nil
}

// Plain is a value as encoding/json writes it.
func Plain(v *types.Value) any {
	switch x := v.GetVal().(type) {
	case *types.Value_Int64Val:
		return x.Int64Val
	case *types.Value_StringVal:
		return x.StringVal
	case *types.Value_DoubleVal:
		return x.DoubleVal
	case *types.Value_FloatVal:
		return x.FloatVal
	case *types.Value_BoolVal:
		return x.BoolVal
	}
	return nil
}

// Same reports whether a value from JSON equals the stored one.
func Same(got any, want *types.Value) bool {
	g, number := got.(float64)
	switch w := Plain(want).(type) {
	case int64:
		return number && g == float64(w)
	case float64:
		return number && g == w
	case float32:
		return number && math.Abs(g-float64(w)) < 1e-6
	default:
		return got == w
	}
}
