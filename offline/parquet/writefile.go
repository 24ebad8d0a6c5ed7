package parquet

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/core"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// unwritable says why a file cannot be written.
func unwritable(source *core.DataSource, path string, err error) error {
	var f *fault.Error
	var system syscall.Errno
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.Of(err)
	case errors.Is(err, fs.ErrNotExist):
		return refuse(source, fault.NotFound, "directory %s does not exist; create it", filepath.Dir(path)).Because(err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return refuse(source, fault.Denied, "%s may not be written", path).Because(err)
	case errors.Is(err, syscall.ENAMETOOLONG), strings.Contains(path, "\x00"):
		return refuse(source, fault.Invalid, "%q cannot be the name of a file; choose another one", cut(filepath.Base(path))).Because(err)
	case errors.As(err, &system):
		return refuse(source, fault.Unavailable, "%s cannot be written: %v", path, system).Because(err)
	}
	return refuse(source, fault.Unavailable, "%s cannot be written", path).Because(err)
}

// locked is a file that other writers of banquet wait for.
type locked struct {
	file *os.File
	info os.FileInfo
}

// Close releases the lock.
func (l *locked) Close() error { return l.file.Close() }

// lockPause is how long a writer waits before it looks again.
const lockPause = 5 * time.Millisecond

// lock waits until no other writer has the file, or ctx is done. A writer replaces
// the file: who has waited finds another one under the name, and locks that.
func lock(ctx context.Context, path string) (*locked, error) {
	tick := time.NewTicker(lockPause)
	defer tick.Stop()
	for {
		l, err := tryLock(path)
		if l != nil || err != nil {
			return l, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fault.Of(ctx.Err())
		}
	}
}

// tryLock returns nil if another writer has the file.
func tryLock(path string) (*locked, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		var own, now os.FileInfo
		if own, err = f.Stat(); err == nil {
			now, err = os.Stat(path)
		}
		if err == nil && os.SameFile(own, now) {
			return &locked{file: f, info: own}, nil
		}
	}
	_ = f.Close()
	if err == nil || errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return nil, nil
	}
	return nil, err
}

// draft is a file that no reader sees yet: its name is hidden.
type draft struct {
	source *core.DataSource
	// kinds are the value types of columns, where they are known.
	kinds map[string]types.ValueType_Enum
	file  *os.File
	path  string
	// out writes to the file.
	out io.Writer
}

// hiddenEnd ends the names of drafts.
const hiddenEnd = ".banquet-draft"

// draft makes an empty file beside the one that it will become. If the caller
// has locked that one, what a process that was killed has left is removed.
func (s *Store) draft(source *core.DataSource, target string, alone bool) (*draft, error) {
	dir, base := filepath.Dir(target), filepath.Base(target)
	if alone {
		left, err := filepath.Glob(escaped(filepath.Join(dir, "."+base)) + ".*" + hiddenEnd)
		if err == nil {
			for _, path := range left {
				_ = os.Remove(path)
			}
		}
	}
	f, err := os.CreateTemp(dir, "."+base+".*"+hiddenEnd)
	if err != nil {
		return nil, unwritable(source, target, err)
	}
	d := &draft{source: source, file: f, path: f.Name(), out: f}
	if s.through != nil {
		d.out = s.through(f)
	}
	return d, nil
}

// drop removes the draft, unless it has its name.
func (d *draft) drop() {
	_ = d.file.Close()
	if d.path != "" {
		_ = os.Remove(d.path)
	}
}

// finish makes the bytes last.
func (d *draft) finish(ctx context.Context, path string, mode fs.FileMode) error {
	err := d.file.Chmod(mode)
	if err == nil {
		err = d.file.Sync()
	}
	if err == nil {
		err = d.file.Close()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return unwritable(d.source, path, err)
	}
	return nil
}

