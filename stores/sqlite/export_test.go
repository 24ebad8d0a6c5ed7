package sqlite

import (
	"context"
	"time"
)

// Pragma reads a setting of the writing connection.
func (s *Store) Pragma(ctx context.Context, name string) (value string, err error) {
	err = s.write.QueryRowContext(ctx, "PRAGMA "+name).Scan(&value)
	return value, err
}

// Writing returns the stored form of a time, as written in a time zone.
func Writing(zone *time.Location) func(time.Time) any { return clockOf(zone).stored }

// Reading reads stored times in a time zone, from a file with or without the note.
func Reading(zone *time.Location, noted bool) func(stored any) (unix int64, ok bool) {
	c := clockOf(zone)
	c.unix = c.unix || noted
	return c.event
}
