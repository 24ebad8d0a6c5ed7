package postgres

// SmallBatches makes record batches small, so that few rows make several
// batches.
func SmallBatches(s *Store, rows int) *Store {
	s.batch.rows = rows
	return s
}
