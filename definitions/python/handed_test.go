package python_test

import (
	"strings"
	"testing"
)

// A call that is not run must not be given anything that could change values of
// the file.
func TestWhatChangesValuesIsNotHandedOut(t *testing.T) {
	const head = "import functools\nimport pandas as pd\nlog = []\nd = {}\nclass C:\n    def __call__(self, x): log.append(x)\ns = pd.Series([1])\n"
	for _, line := range []string{
		"s.map(log.append)", "s.map(d.setdefault)", "s.map(functools.partial(log.append))", "s.map(C())", "s.pipe([log.append])",
		"s.pipe(f=log.append)", "s.pipe({'k': lambda x: log.append(x)})", "log.extend(*s)",
	} {
		if m, _, err := read(head + line + "\n"); err == nil {
			t.Errorf("%s is read: %v", line, m.Names["log"])
		}
	}
	for _, line := range []string{"s.map(d.get)", "s.map('a'.upper)", "s.map(lambda x: x + 1)", "s.map(functools.partial(max, 1))"} {
		if _, run, err := read(head + line + "\n"); err != nil || !strings.Contains(strings.Join(run.Passed(), "\n"), "map() is not run") {
			t.Errorf("%s: %v, passed %v", line, err, run.Passed())
		}
	}
}
