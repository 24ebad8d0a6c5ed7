package encode

import "time"

// RowName names a row in messages by what finds it in the source: its join keys
// and its event time.
func (l *Layout) RowName(key []byte, event time.Time) string {
	at := event.UTC().Format(time.RFC3339Nano)
	if l.dummy != nil {
		return "the row at " + at
	}
	return l.key.Text(key) + " at " + at
}
