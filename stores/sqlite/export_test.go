package sqlite

import "context"

// Pragma asks the connection that writes for a setting.
func (s *Store) Pragma(ctx context.Context, name string) (value string, err error) {
	err = s.write.QueryRowContext(ctx, "PRAGMA "+name).Scan(&value)
	return value, err
}
