package config_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/banquet-fs/banquet/config"
)

var update = flag.Bool("update", false, "write docs/configuration.md") //nolint:gochecknoglobals // a flag of the test

// The tables of docs/configuration.md stand between a comment with the titles of their
// sections and the comment "end". Every section has a table.
func TestDocumentation(t *testing.T) {
	path := filepath.Join("..", "docs", "configuration.md")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]config.Section{}
	for _, s := range config.Sections(new(config.Config)) {
		if sections[s.Title()] = s; len(s.Keys) == 0 {
			delete(sections, s.Title())
		}
	}
	want := regexp.MustCompile(`(?s)<!-- keys of ([^>]*) -->\n.*?<!-- end -->`).ReplaceAllStringFunc(string(b), func(block string) string {
		head, _, _ := strings.Cut(block, "\n")
		titles := strings.Split(strings.TrimSuffix(strings.TrimPrefix(head, "<!-- keys of "), " -->"), ", ")
		text := head + "\n\n| key | value | default | used | meaning |\n| --- | --- | --- | --- | --- |\n"
		for _, title := range titles {
			title = strings.TrimSuffix(strings.Replace(title, "the top", "", 1), " ")
			s, ok := sections[title]
			if !ok {
				t.Errorf("there is no section %q, or it is documented twice", title)
			}
			delete(sections, title)
			for _, k := range s.Keys {
				text += row(title, k)
			}
		}
		return text + "\n<!-- end -->"
	})
	for title := range sections {
		t.Errorf("docs/configuration.md lacks the section %q", title)
	}
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(b)); diff != "" {
		t.Errorf("docs/configuration.md is not what the sections say; go test ./config -run TestDocumentation -update writes it:\n%s", diff)
	}
}

func row(section string, k config.Key) string {
	name := k.Name
	if section != "" {
		name = section + "." + name
	}
	used := "no"
	if k.Used {
		used = "yes"
	}
	value := string(k.Kind)
	if k.Unit != "" {
		value += ", " + k.Unit
	}
	if len(k.Choices) > 0 {
		value = "`" + strings.Join(k.Choices, "`, `") + "`"
	}
	def := k.Shown
	switch {
	case def != "":
	case k.Default == "":
		def = "none"
	case k.Kind == config.Integer:
		def = thousands(k.Default)
	default:
		def = "`" + k.Default + "`"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s | %s |\n", name, value, def, used, k.Doc)
}

// thousands separates the digits of a number.
func thousands(digits string) string {
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
