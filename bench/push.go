package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/banquet-fs/banquet/bench/dataset"
	"github.com/banquet-fs/banquet/bench/fake"
	"github.com/banquet-fs/banquet/bench/load"
	"github.com/banquet-fs/banquet/bench/proc"
)

// writtenView is the view that is written: twelve features and a key of text.
const writtenView = "credit_history"

// measurePush is the benchmark of writes over HTTP: rows per second of the server's CPU,
// and the latency of reads while rows are written at half of the capacity.
func measurePush(ctx context.Context, args []string) error {
	b := &bench{}
	readRate, workers := 0.0, 0
	flags := flag.NewFlagSet("bench push", flag.ContinueOnError)
	flags.StringVar(&b.banquet, "banquet", "", "banquet's program (default: built from this module)")
	flags.StringVar(&b.work, "work", filepath.Join(os.TempDir(), "banquet-bench"), "where logs and repositories are written")
	flags.DurationVar(&b.length, "for", 3*time.Second, "duration of one measurement")
	flags.DurationVar(&b.warm, "warm", time.Second, "duration of the warm-up")
	flags.Float64Var(&readRate, "reads", 300, "reads per second, of 1 x 20 features")
	flags.IntVar(&workers, "workers", 4, "writes in flight")
	flags.IntVar(&b.ports.next, "port", 27300, "the first port to try")
	if err := flags.Parse(args); err != nil {
		return err
	}
	processes, err := b.base(ctx)
	defer func() {
		for _, p := range processes {
			p.stop()
		}
	}()
	if err != nil {
		return err
	}
	p, err := b.contender(ctx, "direct")
	if err != nil {
		return err
	}
	processes = append(processes, p)
	if err := p.start(ctx, b.work); err != nil {
		return err
	}
	if err := p.ready(ctx, time.Minute); err != nil {
		return err
	}
	return b.writes(ctx, p, readRate, workers)
}

// writes measures writes of several sizes, and reads beside them.
func (b *bench) writes(ctx context.Context, p *process, readRate float64, workers int) error {
	w, err := newWriteLoad(p.targets[httpProtocol].Addr, workers)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "%-34s %12s %16s %12s\n", "writes of 12 features over HTTP", "rows/s", "rows/CPU-second", "CPU µs/row")
	capacity := 0.0
	for _, c := range []struct {
		name  string
		rows  int
		store fake.Settings
	}{{"1 row a request", 1, fake.Settings{}}, {"500 rows a request", 500, fake.Settings{}}, {"500 rows, store of 3 ms", 500, awsLike}} {
		if err := b.control().Set(ctx, c.store); err != nil {
			return err
		}
		r, err := b.write(w, p, c.rows, 0)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stdout, "%-34s %12.0f %16.0f %12.1f\n", c.name, r.perSecond, 1/r.cpu, r.cpu*1e6)
		capacity = r.perSecond
	}
	fmt.Fprintf(os.Stdout, "\n%-34s %9s %9s %9s %8s\n", "1 x 20 features, store of 3 ms", "p50 ms", "p99 ms", "most ms", "errors")
	for _, c := range []struct {
		name  string
		share float64
	}{{"no writes", 0}, {"writes at half of the rate above", 0.5}, {"no writes", 0}} {
		if err := b.readsBeside(w, p, c.name, readRate, c.share*capacity); err != nil {
			return err
		}
	}
	return b.control().Set(ctx, fake.Settings{})
}

// readsBeside measures reads while rows are written at a rate; 0 writes none.
func (b *bench) readsBeside(w *writeLoad, p *process, name string, readRate, rows float64) error {
	shape, _ := dataset.CaseOf("a")
	done := make(chan error, 1)
	if rows > 0 {
		go func() {
			_, err := b.write(w, p, 500, rows)
			done <- err
		}()
	} else {
		done <- nil
	}
	res, err := load.Run(p.targets[httpProtocol], load.Options{
		Case: shape, Workers: 64, Rate: readRate, Warm: b.warm, For: b.length, Timeout: 10 * time.Second, Check: 50, Window: func(bool) {},
	})
	if err := errors.Join(err, <-done); err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "%-34s %9.2f %9.2f %9.2f %8d\n", name, milliseconds(res.Quantile(0.5)), milliseconds(res.Quantile(0.99)), milliseconds(res.Quantile(1)), res.Errors+res.Wrong)
	return nil
}

