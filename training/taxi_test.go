package training_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/spool"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/offlinetest"
	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/training"
	"github.com/banquet-fs/banquet/value"
)

// fares, trips and weather are the sources of the project taxi. Weather has no entity.
const (
	faresCSV = "driver_id,fare,label,at,made\n" +
		"1,10.5,first,2024-03-01T00:00:00Z,2024-03-01T00:00:00Z\n" +
		"1,11.5,second,2024-03-01T01:00:00Z,2024-03-01T05:00:00Z\n" +
		"2,,,2024-03-01T00:00:00Z,2024-03-01T00:00:00Z\n"
	tripsCSV = "driver_id,trips,at\n" +
		"1,7,2024-03-01T00:30:00Z\n" +
		"3,9,2024-02-20T00:00:00Z\n"
	weatherCSV = "sky,at\nclear,2024-03-01T00:00:00Z\nrain,2024-03-01T00:45:00Z\n"
)

func view(name, path string, ttl time.Duration, entities []string, features ...*core.FeatureSpecV2) *core.FeatureView {
	source := &core.DataSource{
		Name: name + "_source", Type: core.DataSource_BATCH_FILE, TimestampField: "at",
		Options: &core.DataSource_FileOptions_{FileOptions: &core.DataSource_FileOptions{Uri: path}},
	}
	if name == "fares" {
		source.CreatedTimestampColumn = "made"
	}
	return &core.FeatureView{Spec: &core.FeatureViewSpec{
		Name: name, Project: "taxi", Entities: entities, Features: features, Ttl: durationpb.New(ttl), BatchSource: source, Online: true,
	}, Meta: &core.FeatureViewMeta{}}
}

func feature(name string, kind types.ValueType_Enum) *core.FeatureSpecV2 {
	return &core.FeatureSpecV2{Name: name, ValueType: kind}
}

// taxi is the registry of the project; change may edit it.
func taxi(change func(*core.Registry)) *core.Registry {
	driver := []string{"driver"}
	label := feature("label", types.ValueType_STRING)
	reg := &core.Registry{
		Projects: []*core.Project{{Spec: &core.ProjectSpec{Name: "taxi"}}},
		Entities: []*core.Entity{{Spec: &core.EntitySpecV2{Name: "driver", Project: "taxi", JoinKey: "driver_id", ValueType: types.ValueType_INT64}}},
		FeatureViews: []*core.FeatureView{
			view("fares", "fares.csv", 2*time.Hour, driver, feature("fare", types.ValueType_DOUBLE), label),
			view("trips", "trips.csv", 0, driver, feature("trips", types.ValueType_INT64)),
			view("weather", "weather.csv", 24*time.Hour, nil, feature("sky", types.ValueType_STRING)),
		},
		FeatureServices: []*core.FeatureService{{Spec: &core.FeatureServiceSpec{Name: "pairs", Project: "taxi", Features: []*core.FeatureViewProjection{
			{FeatureViewName: "fares", FeatureViewNameAlias: "mine", FeatureColumns: []*core.FeatureSpecV2{label}, JoinKeyMap: map[string]string{"driver_id": "me"}},
			{FeatureViewName: "fares", FeatureViewNameAlias: "yours", FeatureColumns: []*core.FeatureSpecV2{label}, JoinKeyMap: map[string]string{"driver_id": "you"}},
		}}}},
	}
	if change != nil {
		change(reg)
	}
	return reg
}

// taxiOptions are those of a service over the project, whose sources are files.
func taxiOptions(t *testing.T, change func(*core.Registry)) training.Options {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"fares.csv": faresCSV, "trips.csv": tripsCSV, "weather.csv": weatherCSV} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	snapshot, err := registry.OpenSnapshot(taxi(change), registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return training.Options{
		Snapshots: func() *registry.Snapshot { return snapshot }, Project: "taxi",
		Source: offlinetest.Oracle{Store: parquet.New(dir)}, Spool: spool.Options{Dir: t.TempDir()},
		Now: func() time.Time { return time.Date(2024, 3, 1, 2, 0, 0, 0, time.UTC) },
	}
}

// untouched is a source that must not be read.
type untouched struct {
	training.Source
	t *testing.T
}

func (u untouched) PointInTime(context.Context, offline.Join) (array.RecordReader, error) {
	u.t.Error("the store is read")
	return nil, context.Canceled
}

func (u untouched) Range(context.Context, offline.Query) (array.RecordReader, error) {
	u.t.Error("the store is read")
	return nil, context.Canceled
}

func (u untouched) Moments(context.Context, []offline.JoinView, time.Time, time.Time) (array.RecordReader, error) {
	u.t.Error("the store is read")
	return nil, context.Canceled
}

// cells is a column of entity rows: its cells as Arrow's JSON.
type cells struct {
	name string
	kind arrow.DataType
	json string
}

var (
	zoned = &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}
	text  = arrow.BinaryTypes.String
	whole = arrow.PrimitiveTypes.Int64
)

// tableOf makes entity rows.
func tableOf(t *testing.T, columns ...cells) array.RecordReader {
	t.Helper()
	fields, arrays := make([]arrow.Field, len(columns)), make([]arrow.Array, len(columns))
	for i, c := range columns {
		b := array.NewBuilder(memory.DefaultAllocator, c.kind)
		var err error
		if stamps, ok := b.(*array.TimestampBuilder); ok {
			err = appendStamps(stamps, c.json)
		} else {
			err = b.UnmarshalJSON([]byte(c.json))
		}
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		fields[i], arrays[i] = arrow.Field{Name: c.name, Type: c.kind, Nullable: true}, b.NewArray()
	}
	schema := arrow.NewSchema(fields, nil)
	rows := 0
	if len(arrays) > 0 {
		rows = arrays[0].Len()
	}
	r, err := array.NewRecordReader(schema, []arrow.RecordBatch{array.NewRecordBatch(schema, arrays, int64(rows))})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// appendStamps reads timestamps: texts in UTC, or numbers in the column's unit.
func appendStamps(b *array.TimestampBuilder, list string) error {
	var cells []any
	d := json.NewDecoder(strings.NewReader(list))
	d.UseNumber()
	if err := d.Decode(&cells); err != nil {
		return err
	}
	for _, cell := range cells {
		switch c := cell.(type) {
		case json.Number:
			n, err := c.Int64()
			if err != nil {
				return err
			}
			b.Append(arrow.Timestamp(n))
		case string:
			t, err := value.ParseTime(c)
			if err != nil {
				return err
			}
			b.AppendTime(t)
		default:
			b.AppendNull()
		}
	}
	return nil
}
