package parquet

import (
	"bytes"
	"io"
	"strings"
)

// encoding/csv makes LF of each CR LF, those within quotes, too, where they are
// part of the cell. So these are read as a byte that UTF-8 does not have, and are
// put back in the cells; that byte itself becomes another that is refused likewise.
const (
	heldReturn = 0xff
	otherByte  = 0xfe
)

// returns holds the CRs within quotes.
type returns struct {
	r      io.Reader
	quoted bool // there is an odd number of quotes so far
}

func (h *returns) Read(b []byte) (int, error) {
	n, err := h.r.Read(b)
	h.hold(b[:n])
	return n, err
}

func (h *returns) hold(b []byte) {
	if bytes.IndexByte(b, '\r') < 0 && bytes.IndexByte(b, heldReturn) < 0 {
		if bytes.Count(b, []byte{'"'})%2 == 1 {
			h.quoted = !h.quoted
		}
		return
	}
	for i, c := range b {
		switch {
		case c == '"':
			h.quoted = !h.quoted
		case c == heldReturn:
			b[i] = otherByte
		case c == '\r' && h.quoted:
			b[i] = heldReturn
		}
	}
}

// putBack gives a cell its CRs.
func putBack(cell string) string {
	if strings.IndexByte(cell, heldReturn) < 0 {
		return cell
	}
	return string(bytes.ReplaceAll([]byte(cell), []byte{heldReturn}, []byte{'\r'}))
}
