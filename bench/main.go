// Bench measures feature servers from outside: it starts a fake DynamoDB and
// each contender in front of it, requests features over gRPC and HTTP, compares
// the responses with the data set, and prints one table. `bench offline` measures
// training sets and materialize, `bench push` writes. README.md explains it.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/banquet-fs/banquet/bench/dataset"
	"github.com/banquet-fs/banquet/bench/fake"
	"github.com/banquet-fs/banquet/bench/floor"
	"github.com/banquet-fs/banquet/bench/load"
	"github.com/banquet-fs/banquet/bench/offline"
	"github.com/banquet-fs/banquet/bench/proc"
)

var (
	//go:embed repo/registry.db
	registryDB []byte
	//go:embed repo/feature_store.yaml
	featureStore string
)

type bench struct {
	self, banquet, feast, work, store string
	plan, only, names                 string
	rounds, procs                     int
	length, warm                      time.Duration
	ports                             ports
	fake                              *process
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := command(ctx, os.Args[1:])
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// command runs the benchmark, or one of the servers that it starts.
func command(ctx context.Context, args []string) error {
	switch {
	case len(args) == 2 && args[0] == "fake":
		s, err := fake.New()
		if err != nil {
			return err
		}
		lis, err := new(net.ListenConfig).Listen(ctx, "tcp", args[1])
		if err != nil {
			return err
		}
		return s.Serve(lis)
	case len(args) == 4 && args[0] == "floor":
		return floor.Serve(ctx, args[1], args[2], client(args[3]))
	case len(args) > 1 && args[0] == "offline" && strings.HasSuffix(args[1], "-floor"):
		return offline.Floor(ctx, args[1:], client)
	}
	others := map[string]func(context.Context, []string) error{"offline": measureOffline, "push": measurePush}
	if len(args) > 0 && others[args[0]] != nil {
		return others[args[0]](ctx, args[1:])
	}
	b := &bench{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&b.plan, "plan", "quick", "quick, full, open, overload or faults")
	flags.StringVar(&b.names, "contenders", "", "direct, sdk, floor, feast, feast-listen (default: the first three, and Feast if it is installed)")
	flags.StringVar(&b.only, "only", "", "cases or scenarios of the plan, separated by commas")
	flags.StringVar(&b.banquet, "banquet", "", "banquet's program (default: built from this module)")
	flags.StringVar(&b.feast, "feast", "feast", "Feast's command")
	flags.StringVar(&b.work, "work", filepath.Join(os.TempDir(), "banquet-bench"), "where logs and repositories are written")
	flags.IntVar(&b.rounds, "rounds", 1, "measurements of each row; the medians are shown")
	flags.IntVar(&b.procs, "procs", 0, "GOMAXPROCS of the contenders (default: the number of processors)")
	flags.DurationVar(&b.length, "for", 3*time.Second, "duration of one measurement")
	flags.DurationVar(&b.warm, "warm", time.Second, "duration of the warm-up")
	flags.IntVar(&b.ports.next, "port", 27300, "the first port to try")
	if err := flags.Parse(args); err != nil {
		return err
	}
	plan := only(experiments(b.plan), b.only)
	if len(plan) == 0 {
		return fmt.Errorf("the plan %q has no experiment %q", b.plan, b.only)
	}
	return b.run(ctx, plan)
}

// client calls the fake at an address.
func client(addr string) *floor.Client {
	return floor.NewClient(addr, dataset.Region, accessKey, secretKey)
}

func (b *bench) run(ctx context.Context, plan []experiment) error {
	processes, err := b.prepare(ctx)
	defer func() {
		for _, p := range processes {
			p.stop()
		}
	}()
	if err != nil {
		return err
	}
	t := &table{out: os.Stdout}
	t.head()
	for _, e := range plan {
		rows, err := b.rows(ctx, e, processes[1:], t.capacity)
		if err != nil {
			return err
		}
		t.add(e, rows)
	}
	t.foot()
	return nil
}

// rows measures an experiment with every contender over each protocol. Each round
// measures all of them, so that other load on the machine affects all.
func (b *bench) rows(ctx context.Context, e experiment, contenders []*process, capacity map[string]float64) ([]row, error) {
	var order []string
	rounds := map[string][]row{}
	for range b.rounds {
		for _, p := range contenders {
			for _, protocol := range []string{grpcProtocol, httpProtocol} {
				if _, ok := p.targets[protocol]; !ok || e.honest && p.name == "floor" {
					continue
				}
				if ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				key := p.name + protocol
				r, err := b.measure(ctx, e, p, protocol, capacity[key])
				if err != nil {
					return nil, err
				}
				if len(rounds[key]) == 0 {
					order = append(order, key)
				}
				rounds[key] = append(rounds[key], r)
			}
		}
	}
	rows := make([]row, len(order))
	for i, key := range order {
		rows[i] = medians(rounds[key])
	}
	return rows, nil
}

func (b *bench) control() fake.Control { return fake.Control(b.store) }

// build builds the measured program.
func (b *bench) build(ctx context.Context) error {
	b.banquet = filepath.Join(b.work, "banquet")
	build := exec.CommandContext(ctx, "go", "build", "-o", b.banquet, "github.com/banquet-fs/banquet/cmd/banquet")
	build.Stderr = os.Stderr
	return build.Run()
}

// awaitStore waits up to five seconds until the store responds.
func (b *bench) awaitStore(ctx context.Context) error {
	for try := 0; ; try++ {
		_, err := b.control().Counts(ctx)
		if err == nil || try == 100 {
			return err
		}
		<-time.After(50 * time.Millisecond)
	}
}

// base builds the measured program, if it is not given, and starts the store, which is
// returned even with an error.
func (b *bench) base(ctx context.Context) (store []*process, err error) {
	if err := os.MkdirAll(b.work, 0o755); err != nil {
		return nil, err
	}
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if b.banquet == "" {
		if err := b.build(ctx); err != nil {
			return nil, err
		}
	}
	if b.store, err = b.ports.take(ctx); err != nil {
		return nil, err
	}
	b.fake = &process{name: "fake", argv: []string{b.self, "fake", b.store}}
	store = []*process{b.fake}
	if err := b.fake.start(ctx, b.work); err != nil {
		return store, err
	}
	return store, b.awaitStore(ctx)
}

// prepare starts the store and the contenders and waits until they respond. The store
// is the first of the processes, which are returned even with an error.
func (b *bench) prepare(ctx context.Context) (all []*process, err error) {
	if b.names == "" {
		b.names = "direct,sdk,floor"
		if _, err := exec.LookPath(b.feast); err == nil {
			b.names += ",feast,feast-listen"
		}
	}
	if all, err = b.base(ctx); err != nil {
		return all, err
	}
	for name := range strings.SplitSeq(b.names, ",") {
		p, err := b.contender(ctx, name)
		if err != nil {
			return all, err
		}
		p.procs = b.procs
		all = append(all, p)
		if err := p.start(ctx, b.work); err != nil {
			return all, err
		}
	}
	for _, p := range all[1:] {
		if err := p.ready(ctx, time.Minute); err != nil {
			return all, err
		}
	}
	return all, nil
}

// measure does one experiment with one contender. An experiment with a share of the
// capacity needs the capacity.
func (b *bench) measure(ctx context.Context, e experiment, p *process, protocol string, capacity float64) (row, error) {
	if err := b.control().Set(ctx, e.store); err != nil {
		return row{}, err
	}
	shape, ok := dataset.CaseOf(e.shape)
	if !ok {
		return row{}, fmt.Errorf("no case %q", e.shape)
	}
	rate := e.rate
	if e.share > 0 {
		if capacity == 0 {
			return row{}, fmt.Errorf("%s needs the capacity, which the plan measures first: add capacity to -only", e.scenario)
		}
		rate = e.share * capacity
	}
	r := row{contender: p.name, protocol: protocol, rate: rate}
	var before, after usage
	var calls [2]fake.Counts
	var own [2]histogram
	var failed error
	done := make(chan struct{})
	peak := make(chan float64, 1)
	window := func(begins bool) {
		i := 0
		if begins {
			go func() { peak <- watch(p.pid(), done) }()
		} else {
			close(done)
			i = 1
		}
		var err error
		if calls[i], err = b.control().Counts(ctx); err != nil {
			failed = err
		}
		if own[i], err = overhead(ctx, p.admin, protocol); err != nil {
			failed = err
		}
		if begins {
			before = usageOf(p)
		} else {
			after = usageOf(p)
		}
	}
	res, err := load.Run(p.targets[protocol], load.Options{
		Case: shape, Workers: e.workers, Rate: rate, Warm: b.warm, For: b.length, Timeout: 10 * time.Second, Check: e.check, Window: window,
	})
	if err != nil {
		return r, err
	}
	if failed != nil {
		return r, failed
	}
	if n := calls[1].Refused - calls[0].Refused; n > 0 {
		return r, fmt.Errorf("the store refused %d calls of %s: DynamoDB would not accept them", n, p.name)
	}
	r.fill(res, before, after)
	r.memory = <-peak
	if n := res.Responses + res.Errors; n > 0 {
		r.calls = float64(calls[1].Calls-calls[0].Calls) / float64(n)
	}
	r.own50, r.own99 = own[1].since(own[0]).quantile(0.5), own[1].since(own[0]).quantile(0.99)
	return r, b.control().Set(ctx, fake.Settings{})
}

// watch returns the peak memory of a process until done.
func watch(pid int, done <-chan struct{}) (peak float64) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		peak = max(peak, proc.Resident(pid))
		select {
		case <-done:
			return peak
		case <-tick.C:
		}
	}
}

// median is the median of one figure over several measurements.
func median(rs []row, of func(*row) *float64) float64 {
	v := make([]float64, len(rs))
	for i := range rs {
		v[i] = *of(&rs[i])
	}
	slices.Sort(v)
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}
