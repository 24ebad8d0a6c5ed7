package encode

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// cellFault names the cell of an error.
func (b *Batch) cellFault(c column, row int, err error) error {
	text := fault.Of(err).Text
	if c.kind == types.ValueType_INVALID {
		text = "it has no value type, since Feast knows none for its type in the source; list it in the view's schema"
	}
	return b.fault(fmt.Sprintf("column %s, row %s", c.name, b.Row(row)), text, err)
}

// rowFault names the row of an error.
func (b *Batch) rowFault(row int, err error) error {
	return b.fault("row "+b.Row(row), fault.Of(err).Text, err)
}

func (b *Batch) fault(place, text string, err error) error {
	v := b.layout.view
	return fault.New(fault.KindOf(err), "feature view %s, %s: %s", v.Name, place, text).
		About("feature view", v.Name, v.Project).Because(err)
}

// Row names a row in messages: by its join keys as the source has them, and its
// event time.
func (b *Batch) Row(row int) string {
	var keys []string
	for _, c := range b.layout.keys {
		a := b.record.Column(c.index)
		cell := "null"
		if a.IsValid(row) {
			cell = shown(a.ValueStr(row))
		}
		keys = append(keys, c.name+"="+cell)
	}
	at := "without an event time"
	if event, ok := b.event(row); ok {
		at = "at " + event.UTC().Format(time.RFC3339Nano)
	}
	return strings.Join(append(keys, at), " ")
}

// shown cuts a long cell and keeps it on one line.
func shown(cell string) string {
	const longest = 60
	if !utf8.ValidString(cell) || strings.ContainsFunc(cell, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		cell = fmt.Sprintf("%q", cell)
	}
	if len(cell) <= longest {
		return cell
	}
	at := longest
	for !utf8.RuneStart(cell[at]) {
		at--
	}
	return cell[:at] + "..."
}
