//go:build unix

package definitions_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/definitions"
)

const oneView = `from feast import Entity, FeatureView, FeatureService, Field, FileSource, RequestSource
from feast.types import Array, Float32
e = Entity(name="id", join_keys=["id"])
s = FileSource(path="x.parquet", timestamp_field="ts")
f = Field(name="a", dtype=Float32)
v = FeatureView(name="v", entities=[e], source=s, schema=[f])
`

// What Feast's classes make and keep is counted as the values of the language are.
func TestDefinitionsAreBounded(t *testing.T) {
	for name, source := range map[string]string{
		"objects":               "while True: Entity(name='x')\n",
		"fields":                "while True: Field(name='x', dtype=Array(Array(Float32)))\n",
		"types":                 "x = Float32\nwhile True: x = Array(x)\n",
		"tags":                  "t = {str(i): 'x' for i in range(100000)}\nwhile True: Entity(name='w', tags=t)\n",
		"lists of fields":       "x = [f] * 1000000\nwhile True: RequestSource(name='r', schema=x)\n",
		"long names":            "x = 'x' * 1000000\nwhile True: Entity(name=x)\n",
		"projections":           "x = [str(i) for i in range(5000)]\nw = FeatureView(name='w', entities=[e], source=s, schema=[Field(name=i, dtype=Float32) for i in x])\nwhile True: w[x]\n",
		"lists that are shown":  "w = FeatureView(name='w', entities=[e], source=s, schema=[Field(name=str(i), dtype=Float32) for i in range(5000)])\nwhile True: w.features\n",
		"services of one view":  "while True: FeatureService(name='w', features=[v] * 1000000)\n",
		"features that are few": "w = FeatureView(name='w', entities=[e], source=s, schema=[Field(name=str(i), dtype=Float32) for i in range(5000)])\nwhile True: w[['1', '2']]\n",
	} {
		t.Run(name, func(t *testing.T) {
			root := repository(t, map[string]string{"features.py": oneView + source})
			began := cpu(t)
			_, err := definitions.Load(t.Context(), root, definitions.Options{})
			if err == nil || !strings.HasPrefix(err.Error(), "features.py:") || !strings.Contains(err.Error(), "this file ") {
				t.Errorf("it ends with %v", err)
			}
			if took := cpu(t) - began; took > 15*time.Second {
				t.Errorf("it ends after %s", took)
			}
		})
	}
}

// A loop may make many fields.
func TestManyFields(t *testing.T) {
	root := repository(t, map[string]string{"features.py": oneView + "x = []\nfor i in range(100_000):\n    x.append(Field(name=f'f_{i}', dtype=Float32))\nw = FeatureView(name='w', entities=[e], source=s, schema=x)\n"})
	repo := loadDir(t, root)
	for _, v := range repo.Objects.FeatureViews {
		if n := len(v.GetSpec().GetFeatures()); v.GetSpec().GetName() == "w" && n != 100_000 {
			t.Errorf("it has %d features", n)
		}
	}
	if len(repo.Objects.FeatureViews) != 2 {
		t.Errorf("there are %d views", len(repo.Objects.FeatureViews))
	}
}

// cpu is the processor time of this process.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
