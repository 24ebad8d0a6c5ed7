// Package similar finds the name that somebody probably meant.
package similar

// Nearest returns the name that needs the fewest edits to become word, and empty if even
// that one needs more than a third of the word's length, or three. Of equally near
// names it returns the first in order.
func Nearest(word string, names []string) string {
	best, distance := "", min(3, (len(word)+2)/3)+1
	for _, name := range names {
		if n := edits(word, name); n < distance || n == distance && name < best {
			best, distance = name, n
		}
	}
	return best
}

// edits is how many bytes must be inserted, removed, replaced or swapped with the next to
// make b of a.
func edits(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[1] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		older, old, row := rows[0], rows[1], rows[2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(old[j]+1, row[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
		rows = [3][]int{old, row, older}
	}
	return rows[1][len(b)]
}
