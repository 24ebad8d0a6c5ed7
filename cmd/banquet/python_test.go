package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/gen/feast/core"
)

const (
	oneEntity = "from feast import Entity\ne = Entity(name=\"e\", description=\"d\")\n"
	noDriver  = "from feast import Entity\ne = Entity(name=\"e\", join_keys=[\"a\", \"b\"])\n"
)

// repositoryOf creates a repository of one file, with extra lines in its
// configuration.
func repositoryOf(t *testing.T, source, yaml string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"features.py":        source,
		"feature_store.yaml": "project: p\nregistry: registry.db\nprovider: local\nentity_key_serialization_version: 3\n" + yaml,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// fakePython writes a program that prints a line and returns one entity.
func fakePython(t *testing.T, path, entity string) {
	t.Helper()
	body, err := proto.Marshal(&core.Registry{Entities: []*core.Entity{{Spec: &core.EntitySpecV2{Name: entity, JoinKey: entity, Description: "d"}}}})
	if err != nil {
		t.Fatal(err)
	}
	answer := append(binary.BigEndian.AppendUint32([]byte("banquet-definitions-1\n"), 2), append([]byte("{}"), body...)...)
	canned := filepath.Join(t.TempDir(), "canned")
	if err := os.WriteFile(canned, answer, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho the repository prints\ncp '"+canned+"' \"$2\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// Which reader is used: each Python has an entity of its own, the file has e.
func TestTheReaderIsChosen(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	fakePython(t, filepath.Join(bin, "python3"), "any")
	fakePython(t, filepath.Join(bin, "other"), "other")
	for _, c := range []struct{ name, yaml, flag, want string }{
		{"no setting", "", "", "e"},
		{"the flag", "", "--python", "any"},
		{"a name in the flag", "", "--python=other", "other"},
		{"the file", "true", "", "any"},
		{"a name in the file", "other", "", "other"},
		{"a path in the file is relative to the repository", "venv/bin/python", "", "own"},
		{"the flag overrides the file", "other", "--python", "any"},
		{"the flag says no", "other", "--python=no", "e"},
		{"the file says no", "no", "", "e"},
	} {
		t.Run(c.name, func(t *testing.T) {
			yaml := ""
			if c.yaml != "" {
				yaml = "banquet:\n  definitions:\n    python: " + c.yaml + "\n"
			}
			dir := repositoryOf(t, oneEntity, yaml)
			fakePython(t, filepath.Join(dir, "venv", "bin", "python"), "own")
			args := []string{"-c", dir, "plan"}
			if c.flag != "" {
				args = append(args, c.flag)
			}
			code, out, errText := command(t, nil, args...)
			if code != 0 || !strings.Contains(out, "Created entity "+c.want+"\n") || errText != "" {
				t.Errorf("exit %d, %q, %q", code, out, errText)
			}
		})
	}
}

// A path in the flag is relative to the working directory.
func TestAPathOfTheFlag(t *testing.T) {
	dir := repositoryOf(t, oneEntity, "")
	here := t.TempDir()
	t.Chdir(here)
	fakePython(t, filepath.Join(here, "venv", "bin", "python"), "here")
	code, out, errText := command(t, nil, "-c", dir, "apply", "--python=venv/bin/python", "-v")
	if code != 0 || !strings.Contains(out, "Created entity here\n") || strings.Contains(out, "prints") || errText != "the repository prints\n" {
		t.Errorf("exit %d, %q, %q", code, out, errText)
	}
}

func TestPythonIsMisused(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"plan", "--python", "/usr/bin/python3"}, 2, `unexpected argument "/usr/bin/python3"; give the program of --python with =: --python=/usr/bin/python3`},
		{[]string{"apply", "--python="}, 2, "want --python, --python=PROGRAM or --python=no"},
		{[]string{"validate", "--python=python-that-is-not-there"}, 1, "no program python-that-is-not-there is in PATH; name one that has Feast: --python=/path/to/venv/bin/python"},
	} {
		code, _, errText := command(t, nil, append([]string{"-c", repositoryOf(t, oneEntity, "")}, c.args...)...)
		if code != c.code || !strings.Contains(errText, c.want) {
			t.Errorf("%v: exit %d, %q", c.args, code, errText)
		}
	}
}

// A refusal of the native reader ends with the alternative, and is short.
func TestARefusalNamesTheOtherReader(t *testing.T) {
	for _, verb := range []string{"apply", "plan", "validate"} {
		code, _, errText := command(t, nil, "-c", repositoryOf(t, noDriver, ""), verb)
		if code != 1 || !strings.Contains(errText, "features.py:2:") || !strings.HasSuffix(errText, "  Or read the repository with Python: banquet apply --python\n") || strings.Count(errText, "\n") > 6 {
			t.Errorf("%s: exit %d\n%s", verb, code, errText)
		}
	}
}

func TestValidateComparesTheReaders(t *testing.T) {
	python := filepath.Join(t.TempDir(), "python")
	for _, c := range []struct {
		name, entity, source string
		code                 int
		want                 string
	}{
		{"the same", "e", oneEntity, 0, "readers: Python and the native reader agree\n"},
		{"a field", "e", strings.Replace(oneEntity, `"d"`, `"f"`, 1), 1, "readers: entity e, spec.description: Python gives \"d\", the native reader \"f\"\n"},
		{"another entity", "f", oneEntity, 1, "readers: entity e: Python gives not defined, the native reader defined\n"},
		{"a refusal", "e", noDriver, 0, "readers: the native reader cannot read the repository; Python is needed: features.py:2:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fakePython(t, python, c.entity)
			code, out, errText := command(t, nil, "-c", repositoryOf(t, c.source, ""), "validate", "--python="+python)
			if code != c.code || !strings.Contains(out+errText, c.want) {
				t.Errorf("exit %d, %q, %q", code, out, errText)
			}
		})
	}
}
