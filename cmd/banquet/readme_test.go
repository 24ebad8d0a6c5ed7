package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// sample is a command of the README and what it prints.
type sample struct{ command, output string }

// samples reads the blocks of a README that show commands and their output.
func samples(t *testing.T, file string) []sample {
	t.Helper()
	text := read(t, filepath.Join("..", "..", file))
	var list []sample
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(text, -1) {
		for line := range strings.Lines(block[1]) {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				list = append(list, sample{command: strings.TrimSpace(command)})
				continue
			}
			list[len(list)-1].output += line
		}
	}
	return list
}

// The README in Korean shows the same commands and outputs.
func TestREADMEsShowTheSame(t *testing.T) {
	one, other := samples(t, "README.md"), samples(t, "README.ko.md")
	if len(one) < 15 || len(one) != len(other) {
		t.Fatalf("%d and %d commands", len(one), len(other))
	}
	for i := range one {
		if one[i] != other[i] {
			t.Errorf("%+v\nin Korean:\n%+v", one[i], other[i])
		}
	}
}

// The commands of the README print what it shows, but for numbers and directories. An
// ellipsis stands for any text.
func TestREADME(t *testing.T) {
	list := samples(t, "README.md")
	program(t) // is built here
	t.Chdir(t.TempDir())
	var ports map[string]string
	for _, s := range list {
		var got string
		ok := true
		switch words := strings.Fields(s.command); {
		case s.command == "make test":
			continue
		case words[0] == "cd":
			t.Chdir(words[1])
			continue
		case s.command == "banquet serve":
			dir, err := os.Getwd()
			if err != nil {
				t.Fatal(err)
			}
			cmd, at := startServing(t, dir)
			t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
			ports = map[string]string{"127.0.0.1:6565": at.GRPC, "127.0.0.1:6566": at.HTTP, "127.0.0.1:6567": at.Admin}
			continue
		case words[0] == "curl":
			got = curl(t, s.command, ports)
		default:
			got, ok = ran(t, words)
		}
		if !ok || !shapeOf(s.output).MatchString(shape(got)) {
			t.Errorf("$ %s\n%s\nthe README shows:\n%s", s.command, got, s.output)
		}
	}
}

// ran runs a command of banquet.
func ran(t *testing.T, words []string) (string, bool) {
	t.Helper()
	if strings.Join(words, " ") == "go run ./cmd/banquet demo" {
		words = []string{"banquet", "demo", "--once", "-p", "0", "--grpc-port", "0", "--admin-port", "0"}
	}
	if words[0] != "banquet" {
		return "it is not known how to run this", false
	}
	args := strings.Split(strings.ReplaceAll(strings.Join(words[1:], "\x00"), "$(date\x00-u\x00+%Y-%m-%dT%H:%M:%S)", time.Now().UTC().Format("2006-01-02T15:04:05")), "\x00")
	code, out, errText := command(t, nil, args...)
	return out + errText, code == 0
}

var quoted = regexp.MustCompile(`'([^']*)'|(\S+)`)

// curl sends the request of a command line of curl.
func curl(t *testing.T, line string, ports map[string]string) string {
	t.Helper()
	var words []string
	for _, m := range quoted.FindAllStringSubmatch(line, -1) {
		words = append(words, m[1]+m[2])
	}
	url, body, header := words[1], "", "application/x-www-form-urlencoded" // as curl does
	for rest := words[2:]; len(rest) > 0; rest = rest[2:] {
		switch {
		case len(rest) > 1 && rest[0] == "-d":
			body = rest[1]
		case len(rest) > 1 && rest[0] == "-H" && strings.HasPrefix(rest[1], "Content-Type: "):
			header = strings.TrimPrefix(rest[1], "Content-Type: ")
		default:
			return "it is not known how to run this"
		}
	}
	for shown, at := range ports {
		url = strings.ReplaceAll(url, shown, at)
	}
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", header)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// shape replaces what differs between two runs: numbers, and the directories above a
// repository.
func shape(text string) string {
	text = regexp.MustCompile(`/[\w/.-]*/(my_project|feature_repo)`).ReplaceAllString(text, "/$1")
	text = regexp.MustCompile(`/my_project/feature_repo`).ReplaceAllString(text, "/feature_repo")
	text = regexp.MustCompile(`[0-9]+`).ReplaceAllString(text, "9")
	return regexp.MustCompile(` +`).ReplaceAllString(strings.TrimSpace(text), " ")
}

// shapeOf matches the shapes that a sample allows.
func shapeOf(sample string) *regexp.Regexp {
	text := regexp.QuoteMeta(shape(sample))
	text = strings.ReplaceAll(text, "…", ".*")
	return regexp.MustCompile("(?s)^" + text + "$")
}
