package similar

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"apply", "plan", "materialize", "materialize-incremental", "entities", "validate"}
	for word, want := range map[string]string{
		"aply": "apply", "appyl": "apply", "materialise": "materialize", "entitys": "entities", "plna": "plan",
		"materialize-incremantal": "materialize-incremental", "x": "", "deploy": "", "": "", "validate": "validate",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("the name nearest to %q is %q, want %q", word, got, want)
		}
	}
	if got := edits("", "abc") + edits("abc", "") + edits("abc", "abc") + edits("ab", "ba"); got != 7 {
		t.Error(got)
	}
}
