package encode_test

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/encode"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
)

// vectorOf is the vector of the view fv: the second feature, v, of a declared length.
func vectorOf(length int32) *encode.Vector {
	v := &registry.View{Name: "fv"}
	for _, f := range []*core.FeatureSpecV2{
		{Name: "x", ValueType: types.ValueType_INT64},
		{Name: "v", ValueType: types.ValueType_FLOAT_LIST, VectorIndex: true, VectorLength: length},
	} {
		v.Features = append(v.Features, registry.Feature{Name: f.GetName(), Type: f.GetValueType(), Spec: f})
	}
	return encode.NewVector(v)
}

func TestAColumnOfVectorsIsAList(t *testing.T) {
	float := arrow.PrimitiveTypes.Float32
	for _, c := range []struct {
		declared int32
		column   arrow.DataType
		want     string
	}{
		{0, arrow.ListOf(float), ""},
		{2, arrow.LargeListOf(float), ""},
		{2, arrow.FixedSizeListOf(2, float), ""},
		{0, arrow.FixedSizeListOf(3, float), ""},
		{2, arrow.FixedSizeListOf(3, float), "Vector length 3 does not match expected 2 for feature 'v' in feature view 'fv'."},
		{0, arrow.Null, "Vector feature 'v' in feature view 'fv' has non-list Arrow type null."},
		{2, arrow.Null, "Vector feature 'v' in feature view 'fv' declares vector_length=2 but has non-list Arrow type null."},
		{0, arrow.PrimitiveTypes.Float64, "Vector feature 'v' in feature view 'fv' has non-list Arrow type double."},
		{2, arrow.BinaryTypes.String, "Vector feature 'v' in feature view 'fv' declares vector_length=2 but has non-list Arrow type string."},
	} {
		err := vectorOf(c.declared).Column(c.column)
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%s, declared %d: %v\nwant %s", c.column, c.declared, err, c.want)
		}
	}
}

func TestVectorsOfRowsHaveOneLength(t *testing.T) {
	list := func(n int) []byte {
		b, err := proto.Marshal(&types.Value{Val: &types.Value_FloatListVal{FloatListVal: &types.FloatList{Val: make([]float32, n)}}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		declared int32
		rows     [][]byte
		want     string
	}{
		{0, [][]byte{nil, list(2), nil, list(2)}, ""},
		{0, [][]byte{nil, nil}, ""},
		{0, [][]byte{list(0), list(0)}, ""},
		{2, [][]byte{nil, list(2)}, ""},
		{2, [][]byte{list(2), list(2), list(3)}, "Row 2: Vector length 3 does not match expected 2 for feature 'v' in feature view 'fv'."},
		{0, [][]byte{nil, list(2), list(3)}, "Row 2: Vector length 3 does not match expected 2, inferred from the first row for feature 'v' in feature view 'fv'."},
	} {
		rows, err := vectorOf(c.declared).Rows(), error(nil)
		for i, v := range c.rows {
			if err == nil {
				err = rows.Check(string(rune('0'+i)), v)
			}
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%v\nwant %s", err, c.want)
		}
	}
}
