package feastpy

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/banquet-fs/banquet/fault"
)

//go:embed read.py
var script []byte

// grace is how long output is still read after Python has ended: a process that
// it started may hold the output open.
const grace = time.Second

// process is one run of the script.
type process struct {
	program, root, dir string
	opt                Options
}

// run runs the script and returns the file that it writes.
func (p *process) run(ctx context.Context) ([]byte, error) {
	file := filepath.Join(p.dir, "banquet_read.py")
	if err := os.WriteFile(file, script, 0o600); err != nil {
		return nil, fault.New(fault.Unavailable, "%s cannot be written", file).Because(err)
	}
	out := &output{to: p.opt.Output}
	answer := filepath.Join(p.dir, "answer")
	cmd := exec.CommandContext(ctx, p.program, file, answer, p.root)
	cmd.Dir, cmd.Env, cmd.WaitDelay = p.root, p.environment(), grace
	cmd.Stdout, cmd.Stderr = out, out
	ownGroup(cmd)
	err := cmd.Run()
	if ctx.Err() != nil {
		return nil, fault.Of(ctx.Err())
	}
	b, missing := readAnswer(answer)
	if missing == nil {
		return b, nil
	}
	if !errors.Is(missing, os.ErrNotExist) {
		return nil, fault.New(fault.Unavailable, "the answer of %s cannot be read", p.program).Because(missing)
	}
	return nil, p.silent(cmd, err, out.last())
}

// environment is the user's. Text hashes are fixed, so that iterating over a set
// gives the same order in each run.
func (p *process) environment() []string {
	env := p.opt.Env
	if env == nil {
		env = os.Environ()
	}
	env = slices.Clone(env)
	for _, set := range []string{"PYTHONHASHSEED=0", "FEAST_USAGE=False"} {
		name := set[:strings.IndexByte(set, '=')+1]
		if !slices.ContainsFunc(env, func(e string) bool { return strings.HasPrefix(e, name) }) {
			env = append(env, set)
		}
	}
	return env
}

func readAnswer(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxAnswer+1))
	if err == nil && len(b) > maxAnswer {
		err = fmt.Errorf("it has more than %d bytes", maxAnswer)
	}
	return b, err
}

// silent is the error of a Python that ended without an answer: it could not be
// started, crashed, or was ended by the repository's code.
func (p *process) silent(cmd *exec.Cmd, err error, tail string) error {
	if cmd.ProcessState == nil {
		return fault.New(fault.Invalid, "%s cannot be run: %s; name another program: --python=/path/to/venv/bin/python", p.program, reason(err)).Because(err)
	}
	t := &trouble{}
	if m := regexp.MustCompile(`(?m)^\s*File "` + regexp.QuoteMeta(resolved(p.root)+string(filepath.Separator)) + `([^"\n]+)", line (\d{1,9})`).FindStringSubmatch(tail); m != nil {
		t.File = m[1]
		_, _ = fmt.Sscan(m[2], &t.Line)
	}
	how := cmd.ProcessState.String() // "exit status 3", "signal: killed"
	if state, ok := strings.CutPrefix(how, "signal: "); ok {
		how = "by signal: " + state
	} else {
		how = "with " + how
	}
	text := fmt.Sprintf("%s ended %s before the repository was read", p.program, how)
	if line := lastLine(tail); line != "" {
		text += "; it last said: " + clean(line, 200)
	}
	return t.at("%s", text)
}

func reason(err error) string {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

func resolved(path string) string {
	if r, err := filepath.EvalSymlinks(path); err == nil {
		return r
	}
	return path
}

// lastLine is Python's message about a crash, or the last printed line.
func lastLine(text string) string {
	last := ""
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "Fatal Python error") {
			return line
		}
		if line != "" {
			last = line
		}
	}
	return last
}

// tailSize is how much of the output is kept for an error.
const tailSize = 16 << 10

// output forwards what is printed and keeps the end of it.
type output struct {
	mu   sync.Mutex
	to   io.Writer
	tail []byte
}

// Write always succeeds: the repository's code must not fail because nobody reads
// its output.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.to != nil {
		_, _ = o.to.Write(b)
	}
	o.tail = append(o.tail, b...)
	if n := len(o.tail); n > tailSize {
		o.tail = append(o.tail[:0], o.tail[n-tailSize:]...)
	}
	return len(b), nil
}

func (o *output) last() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.tail)
}
