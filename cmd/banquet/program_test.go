package main

import (
	"bufio"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// built is the program in a file of its own. The binary of the tests is the program, too, under
// its name: building another one takes longer than most tests. With cgo it needs libraries,
// and the static binary of the image is built instead.
var built = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(shared, programName)
	own, err := os.Executable()
	if err != nil {
		return "", err
	}
	static, err := isStatic(own)
	if err != nil {
		return "", err
	}
	if static {
		return bin, copyProgram(own, bin)
	}
	build := exec.Command("go", "build", "-o", bin, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return bin, nil
})

const programName = "banquet"

// isStatic reports whether a program needs no dynamic linker.
func isStatic(path string) (bool, error) {
	f, err := elf.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	return !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }), nil
}

func copyProgram(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}

// shared holds files for all tests of the package.
var shared string

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == programName {
		main()
	}
	var err error
	if shared, err = os.MkdirTemp("", "banquet"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(shared)
	os.Exit(code) //nolint:forbidigo // TestMain has to exit this way
}

func program(t *testing.T) string {
	t.Helper()
	bin, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// TestInAnEmptyRoot runs the binary in an empty root directory, as in the image:
// no libc, no time zones, no /etc.
func TestInAnEmptyRoot(t *testing.T) {
	root := t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(root, "banquet")
	if err := os.Link(program(t), bin); err != nil {
		t.Fatal(err)
	}
	attr := &syscall.SysProcAttr{Chroot: root}
	path := "/banquet"
	if os.Getuid() != 0 { // only root may use chroot
		attr, path = &syscall.SysProcAttr{}, bin
	}
	if err := os.MkdirAll(filepath.Join(root, "tmp"), 0o777); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.SysProcAttr, cmd.Env, cmd.Dir = attr, []string{"TZ=Asia/Seoul"}, "/"
		if path == bin {
			cmd.Dir = root
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	if out := run("version"); !strings.Contains(out, "0.67") {
		t.Error(out)
	}
	if out := run("demo", "--once"); strings.Count(out, "FORT WORTH") != 3 || !strings.Contains(out, "city             FORT WORTH  PRESENT   2024-") {
		t.Error(out)
	}
}

// addresses are where a server listens.
type addresses struct{ GRPC, HTTP, Admin string }

// startServing starts the server of a repository, and waits until it listens.
func startServing(t *testing.T, repo string) (*exec.Cmd, addresses) {
	t.Helper()
	return listening(t, exec.CommandContext(t.Context(), program(t), "-c", repo, "serve", "-h", "127.0.0.1", "-p", "0", "--grpc-port", "0", "--admin-port", "0"))
}

// listening starts a server and waits until it listens.
func listening(t *testing.T, cmd *exec.Cmd) (*exec.Cmd, addresses) {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var at addresses
	if err := json.Unmarshal([]byte(line), &at); err != nil {
		t.Fatal(err)
	}
	return cmd, at
}

// online requests features from a server, and returns the response or the error.
func online(t *testing.T, address, request string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/get-online-features", strings.NewReader(request))
	if err != nil {
		return err.Error()
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

// TestServeAsAProcess starts the server as an operator does, and stops it with
// SIGTERM.
func TestServeAsAProcess(t *testing.T) {
	dir := t.TempDir()
	bin := program(t)
	repo := filepath.Join(dir, "shop", "feature_repo")
	for _, args := range [][]string{
		{"init", filepath.Join(dir, "shop")},
		{"-c", repo, "apply"},
		{"-c", repo, "materialize", "2023-01-01", "2025-01-01"},
		{"-c", repo, "get-historical-features", "--entity-df", filepath.Join(repo, "data", "loans.parquet"), "--feature-service", "credit_model", "-o", filepath.Join(dir, "training.parquet")},
	} {
		if out, err := exec.CommandContext(t.Context(), bin, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", args, out)
		}
	}
	cmd, at := startServing(t, repo)
	if body := online(t, at.HTTP, `{"feature_service":"credit_model","entities":{"zipcode":[76104],"dob_ssn":["19530219_5179"]}}`); !strings.Contains(body, "FORT WORTH") {
		t.Error(body)
	}
	if out, err := exec.CommandContext(t.Context(), bin, "healthcheck", "--url", "http://"+at.Admin+"/readyz").CombinedOutput(); err != nil {
		t.Errorf("healthcheck: %s", out)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(15 * time.Second):
		t.Fatal("the server did not stop")
	}
	if out, err := exec.CommandContext(t.Context(), bin, "healthcheck", "--url", "http://"+at.Admin+"/readyz").CombinedOutput(); err == nil {
		t.Errorf("healthcheck of a stopped server: %s", out)
	}
}

// TestMaterializeIsKilled kills runs repeatedly: the registry stays readable and
// a last run completes.
func TestMaterializeIsKilled(t *testing.T) {
	dir := t.TempDir()
	bin := program(t)
	repo := filepath.Join(dir, "shop", "feature_repo")
	for _, args := range [][]string{{"init", filepath.Join(dir, "shop")}, {"-c", repo, "apply"}} {
		if out, err := exec.CommandContext(t.Context(), bin, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", args, out)
		}
	}
	for _, after := range []time.Duration{20, 40, 60, 80, 100, 130, 160, 200} {
		cmd := exec.CommandContext(t.Context(), bin, "-c", repo, "materialize", "2023-01-01", "2025-01-01")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		<-time.After(after * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if out, err := exec.CommandContext(t.Context(), bin, "-c", repo, "feature-views", "list").CombinedOutput(); err != nil || !strings.Contains(string(out), "zipcode_features") {
			t.Fatalf("killed after %d ms: %v %s", after, err, out)
		}
	}
	if out, err := exec.CommandContext(t.Context(), bin, "-c", repo, "materialize", "2023-01-01", "2025-01-01").CombinedOutput(); err != nil {
		t.Fatal(string(out))
	}
	out, err := exec.CommandContext(t.Context(), bin, "-c", repo, "get-online-features", "-e", "zipcode=76104", "-f", "zipcode_features:city").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "FORT WORTH") {
		t.Errorf("%v %s", err, out)
	}
}
