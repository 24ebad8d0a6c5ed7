package ingest

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
)

// FuzzParseRecord reads any bytes as a record: what is accepted can be used and
// written again.
func FuzzParseRecord(f *testing.F) {
	good, err := json.Marshal(&runRecord{Format: recordFormat, Read: time.Unix(1, 0), Fingerprint: "x", Done: []byte("key"), Shard: Shard{1, 2}, owner: thisProcess()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"Format":1,"Fingerprint":"x","Read":"2024-06-01T00:00:00Z","Shard":{"Index":1,"Count":0}}`))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRecord(b)
		if err != nil || r == nil {
			return
		}
		r.reach()
		r.Shard.has(r.Done)
		r.alive(time.Now())
		if _, err := json.Marshal(r); err != nil {
			t.Error(err)
		}
	})
}

// A run is alive as long as its process, and no longer than it is silent.
func TestWhichRunsAreAlive(t *testing.T) {
	now := time.Now()
	me := thisProcess()
	me.Beat = now
	change := func(f func(*owner)) owner {
		o := me
		f(&o)
		return o
	}
	for name, c := range map[string]struct {
		o    owner
		want bool
	}{
		"this process":           {me, true},
		"stopped":                {change(func(o *owner) { o.Stopped = true }), false},
		"silent":                 {change(func(o *owner) { o.Beat = now.Add(-silence - time.Second) }), false},
		"from the future":        {change(func(o *owner) { o.Beat = now.Add(time.Hour) }), false},
		"another of this number": {change(func(o *owner) { o.Born = "1" }), false},
		"ended":                  {change(func(o *owner) { o.Process = 1 << 30 }), false},
		"on another machine":     {change(func(o *owner) { o.Host, o.Process = "elsewhere", 1<<30 }), true},
	} {
		if got := c.o.alive(now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if _, err := os.Stat("/proc/self/stat"); err == nil && me.Born == "" {
		t.Error("it is not known when this process began")
	}
}

// The names of projects and views have any length and any letters. The names of
// records have neither, and differ where those do.
func TestRecordsOfViewsWithLongNames(t *testing.T) {
	long := strings.Repeat("고객신용", 60)
	views := []*registry.View{
		{Project: "p", Name: "carts"},
		{Project: "p", Name: long + "1"},
		{Project: "p", Name: long + "2"},
		{Project: long, Name: long},
		{Project: strings.Repeat("p", 300), Name: strings.Repeat("v", 300)},
		{Project: "p", Name: "a/b %2F"},
	}
	records := file.New(t.TempDir() + "/registry.db").Records()
	for _, v := range views {
		for _, s := range []Shard{{}, {Index: 99998, Count: 99999}} {
			name := recordName(v, s)
			if err := records.Put(t.Context(), name, []byte(name)); err != nil {
				t.Errorf("%.20s: %v", v.Name, err)
			}
		}
	}
	for _, v := range views {
		if list, err := records.List(t.Context(), prefix(v)); len(list) != 2 || err != nil {
			t.Errorf("%.20s: %q, %v", v.Name, list, err)
		}
	}
	if got := prefix(views[0]); got != "p/carts/" {
		t.Error(got)
	}
}
