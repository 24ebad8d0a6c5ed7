// Package registry holds the definitions: projects and their entities, data
// sources, feature views and feature services.
//
// The stored form is Feast's feast.core.Registry message. A Storage stores it. A
// Snapshot is one state of it, checked and compiled for reading. A Holder keeps the
// current snapshot up to date. Apply and RecordMaterialization change the message by
// Feast's rules. Update is the only way to write it.
package registry

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// FeastVersion is the latest release of Feast whose definitions and messages this
// program knows.
const FeastVersion = "0.67"

// SchemaVersion is the registry_schema_version that Feast writes.
const SchemaVersion = "1"

// The dummy entity and its join key, which views without entities use.
const (
	DummyEntity = "__dummy"
	DummyKey    = "__dummy_id"
)

// Revision names one stored state of a registry. Only the storage that made it
// can read it; the empty Revision means that nothing is stored.
type Revision string

// Storage stores a registry, in one piece, as a file does, or in a row for each object
// (see Rows), as a database does. It is safe for concurrent use, also by several
// processes. A context that is done ends a call, and a Save that has not begun then
// changes nothing.
//
// A registry that was loaded or saved is not changed anymore, neither by the caller nor
// by the storage: both may keep it.
type Storage interface {
	// Load returns the stored registry and its revision.
	//
	//   - If nothing is stored, the error is a NotFound fault; if it cannot be reached, it
	//     is an Unavailable fault.
	//   - If the bytes are not a registry, or only a part of one, the error is an
	//     Unavailable fault, and Save must not overwrite them.
	//   - What was saved is loaded, field by field, with unknown fields. Only the order of
	//     the objects of one kind may be another.
	//   - The registry is that of one revision, even if others save at the same time.
	Load(ctx context.Context) (*core.Registry, Revision, error)
	// Save replaces base by next, completely or not at all, and returns the new
	// revision.
	//
	//   - If the stored registry is not base, the error is ErrConflict and nothing
	//     changes. An empty base means that nothing may be stored yet.
	//   - Of several writers with the same base one succeeds.
	//   - If the location is not writable, the error is a Denied fault that says so.
	//   - A storage holds a lock only during a Save, and waits for one only until ctx is
	//     done.
	Save(ctx context.Context, next *core.Registry, base Revision) (Revision, error)
	// Changed reports, without reading the registry, whether it may no longer be rev.
	Changed(ctx context.Context, rev Revision) (bool, error)
	// Writable returns the error with which Save would fail because the location is
	// not writable, as far as that is known without writing. It changes nothing.
	Writable(ctx context.Context) error
}

// ErrConflict is the error of Save when another writer has saved in the meantime.
var ErrConflict = errors.New("another writer has changed the registry")

// ErrNoChange is returned by an edit that has nothing to change: Update then writes
// nothing and succeeds.
var ErrNoChange = errors.New("nothing to change")

const (
	// updateTime is how long Update tries again after conflicts if its context has no
	// deadline.
	updateTime = 30 * time.Second
	// firstPause and longestPause bound the wait before it does. The wait is random, so
	// that writers in conflict do not try again at the same time.
	firstPause, longestPause = 4 * time.Millisecond, 250 * time.Millisecond
)

// Update loads the registry, calls edit to change a copy of it and saves the copy.
// If another writer has saved in the meantime, it starts over after a short wait, until
// its context ends, or for half a minute if that has no deadline. edit should be quick: what it takes, other
// writers may use to be first. A registry that does not exist yet starts empty. Update
// returns the stored registry.
func Update(ctx context.Context, storage Storage, edit func(*core.Registry) error) (*core.Registry, error) {
	until, ok := ctx.Deadline()
	if !ok {
		until = time.Now().Add(updateTime)
	}
	for n := 0; n == 0 || time.Now().Before(until); n++ {
		if n > 0 {
			if err := pause(ctx, n); err != nil {
				return nil, err
			}
		}
		reg, base, err := load(ctx, storage)
		if err != nil {
			return nil, err
		}
		next, _ := proto.Clone(reg).(*core.Registry)
		switch err := edit(next); {
		case errors.Is(err, ErrNoChange):
			return reg, nil
		case err != nil:
			return nil, err
		}
		next.LastUpdated = moment(time.Now())
		next.VersionId = uuid.NewString()
		_, err = storage.Save(ctx, next, base)
		switch {
		case err == nil:
			return next, nil
		case !errors.Is(err, ErrConflict):
			return nil, err
		}
	}
	return nil, errTurnedAway()
}

// errTurnedAway is the error of Update when its time is over.
func errTurnedAway() error {
	return fault.New(fault.Conflict, "other writers have changed the registry, each time before this change was saved, until the time for it was over; nothing of it is saved, run it again").
		Because(ErrConflict)
}

// pause waits after conflict n.
func pause(ctx context.Context, n int) error {
	timer := time.NewTimer(rand.N(min(firstPause<<min(n, 20), longestPause)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return errTurnedAway()
		}
		return fault.Of(ctx.Err())
	}
}

// load is Load, but returns an empty registry if there is none yet.
func load(ctx context.Context, storage Storage) (*core.Registry, Revision, error) {
	reg, rev, err := storage.Load(ctx)
	if err != nil && fault.KindOf(err) == fault.NotFound { // no registry is an empty one
		return &core.Registry{RegistrySchemaVersion: SchemaVersion}, "", nil
	}
	return reg, rev, err
}
