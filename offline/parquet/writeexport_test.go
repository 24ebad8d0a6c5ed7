package parquet

import "io"

// Through lets all that a store writes pass through another writer.
func Through(s *Store, through func(io.Writer) io.Writer) *Store {
	s.through = through
	return s
}

// SmallSlices divides files of a few bytes, too.
func SmallSlices(s *Store, bytes int64) *Store {
	s.sliceBytes = bytes
	return s
}
