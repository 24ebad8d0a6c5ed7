package offline

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// row is the result of one contender in one case.
type row struct {
	experiment, contender string
	rows                  int
	cost
	checked string
	err     error
}

// median is the row with the median of the times, or the first failed one.
func median(rows []row) row {
	if i := slices.IndexFunc(rows, func(r row) bool { return r.err != nil }); i >= 0 {
		return rows[i]
	}
	slices.SortFunc(rows, func(a, b row) int { return int(a.wall - b.wall) })
	return rows[(len(rows)-1)/2]
}

const columns = "%-11s %-12s %8s %9s %8s %8s %8s %8s  %s\n"

func head(w io.Writer) {
	fmt.Fprintf(w, columns, "case", "contender", "wall s", "rows/s", "CPU s", "PG CPU s", "peak MB", "x floor", "result")
}

func foot(w io.Writer) {
	fmt.Fprint(w, `
wall, CPU: of the whole process, from its start. PG CPU: of all processes of PostgreSQL. peak: resident memory.
x floor: the wall time beside the floor's in the same case. result: what was compared with the data.
`)
}

func (r row) print(w io.Writer, floor float64) {
	beside, result := "", r.checked
	if floor > 0 {
		beside = fmt.Sprintf("%.2f", r.wall.Seconds()/floor)
	}
	if r.err != nil {
		beside, result = "", "FAILED: "+r.err.Error()
	}
	fmt.Fprintf(w, columns, r.experiment, r.contender, fmt.Sprintf("%.2f", r.wall.Seconds()), fmt.Sprintf("%.0f", float64(r.rows)*float64(time.Second)/float64(r.wall)),
		fmt.Sprintf("%.2f", r.cpu), fmt.Sprintf("%.2f", r.pg), fmt.Sprintf("%.0f", r.peak), beside, result)
}
