package encode_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// TestTextIsPostgreSQLs compares the types of PostgreSQL that Feast cannot read
// with what the server itself prints, alone and in arrays.
func TestTextIsPostgreSQLs(t *testing.T) {
	from := reader(t, "postgres")
	compared := 0
	for _, c := range columns(t, "postgres") {
		if c.Source == "price[]" { // numbers, as numeric[] is
			continue
		}
		if !strings.Contains(c.Unread, "ValueType.UNKNOWN") && !slices.Contains([]string{"time", "uuid", "json", "jsonb", "time[]", "uuid[]", "json[]", "jsonb[]"}, c.Source) {
			continue
		}
		kind, output := types.ValueType_STRING, "CASE WHEN x IS DISTINCT FROM NULL THEN format('%%s', x) END"
		if strings.HasSuffix(c.Source, "[]") {
			// Element by element: an array of records would be taken apart by unnest.
			kind, output = types.ValueType_STRING_LIST, "CASE WHEN x IS DISTINCT FROM NULL THEN ARRAY(SELECT CASE WHEN x[i] IS DISTINCT FROM NULL THEN format('%%s', x[i]) END FROM generate_subscripts(x, 1) i ORDER BY i) END"
		}
		printed := c
		printed.Case += " as text"
		printed.Query = fmt.Sprintf("SELECT k, "+output+" AS x, ts FROM (%s) AS q", c.Query)
		want, got := stringsOf(t, printed, kind, from), stringsOf(t, c, kind, from)
		if !slices.Equal(got, want) {
			t.Errorf("%s (%s) is %q, PostgreSQL prints %q", c.Source, c.Case, got, want)
		}
		compared++
	}
	if compared < 200 {
		t.Errorf("only %d columns compared", compared)
	}
}

func stringsOf(t *testing.T, c column, kind types.ValueType_Enum, from read) []string {
	t.Helper()
	rows, err := from(c, kind)
	if err != nil {
		return []string{"refused: " + err.Error()}
	}
	var out []string
	for _, cell := range encoded(t, "features", c, kind, rows) {
		switch {
		case cell.err != nil:
			out = append(out, "refused: "+cell.err.Error())
		default:
			out = append(out, readable(cell.bytes))
		}
	}
	return out
}
