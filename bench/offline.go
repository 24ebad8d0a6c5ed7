package main

import (
	"context"
	"flag"
	"net"
	"os"
	"path/filepath"

	"github.com/banquet-fs/banquet/bench/offline"
)

// measureOffline is the benchmark of training sets and materialize.
func measureOffline(ctx context.Context, args []string) error {
	b := &bench{}
	opt := offline.Options{Registry: registryDB, Env: settings()}
	flags := flag.NewFlagSet("bench offline", flag.ContinueOnError)
	flags.StringVar(&opt.Only, "only", "", "cases by the start of their names, separated by commas: train-10k, train-100k, files-100k, write-0ms, write-5ms, and, only if named, train-1m, files-1m, write-10m")
	flags.StringVar(&opt.Contenders, "contenders", "", "contenders by the start of their names (default: all)")
	flags.StringVar(&b.banquet, "banquet", "", "banquet's program (default: built from this module)")
	flags.StringVar(&opt.Python, "python", "", "a Python with Feast, to measure Feast as well; it takes minutes")
	flags.StringVar(&b.work, "work", filepath.Join(os.TempDir(), "banquet-bench"), "where logs, repositories and data are written")
	flags.IntVar(&opt.Rounds, "rounds", 1, "measurements of each row; the one with the median time is shown")
	flags.IntVar(&b.ports.next, "port", 27300, "the first port to try")
	if err := flags.Parse(args); err != nil {
		return err
	}
	store, err := b.base(ctx)
	defer func() {
		for _, p := range store {
			p.stop()
		}
	}()
	if err != nil {
		return err
	}
	free, err := b.ports.take(ctx)
	if err != nil {
		return err
	}
	_, opt.Postgres, err = net.SplitHostPort(free)
	if err != nil {
		return err
	}
	opt.Banquet, opt.Self, opt.Work, opt.Store, opt.Fake = b.banquet, b.self, b.work, b.store, b.control()
	return offline.Run(ctx, opt)
}
