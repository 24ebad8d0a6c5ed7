package transform

import (
	"fmt"
	"strings"
)

// String shows the program for people: its mode, what it reads and makes, and the
// text of the function without decorators.
func (p *Program) String() string {
	var b strings.Builder
	modes := map[mode]string{pandasMode: "pandas", pythonMode: "python", singletonMode: "python, one row at a time", expressionMode: "CEL"}
	if at, _ := p.Remote(); at != "" {
		modes[remoteMode] = "computed by the transformation service at " + at
	}
	fmt.Fprintf(&b, "on-demand feature view %s (%s)\n", p.view, modes[p.mode])
	for i, in := range p.inputs {
		from := in.View
		switch {
		case in.Request:
			from = "request data"
		case from == "":
			from = "join key"
		}
		fmt.Fprintf(&b, "  reads %s %s (%s)\n", strings.Join(p.names[i], ", "), in.Type, from)
	}
	for _, o := range p.outputs {
		fmt.Fprintf(&b, "  makes %s %s\n", o.Name, o.Type)
	}
	for _, x := range p.exprs {
		b.WriteString("  | " + x.Feature + " = " + strings.ReplaceAll(strings.TrimSpace(x.Text), "\n", "\n  |   ") + "\n")
	}
	if p.mode == expressionMode {
		return b.String()
	}
	at := 0
	if p.start < len(p.file.Source) {
		at = p.start
	}
	for line := range strings.Lines(strings.TrimRight(p.file.Source[at:], "\n ") + "\n") {
		b.WriteString("  | " + line)
	}
	return b.String()
}
