package offline

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/banquet-fs/banquet/bench/proc"
)

// withFlight adds banquet's Arrow Flight service, asked by Feast's Python API. CPU and
// memory are those of the service, the time is that of the client without its start.
func (r *run) withFlight(all []*contender, repo, entityRows string, want *expected) ([]*contender, error) {
	if r.Python == "" {
		return all, nil
	}
	script, err := r.script()
	if err != nil {
		return nil, err
	}
	return append(all, &contender{"flight", func(ctx context.Context) (c cost, checked string, err error) {
		server, addr, err := r.serve(ctx, repo)
		if err != nil {
			return c, "", err
		}
		defer func() {
			_ = server.Process.Kill()
			_ = server.Wait()
		}()
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return c, "", err
		}
		remote, err := r.repository("flight-client", asTable, fmt.Sprintf("type: remote, host: %s, port: %s", host, port))
		if err != nil {
			return c, "", err
		}
		out := filepath.Join(r.Work, "training.parquet")
		client := r.writes("flight", out, want, r.Python, script, remote, entityRows, out)
		before := proc.CPU(server.Process.Pid)
		if c, checked, err = client.measure(ctx); err != nil {
			return c, "", err
		}
		c.wall = apiTime(c.stdout)
		c.cpu, c.peak = proc.CPU(server.Process.Pid)-before, proc.Peak(server.Process.Pid)
		return c, checked, nil
	}}), nil
}

// serve starts banquet's offline server and returns its address.
func (r *run) serve(ctx context.Context, repo string) (server *exec.Cmd, addr string, err error) {
	server = exec.CommandContext(ctx, r.Banquet, "serve_offline", "--port", "0", "--admin-port", "0")
	server.Dir, server.Env = repo, append(os.Environ(), r.Env...)
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := server.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := server.Start(); err != nil {
		return nil, "", err
	}
	var line struct{ GRPC string }
	if err := json.NewDecoder(out).Decode(&line); err != nil {
		_ = server.Process.Kill()
		_ = server.Wait()
		return nil, "", fmt.Errorf("serve_offline did not print where it listens: %w", err)
	}
	return server, line.GRPC, nil
}
