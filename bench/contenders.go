package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/banquet-fs/banquet/bench/dataset"
	"github.com/banquet-fs/banquet/bench/load"
	"github.com/banquet-fs/banquet/bench/proc"
)

const (
	feastMethod  = "/feast.serving.ServingService/GetOnlineFeatures"
	feastListen  = "/GrpcFeatureServer/GetOnlineFeatures"
	accessKey    = "bench"
	secretKey    = "benchsecret"
	grpcProtocol = "grpc"
	httpProtocol = "http"
)

// process is a measured server, or the store.
type process struct {
	name    string
	argv    []string
	targets map[string]load.Target // by protocol
	admin   string                 // where metrics are, if it has them
	procs   int
	cmd     *exec.Cmd
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// start starts the process in a process group of its own; its output goes to a file.
func (p *process) start(ctx context.Context, dir string) error {
	out, err := os.Create(filepath.Join(dir, p.name+".log"))
	if err != nil {
		return err
	}
	defer out.Close()
	p.cmd = exec.CommandContext(context.WithoutCancel(ctx), p.argv[0], p.argv[1:]...) // stop ends it
	p.cmd.Env = append(os.Environ(), settings()...)
	if p.procs > 0 {
		p.cmd.Env = append(p.cmd.Env, "GOMAXPROCS="+strconv.Itoa(p.procs))
	}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	return p.cmd.Start()
}

// settings are the environment of all contenders.
func settings() []string {
	return []string{
		"AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey, "AWS_REGION=" + dataset.Region,
		"AWS_DEFAULT_REGION=" + dataset.Region, "AWS_EC2_METADATA_DISABLED=true", "FEAST_USAGE=False",
	}
}

// stop ends the process and its children, by force if they do not end in time.
func (p *process) stop() {
	if p.cmd == nil || p.cmd.Process == nil {
		return
	}
	_ = syscall.Kill(-p.pid(), syscall.SIGTERM)
	gone := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-time.After(4 * time.Second):
		_ = syscall.Kill(-p.pid(), syscall.SIGKILL)
		<-gone
	}
}

// ready waits for one correct response over each protocol.
func (p *process) ready(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	c, _ := dataset.CaseOf("a")
	for protocol, t := range p.targets {
		for {
			r, err := load.Run(t, load.Options{Case: c, Workers: 1, Warm: time.Millisecond, For: 30 * time.Millisecond, Timeout: 5 * time.Second, Check: 1, Window: func(bool) {}})
			if err != nil {
				return err
			}
			if r.Responses > 0 && r.Errors == 0 {
				break
			}
			if ctx.Err() != nil {
				return fmt.Errorf("%s gave no correct response over %s within %s: %v (its output is in %s.log)", p.name, protocol, limit, r.Kinds, p.name)
			}
			<-time.After(50 * time.Millisecond)
		}
	}
	return nil
}

// ports returns free ports below the range that this machine uses for connections.
type ports struct{ next int }

func (p *ports) take(ctx context.Context) (string, error) {
	for ; p.next < 32000; p.next++ {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(p.next))
		lis, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
		if err != nil {
			continue
		}
		p.next++
		return addr, lis.Close()
	}
	return "", errors.New("no port is free")
}

// hosted splits an address into two flags, host and port.
func hosted(addr string) (host, port string) {
	host, port, _ = net.SplitHostPort(addr)
	return host, port
}

// contender makes a contender by name.
func (b *bench) contender(ctx context.Context, name string) (*process, error) {
	var addr [3]string
	for i := range addr {
		var err error
		if addr[i], err = b.ports.take(ctx); err != nil {
			return nil, err
		}
	}
	host, web := hosted(addr[0])
	_, rpc := hosted(addr[1])
	_, admin := hosted(addr[2])
	both := map[string]load.Target{httpProtocol: {Addr: addr[0]}, grpcProtocol: {Addr: addr[1], Method: feastMethod}}
	switch name {
	case "direct", "sdk":
		repo, err := b.repo(name, "banquet:\n  dynamodb:\n    client: "+name+"\n")
		return &process{
			name: name, targets: both, admin: addr[2],
			argv: []string{b.banquet, "-c", repo, "serve", "--host", host, "--port", web, "--grpc-port", rpc, "--admin-port", admin},
		}, err
	case "floor":
		return &process{name: name, targets: both, argv: []string{b.self, "floor", addr[1], addr[0], b.store}}, nil
	case "feast":
		repo, err := b.repo(name, "")
		return &process{
			name: name, targets: map[string]load.Target{httpProtocol: {Addr: addr[0]}},
			argv: []string{b.feast, "-c", repo, "serve", "--host", host, "--port", web, "--no-access-log"},
		}, err
	case "feast-listen":
		repo, err := b.repo(name, "")
		return &process{
			name: name, targets: map[string]load.Target{grpcProtocol: {Addr: addr[1], Method: feastListen}},
			argv: []string{b.feast, "-c", repo, "listen", "--address", addr[1]},
		}, err
	}
	return nil, fmt.Errorf("no contender %q; choose direct, sdk, floor, feast or feast-listen", name)
}

// repo writes the feature repository of a contender.
func (b *bench) repo(name, more string) (string, error) {
	dir := filepath.Join(b.work, "repo-"+name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	yaml := strings.ReplaceAll(featureStore, "ENDPOINT", "http://"+b.store) + more
	if err := os.WriteFile(filepath.Join(dir, "feature_store.yaml"), []byte(yaml), 0o644); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "registry.db"), registryDB, 0o644)
}

// usage is the CPU time of a process, of all processes of the benchmark, and of the
// machine.
type usage struct{ server, ours, machine float64 }

func usageOf(p *process) usage {
	return usage{proc.CPU(p.pid()), proc.CPU(os.Getpid()), proc.Busy()}
}
