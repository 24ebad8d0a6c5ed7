package feastpy_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/definitions/feastpy"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// answer builds the script's output.
func answer(t testing.TB, header map[string]any, reg *core.Registry) []byte {
	t.Helper()
	head, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	body, err := proto.Marshal(reg)
	if err != nil {
		t.Fatal(err)
	}
	b := binary.BigEndian.AppendUint32([]byte("banquet-definitions-1\n"), uint32(len(head)))
	return append(append(b, head...), body...)
}

// fake is a shell script in place of Python; $script, $answer and $root are
// Python's arguments, and $canned is an answer.
func fake(t *testing.T, text string, canned []byte) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "canned")
	if err := os.WriteFile(file, canned, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "python")
	head := "#!/bin/sh\nscript=$1 answer=$2 root=$3 canned='" + file + "'\n"
	if err := os.WriteFile(program, []byte(head+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return program
}

func definitionsOf(name string) *core.Registry {
	at := timestamppb.New(time.Unix(1, 0))
	return &core.Registry{
		Projects:    []*core.Project{{Spec: &core.ProjectSpec{Name: name}, Meta: &core.ProjectMeta{CreatedTimestamp: at}}},
		Entities:    []*core.Entity{{Spec: &core.EntitySpecV2{Name: "e", JoinKey: "e"}, Meta: &core.EntityMeta{CreatedTimestamp: at}}},
		DataSources: []*core.DataSource{{Name: "s", DataSourceClassType: "a.B"}},
	}
}

// The definitions equal what Feast's classes give, without times.
func TestReadGivesTheDefinitions(t *testing.T) {
	program := fake(t, `cp "$canned" "$answer"`, answer(t, map[string]any{"python": "3.11.2", "feast": "0.66.0"}, definitionsOf("p")))
	got, err := feastpy.Read(t.Context(), t.TempDir(), feastpy.Options{Program: program, Project: "p"})
	if err != nil {
		t.Fatal(err)
	}
	want := definitionsOf("p")
	want.Projects[0].Meta, want.Entities[0].Meta = nil, nil
	o := got.Repo.Objects
	if diff := cmp.Diff(want, &core.Registry{Projects: []*core.Project{o.Project}, Entities: o.Entities, DataSources: o.DataSources}, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if got.Python != "3.11.2" || got.Feast != "0.66.0" || got.Program != program || len(got.Repo.Notes) != 0 {
		t.Errorf("%+v", got)
	}
}

// Python runs in the repository, with the user's environment and an empty
// standard input; what it prints is forwarded and is not part of the answer.
func TestReadRunsPythonAsFeastsProgramRuns(t *testing.T) {
	root := t.TempDir()
	program := fake(t, `cat; echo "$PWD|$root|$MINE|$PYTHONHASHSEED|$FEAST_USAGE"; echo loud >&2; test -s "$script" && cp "$canned" "$answer"`,
		answer(t, map[string]any{}, definitionsOf("p")))
	var out bytes.Buffer
	env := []string{"PATH=" + os.Getenv("PATH"), "MINE=1", "FEAST_USAGE=True"}
	if _, err := feastpy.Read(t.Context(), root, feastpy.Options{Program: program, Output: &out, Env: env}); err != nil {
		t.Fatal(err)
	}
	if want := root + "|" + root + "|1|0|True\nloud\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestReadRefuses(t *testing.T) {
	two := definitionsOf("p")
	two.Projects = append(two.Projects, definitionsOf("q").Projects...)
	at := map[string]any{"file": "a.py", "line": 2, "column": 5, "source": "\tx = f()\x1b[31m"}
	with := func(header map[string]any) []byte {
		for k, v := range at {
			if _, ok := header[k]; !ok {
				header[k] = v
			}
		}
		return answer(t, map[string]any{"feast": "0.10", "error": header}, nil)
	}
	const copied = `cp "$canned" "$answer"`
	for _, c := range []struct {
		name, script string
		canned       []byte
		want         string
	}{
		{"another project", copied, answer(t, map[string]any{}, definitionsOf("q")), "the repository defines project q, feature_store.yaml says project: p; make them the same"},
		{"two projects", copied, answer(t, map[string]any{}, two), "the repository defines 2 Project objects (p, q, …); one is allowed"},
		{"no Feast", copied, with(map[string]any{"kind": "missing"}), "PROGRAM has no Feast; install it there with `PROGRAM -m pip install feast`, or name another program: --python=/path/to/venv/bin/python"},
		{"a broken Feast", copied, with(map[string]any{"kind": "broken", "type": "ImportError", "message": "no pandas"}), "PROGRAM cannot import feast: ImportError: no pandas; repair that installation, or name another program: --python=/path/to/venv/bin/python"},
		{"an old Feast", copied, with(map[string]any{"kind": "unknown", "type": "ImportError", "message": "m"}), "Feast 0.10 in PROGRAM has no parse_repo that banquet knows (ImportError: m); install Feast 0.67 there"},
		{"a later Feast", copied, with(map[string]any{"kind": "kinds", "message": "recipes"}), "Feast 0.10 in PROGRAM gives recipes, which banquet does not know; use Feast 0.67"},
		{"an exception", copied, with(map[string]any{"kind": "code", "type": "E", "message": "two\nlines \x1b[31m"}), "a.py:2:5: E: two lines [31m\n    \tx = f()[31m\n    \t   ^"},
		{"an exception without a text", copied, with(map[string]any{"kind": "code", "type": "E", "column": 0}), "a.py:2: E\n    \tx = f()[31m"},
		{"a module that is not there", copied, with(map[string]any{"kind": "code", "type": "ModuleNotFoundError", "message": "No module named 'm'", "source": ""}), "a.py:2:5: ModuleNotFoundError: No module named 'm'; install it for PROGRAM"},
		{"Feast's own exception", copied, with(map[string]any{"kind": "code", "type": "AssertionError", "file": "a.py", "line": 0, "column": 0, "source": "", "bound": "v"}), "a.py: Feast cannot read what v is bound to: AssertionError"},
		{"an exception from nowhere", copied, with(map[string]any{"kind": "code", "type": "E", "file": ""}), "Feast cannot read the repository: E"},
		{"sys.exit", copied, with(map[string]any{"kind": "exit", "type": "SystemExit", "message": "3"}), "a.py:2:5: the file ends the program with sys.exit(3)\n    \tx = f()[31m\n    \t   ^"},
		{"an object", copied, with(map[string]any{"kind": "object", "type": "ValueError", "message": "no", "object": "FeatureView v", "line": 0, "column": 0, "source": ""}), "a.py: Feast refuses FeatureView v: ValueError: no"},
		{"one name for two", copied, with(map[string]any{"kind": "twice", "object": "FeatureView v", "message": "v in a.py and as w in b.py", "line": 0, "column": 0, "source": ""}), "a.py: FeatureView v is defined twice, as v in a.py and as w in b.py; use one object for both or give one another name"},
		{"a long line", copied, with(map[string]any{"kind": "code", "type": "E", "column": 101, "source": strings.Repeat("x", 100) + strings.Repeat("y", 100)}), "a.py:2:101: E\n    …" + strings.Repeat("x", 80) + strings.Repeat("y", 80) + "…\n    " + strings.Repeat(" ", 81) + "^"},
		{"an end without an answer", `echo noise; echo "last word" >&2; exit 3`, nil, "PROGRAM ended with exit status 3 before the repository was read; it last said: last word"},
		{"an end without a word", `exit 0`, nil, "PROGRAM ended with exit status 0 before the repository was read"},
		{"a crash", `printf 'Fatal Python error: Segmentation fault\n\n  File "/usr/lib/x.py", line 1 in f\n  File "%s/lib/a.py", line 7 in g\n  File "%s/b.py", line 8 in h\n' "$root" "$root" >&2; kill -SEGV $$`, nil, "lib/a.py:7: PROGRAM ended by signal: segmentation fault before the repository was read; it last said: Fatal Python error: Segmentation fault"},
	} {
		t.Run(c.name, func(t *testing.T) {
			program := fake(t, c.script, c.canned)
			root, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			_, err = feastpy.Read(t.Context(), root, feastpy.Options{Program: program, Project: "p"})
			if fault.KindOf(err) != fault.Invalid {
				t.Fatalf("the fault is %v", err)
			}
			got := strings.ReplaceAll(strings.Replace(err.Error(), " (core dumped)", "", 1), program, "PROGRAM")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A damaged answer is an internal fault, never half of the definitions.
func TestReadTrustsNoDamagedAnswer(t *testing.T) {
	whole := answer(t, map[string]any{}, definitionsOf("p"))
	for _, b := range [][]byte{{}, whole[:len(whole)-1], whole[5:], whole[:30], append([]byte("x"), whole...)} {
		_, err := feastpy.Read(t.Context(), t.TempDir(), feastpy.Options{Program: fake(t, `cp "$canned" "$answer"`, b)})
		if err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("%q: %v", b, err)
		}
	}
}

// When the context ends, Python and all processes that it started end at once.
func TestReadEndsWithItsContext(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	program := fake(t, `sleep 600 & echo $! >"`+pid+`.part"; mv "`+pid+`.part" "`+pid+`"; wait`, nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := feastpy.Read(ctx, t.TempDir(), feastpy.Options{Program: program})
		done <- err
	}()
	child := 0
	eventually(t, "Python starts", func() bool {
		b, err := os.ReadFile(pid)
		child, _ = strconv.Atoi(strings.TrimSpace(string(b)))
		return err == nil
	})
	cancel()
	select {
	case err := <-done:
		if fault.KindOf(err) != fault.Canceled || !errors.Is(err, context.Canceled) {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it did not end")
	}
	eventually(t, "what Python has started ends", func() bool { return ended(child) })
}

// A process that Python started and that still runs does not delay the result.
func TestReadDoesNotWaitForOthers(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	program := fake(t, `sleep 600 & echo $! >"`+pid+`"; cp "$canned" "$answer"`, answer(t, map[string]any{}, definitionsOf("p")))
	began := time.Now()
	if _, err := feastpy.Read(t.Context(), t.TempDir(), feastpy.Options{Program: program}); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 60*time.Second {
		t.Errorf("it took %s", took)
	}
	b, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	child, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	if ended(child) {
		t.Error("a process that Python started was killed although the read succeeded")
	}
	_ = syscall.Kill(child, syscall.SIGKILL)
}

// ended reports whether a process is gone or a zombie.
func ended(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return syscall.Kill(pid, 0) != nil
	}
	_, state, _ := strings.Cut(string(b), ") ")
	return strings.HasPrefix(state, "Z")
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 1000 {
		if is() {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	t.Fatal(what + ": this did not happen")
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	const remedy = "; name one that has Feast: --python=/path/to/venv/bin/python"
	wrong := func(program, want string) {
		t.Helper()
		if _, err := feastpy.Find(program); err == nil || err.Error() != want || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v, want %s", program, err, want)
		}
	}
	right := func(program, want string) {
		t.Helper()
		if got, err := feastpy.Find(program); err != nil || got != want {
			t.Errorf("%q: %s, %v, want %s", program, got, err, want)
		}
	}
	wrong("", "neither python3 nor python is in PATH"+remedy)
	wrong("python4", "no program python4 is in PATH"+remedy)
	wrong(dir, dir+" is not a program"+remedy)
	wrong(dir+"/python", dir+"/python is not a program"+remedy)
	for _, name := range []string{"python", "python3"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		right("", filepath.Join(dir, name))
	}
	right("python", filepath.Join(dir, "python"))
	right(dir+"/python", dir+"/python")
}

// A file that is executable but not a program.
func TestReadOfNoProgram(t *testing.T) {
	program := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(program, []byte{0x7f, 'E', 'L', 'F'}, 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := feastpy.Read(t.Context(), t.TempDir(), feastpy.Options{Program: program})
	if err == nil || !strings.HasPrefix(err.Error(), program+" cannot be run: exec format error; name another program: ") {
		t.Error(err)
	}
}
