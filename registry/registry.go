// Package registry knows what exists: projects and their entities, data
// sources, feature views and feature services.
//
// The stored form is Feast's feast.core.Registry message. A Storage keeps it; a
// Snapshot is one state of it, checked and compiled for reading; a Holder keeps
// the snapshot in force up to date; Apply and RecordMaterialization change the
// message by Feast's rules; Update is the only way to write it.
package registry

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
)

// SchemaVersion is the registry_schema_version that Feast writes.
const SchemaVersion = "1"

// The entity that stands for none, and its join key: views without entities
// are kept under it.
const (
	DummyEntity = "__dummy"
	DummyKey    = "__dummy_id"
)

// Revision names one stored state of a registry. Only the storage that made it
// can read it; the empty Revision means that nothing is stored.
type Revision string

// Storage keeps a registry. It is safe for concurrent use.
type Storage interface {
	// Load gives the stored registry with its revision.
	//
	//   - Nothing stored is a NotFound fault.
	//   - Bytes that are no registry, or only a part of one, are an Unavailable
	//     fault: nothing may be saved over them.
	//   - Unknown fields are kept.
	Load(ctx context.Context) (*core.Registry, Revision, error)
	// Save stores next in the place of base, entirely or not at all, and gives
	// its revision.
	//
	//   - When base is no longer what is stored, it is ErrConflict and nothing
	//     changes; an empty base means that nothing must be stored yet.
	//   - A place that cannot be written is a Denied fault that says so.
	Save(ctx context.Context, next *core.Registry, base Revision) (Revision, error)
	// Changed tells cheaply whether something else than rev may be stored now.
	Changed(ctx context.Context, rev Revision) (bool, error)
}

// ErrConflict is what Save reports when somebody else has saved meanwhile.
var ErrConflict = errors.New("the registry has changed meanwhile")

// ErrNoChange is returned by an edit that found nothing to change: Update then
// writes nothing and succeeds.
var ErrNoChange = errors.New("nothing to change")

const (
	// updateTries is how often Update plans again after a conflict.
	updateTries = 60
	// firstPause and longestPause bound the wait before it does. Waits are spread
	// over their whole length: writers who met come back apart.
	firstPause, longestPause = 4 * time.Millisecond, 250 * time.Millisecond
)

// Update loads the registry, lets edit change a copy of it and saves the copy.
// When somebody else saved meanwhile it starts over after a short wait, for some
// seconds if need be. A registry that does not exist yet starts empty. It returns
// what is stored afterwards.
func Update(ctx context.Context, storage Storage, edit func(*core.Registry) error) (*core.Registry, error) {
	for n := range updateTries {
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
		next.LastUpdated = timestamppb.New(time.Now())
		next.VersionId = uuid.NewString()
		_, err = storage.Save(ctx, next, base)
		switch {
		case err == nil:
			return next, nil
		case !errors.Is(err, ErrConflict):
			return nil, err
		}
	}
	return nil, fault.New(fault.Conflict, "the registry was changed by others %d times while this change was made; nothing of it is saved, run it again", updateTries).
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
		return fault.Of(ctx.Err())
	}
}

// load is Load, with an empty registry where there is none yet.
func load(ctx context.Context, storage Storage) (*core.Registry, Revision, error) {
	reg, rev, err := storage.Load(ctx)
	if err != nil && fault.KindOf(err) == fault.NotFound { // no registry is an empty one
		return &core.Registry{RegistrySchemaVersion: SchemaVersion}, "", nil
	}
	return reg, rev, err
}