// replace gives the draft the name of the file that it replaces.
func (d *draft) replace(ctx context.Context, path string, old *locked) error {
	if err := d.finish(ctx, path, old.info.Mode().Perm()); err != nil {
		return err
	}
	now, err := os.Lstat(path)
	if err != nil || !os.SameFile(now, old.info) || now.Size() != old.info.Size() || !now.ModTime().Equal(old.info.ModTime()) {
		return refuse(d.source, fault.Conflict, "%s was changed by another writer meanwhile; nothing was written", path).Because(err)
	}
	if err := os.Rename(d.path, path); err != nil {
		return unwritable(d.source, path, err)
	}
	d.path = ""
	return syncDir(d.source, path)
}

// publish gives the draft a name that no file has. A link does, unlike a rename,
// not replace a file that has appeared meanwhile.
func (d *draft) publish(ctx context.Context, path string) error {
	if err := d.finish(ctx, path, 0o644); err != nil {
		return err
	}
	switch err := os.Link(d.path, path); {
	case errors.Is(err, fs.ErrExist):
		return refuse(d.source, fault.Conflict, "%s exists already: another writer made it meanwhile", path).Because(err)
	case err != nil:
		return unwritable(d.source, path, err)
	}
	return syncDir(d.source, path)
}

// syncDir makes the name of a file last.
func syncDir(source *core.DataSource, path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return unwritable(source, path, err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) { // some file systems cannot
		return unwritable(source, path, err)
	}
	return nil
}

// extend writes the old content of a file and then the rows.
func (d *draft) extend(ctx context.Context, path string, rows rowReader) (int64, error) {
	p, err := openPart(path)
	if err != nil {
		return 0, err
	}
	if c, ok := p.(*csvFile); ok {
		return d.extendCSV(ctx, c, rows)
	}
	return d.extendParquet(ctx, p, rows)
}

// imitate writes the rows to a new file like another one.
func (d *draft) imitate(ctx context.Context, path string, rows rowReader) (int64, error) {
	p, err := openPart(path)
	if err != nil {
		return 0, err
	}
	if c, ok := p.(*csvFile); ok {
		return d.imitateCSV(ctx, c, rows)
	}
	return d.imitateParquet(ctx, p, rows)
}

// copyPart copies the first n bytes of a file.
func (d *draft) copyPart(ctx context.Context, path string, n int64) error {
	from, err := os.Open(path)
	if err != nil {
		return broken(path, err)
	}
	defer from.Close()
	for n > 0 {
		if err := ctx.Err(); err != nil {
			return fault.Of(err)
		}
		step := min(n, copyStep)
		if _, err := io.CopyN(d.out, from, step); err != nil {
			if errors.Is(err, io.EOF) {
				return refuse(d.source, fault.Conflict, "%s was changed by another writer meanwhile; nothing was written", path)
			}
			return unwritable(d.source, path, err)
		}
		n -= step
	}
	return nil
}

// copyStep is how many bytes are copied between two looks at the context.
const copyStep = 16 << 20

// match finds the columns of a source among those of the rows.
func (d *draft) match(names []string, rows rowReader) ([]int, error) {
	schema := rows.Schema()
	at := make([]int, len(names))
	known := map[string]bool{}
	var missing, extra []string
	for i, name := range names {
		known[name] = true
		found := schema.FieldIndices(name)
		if len(found) == 0 {
			missing = append(missing, name)
			continue
		}
		at[i] = found[0]
	}
	for i, f := range schema.Fields() {
		if schema.FieldIndices(f.Name)[0] != i {
			return nil, refuse(d.source, fault.Invalid, "the rows have two columns %s; rename one", f.Name)
		}
		if !known[f.Name] {
			extra = append(extra, f.Name)
		}
	}
	var says []string
	if len(missing) > 0 {
		says = append(says, "the rows lack its columns "+strings.Join(missing, ", "))
	}
	if len(extra) > 0 {
		says = append(says, "the rows have columns that it lacks: "+strings.Join(extra, ", "))
	}
	if len(says) > 0 {
		return nil, refuse(d.source, fault.Invalid, "%s", strings.Join(says, "; "))
	}
	return at, nil
}

// cellFault names the cell that does not fit.
func (d *draft) cellFault(column string, row int64, err error) error {
	return refuse(d.source, fault.Invalid, "column %s, row %d: %s", column, row, err.Error()).Because(err)
}