// writeResult is what one measurement of writes gave: CPU in seconds of the server for a
// row.
type writeResult struct{ perSecond, cpu float64 }

// write writes rows in requests of a size, at a rate of rows per second, or as fast as
// possible.
func (b *bench) write(w *writeLoad, p *process, size int, rate float64) (writeResult, error) {
	body, err := frameOf(size)
	if err != nil {
		return writeResult{}, err
	}
	var written, ticket atomic.Int64
	var failed atomic.Pointer[error]
	start := time.Now()
	stop := start.Add(b.warm + b.length)
	var group sync.WaitGroup
	for range w.workers {
		group.Go(func() {
			for time.Now().Before(stop) && failed.Load() == nil {
				if rate > 0 {
					due := start.Add(time.Duration(float64(ticket.Add(1)-1) * float64(size) / rate * float64(time.Second)))
					<-time.After(time.Until(due))
				}
				if err := w.send(body); err != nil {
					failed.Store(&err)
					return
				}
				written.Add(int64(size))
			}
		})
	}
	<-time.After(b.warm)
	rows, cpu, at := written.Load(), proc.CPU(p.pid()), time.Now()
	<-time.After(time.Until(stop))
	r := writeResult{
		perSecond: float64(written.Load()-rows) / time.Since(at).Seconds(),
		cpu:       (proc.CPU(p.pid()) - cpu) / float64(max(written.Load()-rows, 1)),
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		return r, *err
	}
	return r, nil
}

// writeLoad sends writes by HTTP.
type writeLoad struct {
	client  *fasthttp.HostClient
	uri     string
	workers int
}

func newWriteLoad(addr string, workers int) (*writeLoad, error) {
	if workers < 1 {
		return nil, errors.New("at least one write must be in flight")
	}
	return &writeLoad{&fasthttp.HostClient{Addr: addr, MaxConns: workers}, "http://" + addr + "/write-to-online-store", workers}, nil
}

func (w *writeLoad) send(body []byte) error {
	q, s := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(q)
	defer fasthttp.ReleaseResponse(s)
	q.SetRequestURI(w.uri)
	q.Header.SetMethod(http.MethodPost)
	q.Header.SetContentType("application/json")
	q.SetBodyRaw(body)
	if err := w.client.DoTimeout(q, s, 10*time.Second); err != nil {
		return err
	}
	if s.StatusCode() != http.StatusOK {
		return fmt.Errorf("HTTP %d: %.200s", s.StatusCode(), s.Body())
	}
	return nil
}

// frameOf is a request to write a number of rows, as Feast's SDK sends it.
func frameOf(size int) ([]byte, error) {
	v := dataset.ViewOf(writtenView)
	columns := map[string][]any{}
	for row := range size {
		columns[v.JoinKey] = append(columns[v.JoinKey], dataset.Plain(v.Key(row)))
		for f, feature := range v.Features {
			columns[feature.Name] = append(columns[feature.Name], dataset.Plain(v.Value(f, row)))
		}
		columns["event_timestamp"] = append(columns["event_timestamp"], strings.TrimSuffix(v.EventTime(row).Format("2006-01-02T15:04:05.999999Z"), "Z"))
		columns["created"] = append(columns["created"], nil)
	}
	var b bytes.Buffer
	err := json.NewEncoder(&b).Encode(map[string]any{"feature_view_name": writtenView, "df": columns, "allow_registry_cache": true})
	return b.Bytes(), err
}
