// Package proto_test holds the .proto files to what they promise: Feast's
// messages are those of the released Feast, and banquet.v1 shares their wire
// format where it says so.
package proto_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	_ "github.com/banquet-fs/banquet/gen/feast/core"     // linked, so that its descriptors can be compared
	_ "github.com/banquet-fs/banquet/gen/feast/registry" // the same
	_ "github.com/banquet-fs/banquet/gen/feast/serving"  // the same
	_ "github.com/banquet-fs/banquet/gen/feast/storage"  // the same
	_ "github.com/banquet-fs/banquet/gen/feast/types"    // the same
)

func TestMessagesAreThoseOfFeast(t *testing.T) {
	t.Parallel()
	feast := readSnapshot(t)
	for _, d := range differences(feast, linked()) {
		t.Errorf("Feast %s: %s", feast.Feast, d)
	}
}

// A snapshot that lost its content must not pass for one that agrees.
func TestSnapshotIsWhole(t *testing.T) {
	t.Parallel()
	feast := readSnapshot(t)
	if feast.Feast != "0.67.0" {
		t.Errorf("the snapshot is of Feast %q, want 0.67.0", feast.Feast)
	}
	if n := len(feast.Files); n != 34 {
		t.Errorf("%d files, want 34", n)
	}
	facts := feast.facts()
	for name, want := range map[string]string{
		"file feast/serving/GrpcServer.proto":                          "package ",
		"message feast.core.DataSource":                                `in feast/core/DataSource.proto, reserved [[6 10]], reserved names [], map entry false, deprecated false`,
		"message feast.core.EntitySpecV2.TagsEntry":                    `in feast/core/Entity.proto, reserved [], reserved names [], map entry true, deprecated false`,
		"field feast.core.SavedDatasetColumn.nullable":                 `number 4, type bool, optional, oneof "", deprecated false`,
		"field feast.core.TableFormat.lance_format":                    `number 4, type message feast.core.TableFormat.LanceFormat, singular, oneof "format", deprecated false`,
		"enum feast.core.Store.StoreType":                              `in feast/core/Store.proto, reserved [[2 2] [3 3] [12 12] [13 13]], reserved names []`,
		"enum value feast.types.ValueType.Enum.ZONED_TIMESTAMP":        "number 48",
		"field feast.core.FeatureViewProjection.version_tag":           `number 10, type int32, optional, oneof "", deprecated false`,
		"field feast.core.Registry.project_metadata":                   `number 15, type message feast.core.ProjectMetadata, repeated, oneof "", deprecated true`,
		"field feast.serving.GetOnlineFeaturesRequest.features":        `number 2, type message feast.serving.FeatureList, singular, oneof "kind", deprecated false`,
		"method GrpcFeatureServer.Push":                                "takes PushRequest (stream false), answers PushResponse (stream false)",
		"method feast.registry.RegistryServer.GetEntity":               "takes feast.registry.GetEntityRequest (stream false), answers feast.core.Entity (stream false)",
		"method feast.serving.TransformationService.TransformFeatures": "takes feast.serving.TransformFeaturesRequest (stream false), answers feast.serving.TransformFeaturesResponse (stream false)",
	} {
		if got := facts[name]; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Every sort of difference is found, and named.
func TestDifferencesAreNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(*fileSnapshot)
		want   []string
	}{
		{"none", func(*fileSnapshot) {}, nil},
		{"a package", func(f *fileSnapshot) { f.Package = "b" }, []string{"file f.proto: Feast has package a; ours is package b"}},
		{"a number", func(f *fileSnapshot) { f.Messages[0].Fields[0].Number = 9 }, []string{
			`field a.M.x: Feast has number 1, type int64, singular, oneof "", deprecated false; ours is number 9, type int64, singular, oneof "", deprecated false`,
		}},
		{"a type", func(f *fileSnapshot) { f.Messages[0].Fields[0].Type = "sint64" }, []string{
			`field a.M.x: Feast has number 1, type int64, singular, oneof "", deprecated false; ours is number 1, type sint64, singular, oneof "", deprecated false`,
		}},
		{"a label", func(f *fileSnapshot) { f.Messages[0].Fields[0].Label = "optional" }, []string{
			`field a.M.x: Feast has number 1, type int64, singular, oneof "", deprecated false; ours is number 1, type int64, optional, oneof "", deprecated false`,
		}},
		{"a oneof", func(f *fileSnapshot) { f.Messages[0].Fields[0].Oneof = "kind" }, []string{
			`field a.M.x: Feast has number 1, type int64, singular, oneof "", deprecated false; ours is number 1, type int64, singular, oneof "kind", deprecated false`,
		}},
		{"a field too few", func(f *fileSnapshot) { f.Messages[0].Fields = nil }, []string{
			`field a.M.x: missing; Feast has number 1, type int64, singular, oneof "", deprecated false`,
		}},
		{"a field too many", func(f *fileSnapshot) {
			f.Messages[0].Fields = append(f.Messages[0].Fields, fieldSnapshot{Name: "y", Number: 2, Type: "bool", Label: "singular"})
		}, []string{`field a.M.y: Feast has none; ours is number 2, type bool, singular, oneof "", deprecated false`}},
		{"a reserved range", func(f *fileSnapshot) { f.Messages[0].Reserved = nil }, []string{
			"message a.M: Feast has in f.proto, reserved [[4 5]], reserved names [], map entry false, deprecated false; " +
				"ours is in f.proto, reserved [], reserved names [], map entry false, deprecated false",
		}},
		{"an enum value", func(f *fileSnapshot) { f.Enums[0].Values[0].Number = 3 }, []string{"enum value a.E.ONE: Feast has number 1; ours is number 3"}},
		{"an enum", func(f *fileSnapshot) { f.Enums = nil }, []string{
			"enum a.E: missing; Feast has in f.proto, reserved [], reserved names []", "enum value a.E.ONE: missing; Feast has number 1",
		}},
		{"streaming", func(f *fileSnapshot) { f.Services[0].Methods[0].ServerStreaming = true }, []string{
			"method a.S.Do: Feast has takes a.M (stream false), answers a.M (stream false); ours is takes a.M (stream false), answers a.M (stream true)",
		}},
		{"a method", func(f *fileSnapshot) { f.Services[0].Methods = nil }, []string{
			"method a.S.Do: missing; Feast has takes a.M (stream false), answers a.M (stream false)",
		}},
		{"the order is none", func(f *fileSnapshot) { slices.Reverse(f.Messages) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			changed := sample()
			c.change(&changed.Files[0])
			if diff := cmp.Diff(c.want, differences(sample(), changed)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func sample() *snapshot {
	return &snapshot{Files: []fileSnapshot{{
		Name: "f.proto", Package: "a",
		Messages: []messageSnapshot{
			{Name: "a.M", Fields: []fieldSnapshot{{Name: "x", Number: 1, Type: "int64", Label: "singular"}}, Reserved: [][2]int32{{4, 5}}},
			{Name: "a.N"},
		},
		Enums:    []enumSnapshot{{Name: "a.E", Values: []valueSnapshot{{Name: "ONE", Number: 1}}}},
		Services: []serviceSnapshot{{Name: "a.S", Methods: []methodSnapshot{{Name: "Do", Input: "a.M", Output: "a.M"}}}},
	}}}
}
