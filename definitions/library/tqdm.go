package library

import (
	"fmt"

	"github.com/banquet-fs/banquet/definitions/python"
)

// bar is a tqdm: it iterates over the items without showing a bar.
type bar struct {
	over any
	call *python.Call
	*object
}

// Iterate iterates over the items.
func (b *bar) Iterate() (*python.Iterator, error) { return b.call.Iterator(b.over) }

// Enter returns the bar itself.
func (b *bar) Enter() (any, error) { return b, nil }

// Exit ends the bar.
func (*bar) Exit(error) (bool, error) { return false, nil }

func newBar(c *python.Call, v any) *bar {
	return &bar{v, c, &object{[]string{"tqdm", "Iterable"}, quiet("update", "close", "set_description", "set_postfix", "set_description_str", "set_postfix_str", "refresh", "reset", "clear")}}
}

// tqdmModule is tqdm without the bars.
func tqdmModule(run *python.Interpreter) names {
	tqdm := &python.Builtin{Name: "tqdm", Call: func(c *python.Call) (any, error) {
		v, _ := c.Arg("iterable")
		if len(c.Args) > 0 {
			v = c.Args[0]
		}
		if u, unknown := v.(*python.Unknown); unknown {
			return u, nil
		}
		if v == nil {
			return nil, fmt.Errorf("tqdm() without items is not read; go through the items without it")
		}
		return newBar(c, v), nil
	}, Members: quiet("write")}
	return names{"tqdm": tqdm, "tqdm_notebook": tqdm, "trange": &python.Builtin{Name: "trange", Call: func(c *python.Call) (any, error) {
		numbers, err := c.Apply(run.Builtin("range"), c.Args, nil, nil)
		if err != nil {
			return nil, err
		}
		return newBar(c, numbers), nil
	}}}
}
