package postgres

// SmallBatches makes record batches small, so that tests of many need few rows.
func SmallBatches(s *Store, rows int) *Store {
	s.batch.rows = rows
	return s
}
