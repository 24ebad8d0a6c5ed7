package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
)

// Records keeps small named pieces of data beside a registry: the records of
// runs, and of tables to drop. It is safe for concurrent use, also by several
// processes.
type Records interface {
	// Get returns the data of a name, nil if there is none.
	Get(ctx context.Context, name string) ([]byte, error)
	// Put replaces the data of a name, completely or not at all. When it returns, the
	// data survives a crash. nil removes the name.
	Put(ctx context.Context, name string, data []byte) error
	// List returns the names that have data and begin with a prefix, in order.
	List(ctx context.Context, prefix string) ([]string, error)
}

// partSize bounds a part of a record's name in bytes: a record may be a file, whose
// name has at most 255, and there each sign % takes three.
const partSize = 63

// RecordPart is the name of an object as a part of a record's name. A long one, such as
// one of 8 Korean letters, is replaced by its hash, which no other name looks like.
func RecordPart(name string) string {
	if p := url.PathEscape(name); len(p) <= partSize {
		return p
	}
	h := sha256.Sum256([]byte(name))
	return "%~" + hex.EncodeToString(h[:partSize/2-1])
}
