package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/core"
)

// writers is how many applies and materializations run at once; BANQUET_TEST_WRITERS
// sets it.
func writers(t *testing.T) int {
	text, ok := os.LookupEnv("BANQUET_TEST_WRITERS")
	if !ok {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestManyWritersOfOneRegistry applies many projects and materializes many views of
// another one at the same time, in processes of their own, with one registry and one
// online store: all succeed, and nothing is lost.
func TestManyWritersOfOneRegistry(t *testing.T) {
	n, bin := writers(t), program(t)
	const source = `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`
	many := strings.ReplaceAll(oneView, "SOURCE", source)
	for i := range n {
		many += fmt.Sprintf("v%d = FeatureView(name=\"v%d\", entities=[shopper], ttl=timedelta(days=1), schema=[Field(name=\"items\", dtype=Int64)], source=carts.batch_source)\n", i, i)
	}
	shared := newRepo(t, sqliteRepo, many)
	if out, err := exec.CommandContext(t.Context(), bin, "-c", shared, "apply").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var commands [][]string
	for i := range n {
		yaml := strings.NewReplacer("project: shop", "project: p"+strconv.Itoa(i), "registry.db", filepath.Join(shared, "registry.db"), "online.db", filepath.Join(shared, "online.db")).Replace(sqliteRepo)
		commands = append(commands,
			[]string{"-c", newRepo(t, yaml, strings.ReplaceAll(oneView, "SOURCE", source)), "apply"},
			[]string{"-c", shared, "materialize", "2024-01-01", "2024-02-01", "-v", "v" + strconv.Itoa(i), "--no-progress"})
	}
	var all sync.WaitGroup
	for _, args := range commands {
		all.Go(func() {
			if out, err := exec.CommandContext(t.Context(), bin, args...).CombinedOutput(); err != nil {
				t.Errorf("%v: %v: %s", args, err, out)
			}
		})
	}
	all.Wait()
	b, err := os.ReadFile(filepath.Join(shared, "registry.db"))
	if err != nil {
		t.Fatal(err)
	}
	reg := &core.Registry{}
	if err := proto.Unmarshal(b, reg); err != nil {
		t.Fatal(err)
	}
	applied := map[string]bool{}
	materialized := 0
	for _, v := range reg.GetFeatureViews() {
		applied[v.GetSpec().GetProject()] = true
		if intervals := v.GetMeta().GetMaterializationIntervals(); len(intervals) > 0 {
			materialized += len(intervals)
		}
	}
	if len(applied) != n+1 || len(reg.GetProjects()) != n+1 || materialized != n {
		t.Errorf("%d projects have views, %d intervals are recorded; want %d and %d", len(applied), materialized, n+1, n)
	}
	if tables := tableNames(t, filepath.Join(shared, "online.db")); len(tables) != 2*n+1 {
		t.Errorf("the tables are %v", tables)
	}
	for i := range n {
		out, err := exec.CommandContext(t.Context(), bin, "-c", shared, "get-online-features", "-e", "shopper=1", "-f", fmt.Sprintf("v%d:items", i)).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "3") {
			t.Errorf("view v%d: %v: %s", i, err, out)
		}
	}
}
