package ingest

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"syscall"
	"time"
)

const (
	// beat is how often a run writes its record at least, and silence after how
	// long without a beat it counts as dead.
	beat, silence = 15 * time.Second, 2 * time.Minute
)

// owner is the process of a run, and when it was last heard of.
type owner struct {
	Host    string
	Process int
	// Born tells processes apart that have the same number one after the other.
	Born string `json:",omitempty"`
	Beat time.Time
	// Stopped is set by a run that ended without finishing.
	Stopped bool `json:",omitempty"`
}

func thisProcess() owner {
	host, _ := os.Hostname() // without a name, the beat decides
	return owner{Host: host, Process: os.Getpid(), Born: born(os.Getpid())}
}

// born is when a process began, in ticks since the machine did; empty where the
// system does not tell.
func born(process int) string {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(process) + "/stat")
	if err != nil {
		return ""
	}
	const field = 19 // the 22nd, after the number and the name, which may contain anything
	_, rest, _ := bytes.Cut(b[max(bytes.LastIndexByte(b, ')'), 0):], []byte(" "))
	fields := bytes.Fields(rest)
	if len(fields) <= field {
		return ""
	}
	return string(fields[field])
}

// alive reports whether the run still goes on. A run of this machine ends with its
// process, any other is known by its beat. Taking a live run for a dead one does
// no harm: what its record calls stored is stored.
func (o *owner) alive(now time.Time) bool {
	if o.Stopped || now.Sub(o.Beat).Abs() > silence {
		return false
	}
	me := thisProcess()
	if o.Host != me.Host || me.Host == "" {
		return true
	}
	if err := syscall.Kill(o.Process, 0); errors.Is(err, syscall.ESRCH) {
		return false
	}
	return o.Born == born(o.Process)
}
