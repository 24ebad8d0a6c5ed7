package main

import (
	"strings"
	"time"

	"github.com/banquet-fs/banquet/bench/fake"
)

// experiment is one row of the plan; it is done with every contender and each of its
// protocols.
type experiment struct {
	scenario string
	shape    string // the case of the data set
	workers  int
	// rate makes it an open loop. share is the rate as a fraction of the throughput
	// that the contender reached before in a closed loop of many workers.
	rate, share float64
	store       fake.Settings
	// check compares one of every check responses with the data set.
	check int
	// honest excludes the floor, which cannot retry.
	honest bool
}

// awsLike is a store with the latency of DynamoDB: p50 3 ms, p99 12 ms.
var awsLike = fake.Settings{Latency: 3 * time.Millisecond, Sigma: 0.596}

// experiments returns a plan by name: quick, full, open, overload, faults.
func experiments(plan string) []experiment {
	closed := func(shape string, workers int) experiment {
		return experiment{scenario: "zero latency", shape: shape, workers: workers, check: 200}
	}
	open := func(shape string, rate float64) experiment {
		return experiment{scenario: "lognormal", shape: shape, workers: 512, rate: rate, store: awsLike, check: 100}
	}
	faulty := func(name, shape string, s fake.Settings) experiment {
		return experiment{scenario: name, shape: shape, workers: 16, store: s, check: 1, honest: true}
	}
	// timed measures the throughput: the store has a latency, and comparing every
	// response would be most of the work.
	timed := func(name string, s fake.Settings) experiment {
		s.Latency, s.Sigma = awsLike.Latency, awsLike.Sigma
		return experiment{scenario: name, shape: "a", workers: 16, store: s, check: 50, honest: true}
	}
	switch plan {
	case "quick":
		return []experiment{closed("a", 16), closed("b", 16), open("a", 1000)}
	case "full":
		var all []experiment
		for _, shape := range []string{"a", "b", "d1", "d100", "c"} {
			for _, workers := range []int{1, 16, 64} {
				all = append(all, closed(shape, workers))
			}
		}
		return append(all, open("a", 50), open("a", 1000), open("d1", 200))
	case "open":
		return []experiment{open("a", 50), open("a", 200), open("a", 1000), open("d1", 200)}
	case "overload":
		var all []experiment
		for _, shape := range []string{"a", "b"} {
			capacity := closed(shape, 128)
			capacity.scenario, capacity.store, capacity.honest = "capacity", awsLike, true
			all = append(all, capacity)
			for _, share := range []float64{0.8, 1.2} {
				all = append(all, experiment{scenario: "overload", shape: shape, workers: 1024, share: share, store: awsLike, check: 100, honest: true})
			}
		}
		return all
	case "faults":
		return []experiment{
			faulty("no fault", "a", fake.Settings{}), faulty("no fault", "b", fake.Settings{}),
			faulty("throttle 5%", "a", fake.Settings{Throttle: 0.05}), faulty("throttle 30%", "a", fake.Settings{Throttle: 0.3}),
			faulty("error 500 5%", "a", fake.Settings{Error500: 0.05}), faulty("error 500 30%", "a", fake.Settings{Error500: 0.3}),
			faulty("error 503 5%", "a", fake.Settings{Error503: 0.05}),
			faulty("reset 5%", "a", fake.Settings{Reset: 0.05}), faulty("reset 30%", "a", fake.Settings{Reset: 0.3}),
			faulty("cut 5%", "b", fake.Settings{Cut: 0.05}), faulty("cut 30%", "b", fake.Settings{Cut: 0.3}),
			faulty("corrupt 5%", "b", fake.Settings{Corrupt: 0.05}), faulty("corrupt 30%", "b", fake.Settings{Corrupt: 0.3}),
			faulty("unprocessed 5%", "b", fake.Settings{Unprocessed: 0.05}), faulty("unprocessed 30%", "b", fake.Settings{Unprocessed: 0.3}),
			faulty("slow 1% by 500 ms", "a", fake.Settings{Latency: 3 * time.Millisecond, Slow: 0.01, SlowBy: 500 * time.Millisecond}),
			timed("no fault, lognormal", fake.Settings{}), timed("throttle 5%, logn.", fake.Settings{Throttle: 0.05}), timed("throttle 30%, logn.", fake.Settings{Throttle: 0.3}),
			faulty("down", "a", fake.Settings{Error500: 1}),
		}
	}
	return nil
}

// only keeps the experiments whose scenario or case is named.
func only(all []experiment, names string) (kept []experiment) {
	for _, e := range all {
		for n := range strings.SplitSeq(names, ",") {
			if names == "" || n == e.shape || strings.HasPrefix(e.scenario, n) {
				kept = append(kept, e)
				break
			}
		}
	}
	return kept
}
