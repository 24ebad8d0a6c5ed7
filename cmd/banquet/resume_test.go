package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/internal/dynamotest"
)

// manyCarts is an applied repository of 3,000 shoppers in a file, with DynamoDB.
func manyCarts(t *testing.T) (dir string, env map[string]string, d *dynamotest.Server) {
	t.Helper()
	d = dynamotest.Start(t)
	yaml := "project: shop\nprovider: local\nregistry: registry.db\nonline_store:\n  type: dynamodb\n  region: ap-northeast-2\n  endpoint_url: " + d.URL + "\noffline_store:\n  type: file\nentity_key_serialization_version: 3\n"
	dir = newRepo(t, yaml, strings.ReplaceAll(oneView, "SOURCE", `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`))
	var b strings.Builder
	b.WriteString("shopper,items,at\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "%d,%d,2024-01-05T00:00:00Z\n%d,0,2024-01-04T00:00:00Z\n", i, i, i)
	}
	if err := os.WriteFile(filepath.Join(dir, "carts.csv"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	env = map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "s3cr3t", "AWS_EC2_METADATA_DISABLED": "true"}
	if code, _, errText := command(t, env, "-c", dir, "apply"); code != 0 {
		t.Fatal(errText)
	}
	return dir, env, d
}

var januaryCarts = []string{"materialize", "2024-01-01", "2024-02-01"}

// TestMaterializeGoesOn stops a run in the middle of its writes: it says what is
// stored and how to go on, and the same command continues it.
func TestMaterializeGoesOn(t *testing.T) {
	dir, env, d := manyCarts(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var calls atomic.Int64
	d.Set(dynamotest.Faults{Latency: func() time.Duration {
		if calls.Add(1) == 60 {
			cancel()
		}
		return time.Millisecond
	}})
	var out, errs bytes.Buffer
	code := run(ctx, system{args: append([]string{"-c", dir}, januaryCarts...), out: &out, err: &errs, env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }})
	stopped := regexp.MustCompile(`^banquet: stopped; of 3000 rows of feature view carts [0-9]+ are known to be stored, and its window is not recorded; the same command goes on after what is stored\n$`)
	if code != 1 || !stopped.MatchString(errs.String()) {
		t.Fatalf("exit %d: %s%s", code, out.String(), errs.String())
	}
	d.Set(dynamotest.Faults{})
	code, text, errText := command(t, env, append([]string{"-c", dir}, januaryCarts...)...)
	if code != 0 || errText != "" || !regexp.MustCompile(`\n  continuing an unfinished run, which has stored [1-9][0-9]* rows\n  3000 rows written of 6000 read`).MatchString(text) {
		t.Errorf("exit %d: %s%s", code, text, errText)
	}
	if n := len(d.Items("shop.carts")); n != 3000 {
		t.Errorf("%d items", n)
	}
}

// TestDryRun estimates what a run would write, and changes nothing.
func TestDryRun(t *testing.T) {
	dir, env, d := manyCarts(t)
	before := snapshot(t, dir)
	code, out, errText := command(t, env, append([]string{"-c", dir, januaryCarts[0], "--dry-run"}, januaryCarts[1:]...)...)
	want := regexp.MustCompile(`^A dry run for 1 feature views from 2024-01-01 00:00:00\+00:00 to 2024-02-01 00:00:00\+00:00: nothing is written to the dynamodb online store.\n\n` +
		`VIEW +READ +TO WRITE +BYTES +WRITE UNITS\ncarts +6000 +3000 +[1-9][0-9]{5} +3000\n$`)
	if code != 0 || errText != "" || !want.MatchString(out) {
		t.Errorf("exit %d: %s%s", code, out, errText)
	}
	if n := len(d.Items("shop.carts")); n != 0 || d.Count("BatchWriteItem")+d.Count("PutItem") != 0 {
		t.Errorf("%d items", n)
	}
	if snapshot(t, dir) != before {
		t.Error("the registry has changed")
	}
	if _, err := os.Stat(filepath.Join(dir, "registry.db.runs")); err == nil {
		t.Error("there is a record of the run")
	}
}

// TestShards runs the parts of a window one after the other: the last one records it.
func TestShards(t *testing.T) {
	dir, env, d := manyCarts(t)
	shard := func(i string) (out, errText string) {
		t.Helper()
		code, out, errText := command(t, env, append([]string{"-c", dir, januaryCarts[0], "--shard", i + "/3"}, januaryCarts[1:]...)...)
		if code != 0 {
			t.Fatalf("exit %d: %s%s", code, out, errText)
		}
		return out, errText
	}
	recorded := func() bool {
		code, out, errText := command(t, env, "-c", dir, "feature-views", "describe", "carts")
		if code != 0 {
			t.Fatal(errText)
		}
		return strings.Contains(out, "materializationIntervals")
	}
	if _, errText := shard("2"); !strings.HasPrefix(errText, "carts: shard 2/3 is stored; the window is recorded when these are too: 1/3, 3/3; the first of them: banquet materialize 2024-01-01T00:00:00 2024-02-01T00:00:00 --views carts --shard 1/3\n") {
		t.Error(errText)
	}
	if _, errText := shard("1"); !strings.Contains(errText, "is recorded when this one is too: 3/3;") || recorded() {
		t.Error(errText)
	}
	if out, errText := shard("3"); errText != "" || !recorded() {
		t.Errorf("%s%s", out, errText)
	}
	if n := len(d.Items("shop.carts")); n != 3000 {
		t.Errorf("%d items", n)
	}
}
