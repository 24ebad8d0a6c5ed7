package definitions_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/definitions"
)

// largeFile is a file of definitions with some 2,000 lines.
func largeFile() string {
	var b strings.Builder
	b.WriteString("from datetime import timedelta\nfrom feast import Entity, FeatureView, Field, FileSource\nfrom feast.types import Float32, Int64\n\n")
	for i := range 180 {
		fmt.Fprintf(&b, `
e%[1]d = Entity(name="entity_%[1]d", join_keys=["id_%[1]d"])
v%[1]d = FeatureView(
    name="view_%[1]d",
    entities=[e%[1]d],
    ttl=timedelta(days=%[1]d),
    source=FileSource(path="data/%[1]d.parquet", timestamp_field="event_timestamp"),
    schema=[
        Field(name="a_%[1]d", dtype=Float32),
        Field(name="b_%[1]d", dtype=Int64),
    ],
)`, i)
	}
	return b.String()
}

func BenchmarkLoadOfALargeFile(b *testing.B) {
	root := b.TempDir()
	source := largeFile()
	if err := os.WriteFile(filepath.Join(root, "features.py"), []byte(source), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(source)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := definitions.Load(b.Context(), root, definitions.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
