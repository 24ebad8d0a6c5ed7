package dataset_test

import (
	"encoding/json"
	"os"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/bench/dataset"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// The registry of the contenders matches the data set.
func TestViewsAreTheRegistrys(t *testing.T) {
	raw, err := os.ReadFile("../repo/registry.db")
	if err != nil {
		t.Fatal(err)
	}
	var reg core.Registry
	if err := proto.Unmarshal(raw, &reg); err != nil {
		t.Fatal(err)
	}
	specs := map[string]*core.FeatureViewSpec{}
	for _, v := range reg.GetFeatureViews() {
		specs[v.GetSpec().GetName()] = v.GetSpec()
	}
	kinds := map[dataset.Kind]types.ValueType_Enum{
		dataset.Int: types.ValueType_INT64, dataset.String: types.ValueType_STRING, dataset.Double: types.ValueType_DOUBLE,
		dataset.Float: types.ValueType_FLOAT, dataset.Bool: types.ValueType_BOOL,
	}
	for _, v := range dataset.Views() {
		spec := specs[v.Name]
		if spec == nil {
			t.Errorf("%s is not in the registry", v.Name)
			continue
		}
		if got := spec.GetEntityColumns()[0].GetName(); got != v.JoinKey {
			t.Errorf("%s: join key %s, want %s", v.Name, got, v.JoinKey)
		}
		for i, f := range spec.GetFeatures() {
			if f.GetName() != v.Features[i].Name || f.GetValueType() != kinds[v.Features[i].Kind] {
				t.Errorf("%s: feature %s %s, want %s %c", v.Name, f.GetName(), f.GetValueType(), v.Features[i].Name, v.Features[i].Kind)
			}
		}
	}
}

func TestItemsAreJSON(t *testing.T) {
	for _, v := range dataset.Views() {
		cell, err := v.Cell(0, 3)
		if err != nil {
			t.Fatal(err)
		}
		item, err := v.Item(3, cell)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]map[string]any
		if err := json.Unmarshal(item, &got); err != nil {
			t.Fatalf("%s: %v in %s", v.Name, err, item)
		}
		id, err := v.EntityID(3)
		if err != nil {
			t.Fatal(err)
		}
		if got["entity_id"]["S"] != id || got["values"]["M"] == nil || got["event_ts"]["S"] == nil {
			t.Errorf("%s: %s", v.Name, item)
		}
	}
}
