// Read reads many feature repositories and Python snippets with the native
// reader, in one process: definitions.py compares the results with Feast and
// CPython.
//
//	go run ./conformance/read cases.json
//
// The results are lines of JSON on standard output, one per case and in the
// order of the cases. A case that panics or does not end has a result, too.
// order of the cases. A case that panics or does not end is answered too.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/banquet-fs/banquet/definitions"
	"github.com/banquet-fs/banquet/definitions/library"
	"github.com/banquet-fs/banquet/definitions/python"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/registry"
)

// patience bounds the time of one case.
const patience = 20 * time.Second

// input is a case: the directory of a repository, or a Python snippet.
type input struct {
	Dir    string            `json:"dir"`
	Source string            `json:"source"`
	Env    map[string]string `json:"env"`
}

// answer is the native reader's result for a case; exactly one of the first
// four fields is set.
type answer struct {
	Objects json.RawMessage `json:"objects,omitempty"`
	// Repr is Python's repr of a snippet's value.
	Repr  string `json:"repr,omitempty"`
	Error string `json:"error,omitempty"`
	// Broken reports a panic or a case that did not end.
	Broken string `json:"broken,omitempty"`
	// Passed lists what was skipped.
	Passed []string `json:"passed,omitempty"`
	Notes  []string `json:"notes,omitempty"`
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "read:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: read cases.json")
	}
	b, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var cases []input
	if err := json.Unmarshal(b, &cases); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	lines := json.NewEncoder(out)
	for _, c := range cases {
		if err := lines.Encode(c.bounded()); err != nil {
			return err
		}
	}
	return nil
}

// bounded returns a result even if the case panics or does not end; a case that
// does not end is left running.
func (in input) bounded() answer {
	done := make(chan answer, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- answer{Broken: fmt.Sprintf("panic: %v\n%s", p, debug.Stack())}
			}
		}()
		done <- in.read()
	}()
	select {
	case a := <-done:
		return a
	case <-time.After(patience):
		return answer{Broken: fmt.Sprintf("it does not end within %v", patience)}
	}
}

func (in input) read() answer {
	if in.Dir == "" {
		return in.piece()
	}
	repo, err := definitions.Load(context.Background(), in.Dir, definitions.Options{Env: in.lookup})
	if err != nil {
		return answer{Error: err.Error()}
	}
	text, err := protojson.Marshal(message(repo.Objects))
	if err != nil {
		return answer{Broken: err.Error()}
	}
	return answer{Objects: text, Passed: repo.Passed, Notes: repo.Notes}
}

func (in input) lookup(name string) (string, bool) {
	v, ok := in.Env[name]
	return v, ok
}

// alone is a host without files.
type alone struct{ library map[string]*python.Module }

// Module returns a module of package library.
func (a *alone) Module(name string) (*python.Module, bool) {
	m, ok := a.library[name]
	return m, ok
}

// Find finds nothing.
func (*alone) Find(string) (*python.File, bool) { return nil, false }

// piece reads a Python snippet, which binds the repr of its value to the name
// __text.
func (in input) piece() answer {
	host := &alone{}
	reader := python.New(context.Background(), host)
	defer reader.Close()
	host.library = library.New(reader, nil, "/repo", in.lookup).Modules
	m, err := reader.Load(&python.File{Name: "program.py", Path: "/repo/program.py", Source: in.Source}, "program")
	if err == nil {
		err = reader.Finish()
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	text, ok := m.Names["__text"].(string)
	if !ok {
		return answer{Error: fmt.Sprintf("its value is unknown: %v", python.Repr(m.Names["__text"]))}
	}
	return answer{Repr: text, Passed: reader.Passed()}
}

// message returns objects in the form in which Feast's are recorded.
func message(o registry.Objects) *core.Registry {
	reg := &core.Registry{
		DataSources: o.DataSources, Entities: o.Entities, FeatureViews: o.FeatureViews, StreamFeatureViews: o.StreamFeatureViews,
		OnDemandFeatureViews: o.OnDemandFeatureViews, LabelViews: o.LabelViews, FeatureServices: o.FeatureServices, Permissions: o.Permissions,
	}
	if o.Project != nil {
		reg.Projects = []*core.Project{o.Project}
	}
	for _, s := range reg.GetFeatureServices() {
		// For features chosen before they are inferred, only the names are
		// known; Feast keeps these beside the message.
		for _, p := range s.GetSpec().GetFeatures() {
			p.FeatureColumns = slices.DeleteFunc(p.GetFeatureColumns(), func(f *core.FeatureSpecV2) bool { return f.GetValueType() == 0 })
		}
		for _, ref := range o.References[s.GetSpec().GetName()] {
			s.Spec.Features = append(s.Spec.Features, &core.FeatureViewProjection{FeatureViewName: ref, ViewType: "reference"})
		}
	}
	for _, v := range reg.GetStreamFeatureViews() { // Feast lists these in any order
		slices.SortFunc(v.GetSpec().GetFeatures(), func(a, b *core.FeatureSpecV2) int { return strings.Compare(a.GetName(), b.GetName()) })
	}
	return reg
}
