package registry

import "context"

// Records keeps small named pieces of data beside a registry: the records of
// runs. It is safe for concurrent use, also by several processes.
type Records interface {
	// Get returns the data of a name, nil if there is none.
	Get(ctx context.Context, name string) ([]byte, error)
	// Put replaces the data of a name, completely or not at all. When it returns, the
	// data survives a crash. nil removes the name.
	Put(ctx context.Context, name string, data []byte) error
	// List returns the names that have data and begin with a prefix, in order.
	List(ctx context.Context, prefix string) ([]string, error)
}
