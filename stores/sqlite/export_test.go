package sqlite

import (
	"context"
	"time"
)

// Pragma asks the connection that writes for a setting.
func (s *Store) Pragma(ctx context.Context, name string) (value string, err error) {
	err = s.write.QueryRowContext(ctx, "PRAGMA "+name).Scan(&value)
	return value, err
}

// Writing gives the form that a process in a time zone writes a time in.
func Writing(zone *time.Location) func(time.Time) any { return clockOf(zone).stored }

// Reading reads stored times in a time zone, in a file with or without the note.
func Reading(zone *time.Location, noted bool) func(stored any) (unix int64, ok bool) {
	c := clockOf(zone)
	c.unix = c.unix || noted
	return c.event
}
