package ingest

import (
	"encoding/json"
	"os"
	"testing"
	"time"
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
