package server

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

func TestBasicViewHoldsNoSQL(t *testing.T) {
	const sql = "SELECT secret"
	for _, source := range []*core.DataSource{
		{Options: &core.DataSource_BigqueryOptions{BigqueryOptions: &core.DataSource_BigQueryOptions{Table: "kept", Query: sql}}},
		{Options: &core.DataSource_RedshiftOptions_{RedshiftOptions: &core.DataSource_RedshiftOptions{Table: "kept", Query: sql}}},
		{Options: &core.DataSource_SnowflakeOptions_{SnowflakeOptions: &core.DataSource_SnowflakeOptions{Table: "kept", Query: sql}}},
		{Options: &core.DataSource_AthenaOptions_{AthenaOptions: &core.DataSource_AthenaOptions{Table: "kept", Query: sql}}},
		{Options: &core.DataSource_TrinoOptions_{TrinoOptions: &core.DataSource_TrinoOptions{Table: "kept", Query: sql}}},
		{Options: &core.DataSource_SparkOptions_{SparkOptions: &core.DataSource_SparkOptions{Table: "kept", Query: sql}}},
	} {
		source.Name = "kept"
		view := &core.FeatureView{Spec: &core.FeatureViewSpec{Name: "v", BatchSource: source}}
		before := proto.Clone(view)
		got := prototext.Format(shown(view, banquetv1.ObjectView_OBJECT_VIEW_BASIC))
		if strings.Contains(got, sql) || !strings.Contains(got, "kept") {
			t.Error(got)
		}
		if !proto.Equal(before, view) {
			t.Errorf("the registry's own message changed: %v", view)
		}
		if full := prototext.Format(shown(view, banquetv1.ObjectView_OBJECT_VIEW_FULL)); !strings.Contains(full, sql) {
			t.Error(full)
		}
	}
}
