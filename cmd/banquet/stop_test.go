package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

// deaf starts a command that writes to a pipe which is full and which nobody reads, so
// that it waits within the operating system, and waits until it does.
func deaf(t *testing.T, args ...string) (cmd *exec.Cmd, errText *bytes.Buffer) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = r.Close(), w.Close() })
	fd := int(w.Fd()) // blocking from here on
	if err := syscall.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = syscall.Write(fd, make([]byte, 4096))
	}
	if err := syscall.SetNonblock(fd, false); err != nil {
		t.Fatal(err)
	}
	cmd, errText = exec.CommandContext(t.Context(), program(t), args...), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = w, errText
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-time.After(300 * time.Millisecond)
	return cmd, errText
}

// A command that the operating system holds is given up soon after the first signal, and
// at once after the second.
func TestACommandThatCannotEnd(t *testing.T) {
	bin, shop := program(t), filepath.Join(t.TempDir(), "shop")
	repo := filepath.Join(shop, "feature_repo")
	for _, args := range [][]string{{"init", shop}, {"-c", repo, "apply"}} {
		if out, err := exec.CommandContext(t.Context(), bin, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	t.Run("one signal", func(t *testing.T) {
		cmd, errText := deaf(t, "-c", repo, "registry-dump")
		began := time.Now()
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if took := time.Since(began); took > busy || cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("%v after %v", cmd.ProcessState, took)
		}
		if text := errText.String(); !strings.HasPrefix(text, "banquet: stopped while waiting for a file, a pipe or a terminal") || strings.Count(text, "\n") != 1 {
			t.Error(text)
		}
	})
	t.Run("two signals at once", func(t *testing.T) { // as timeout(1) sends them
		cmd, errText := deaf(t, "-c", repo, "registry-dump")
		for range 2 {
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Millisecond)
		}
		_ = cmd.Wait()
		if text := errText.String(); cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(text, "banquet: stopped while waiting") {
			t.Errorf("%v: %s", cmd.ProcessState, text)
		}
	})
	t.Run("two signals", func(t *testing.T) {
		cmd, _ := deaf(t, "-c", repo, "registry-dump")
		began := time.Now()
		for range 2 {
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			<-time.After(patience / 4) // signals that come together count as one
		}
		_ = cmd.Wait()
		status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if took := time.Since(began); took > patience || status.Signal() != syscall.SIGTERM {
			t.Errorf("%v after %v", cmd.ProcessState, took)
		}
	})
}

// A server that is stopped waits for the requests that have begun, longer than other
// commands may take.
func TestServeFinishesARequest(t *testing.T) {
	bin, shop := program(t), filepath.Join(t.TempDir(), "shop")
	repo := filepath.Join(shop, "feature_repo")
	for _, args := range [][]string{{"init", shop}, {"-c", repo, "apply"}} {
		if out, err := exec.CommandContext(t.Context(), bin, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	cmd, at := startServing(t, repo)
	var dial net.Dialer
	conn, err := dial.DialContext(t.Context(), "tcp", at.HTTP)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := `{"features":["zipcode_features:city"],"entities":{"zipcode":[76104]}}`
	fmt.Fprintf(conn, "POST /get-online-features HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:20])
	<-time.After(100 * time.Millisecond)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-time.After(patience + 200*time.Millisecond)
	if _, err := io.WriteString(conn, body[20:]); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
		t.Errorf("%v: %s", err, answer)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// A push that waits for standard input ends at once, and leaves no temporary file.
func TestAPushThatWaitsForItsInput(t *testing.T) {
	for name, sent := range map[string]string{"nothing": "", "half a file": "shopper,items,at\n1,2,2024-01-01\n"} {
		t.Run(name, func(t *testing.T) {
			dir := newRepo(t, sqliteRepo, strings.ReplaceAll(oneView, "SOURCE", `FileSource(name="carts_source", path="carts.csv", timestamp_field="at")`))
			if code, _, errText := command(t, nil, "-c", dir, "apply"); code != 0 {
				t.Fatal(errText)
			}
			cmd, temp := exec.CommandContext(t.Context(), program(t), "-c", dir, "push", "--view", "carts", "-"), t.TempDir()
			cmd.Env = append(os.Environ(), "TMPDIR="+temp)
			var errText bytes.Buffer
			cmd.Stderr = &errText
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(in, sent); err != nil {
				t.Fatal(err)
			}
			<-time.After(300 * time.Millisecond)
			began := time.Now()
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if took := time.Since(began); took > patience || cmd.ProcessState.ExitCode() != 1 || errText.String() != "banquet: stopped\n" {
				t.Errorf("%v after %v: %s", cmd.ProcessState, took, errText.String())
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("left are %v, %v", left, err)
			}
		})
	}
}

// A reader that can be stopped gives what the other one gives, and its error.
func TestAReaderThatCanBeStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	long := strings.Repeat("0123456789", 20_000)
	for _, from := range []io.Reader{strings.NewReader(long), iotest.DataErrReader(strings.NewReader(long)), iotest.OneByteReader(strings.NewReader(long[:99]))} {
		b, err := io.ReadAll(&stoppable{ctx: ctx, from: from})
		if err != nil || !strings.HasPrefix(long, string(b)) || len(b) != len(long) && len(b) != 99 {
			t.Errorf("%T: %d bytes, %v", from, len(b), err)
		}
	}
	if _, err := io.ReadAll(&stoppable{ctx: ctx, from: iotest.ErrReader(io.ErrNoProgress)}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a failing reader: %v", err)
	}
	r, w := io.Pipe()
	defer w.Close()
	s := &stoppable{ctx: ctx, from: r}
	go func() {
		_, _ = io.WriteString(w, "first")
		cancel()
	}()
	if b, err := io.ReadAll(s); !errors.Is(err, context.Canceled) || string(b) != "first" && string(b) != "" {
		t.Errorf("%q, %v", b, err)
	}
}
