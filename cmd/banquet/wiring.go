package main

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/banquet-fs/banquet/apply"
	"github.com/banquet-fs/banquet/config"
	"github.com/banquet-fs/banquet/definitions"
	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/offline"
	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/serving"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/observed"
	onlinepg "github.com/banquet-fs/banquet/stores/postgres"
	"github.com/banquet-fs/banquet/stores/retry"
	"github.com/banquet-fs/banquet/stores/sqlite"
)

// repository is an open feature repository: its configuration and the parts that the
// configuration names, each opened when it is first needed.
type repository struct {
	app     *app
	config  *config.Config
	storage *file.Storage
	online  stores.Store
	offline offline.Store
	opening sync.Mutex // of the offline store: requests of a server open it
	service *service   // computes functions that banquet does not compile
	closers []func()
	host    string                      // of DynamoDB
	ready   func(context.Context) error // whether the online store can be called; nil if that is not known
}

// envDir is the environment variable that Feast reads for --chdir.
const envDir = "FEATURE_REPO_DIR_ENV_VAR"

// open reads the configuration. encoded says whether the command also reads it from the
// environment in base64, as in Feast.
func (a *app) open(ctx context.Context, encoded bool) (*repository, error) {
	dir := a.dir
	if dir == "" {
		dir, _ = a.env(envDir)
	}
	if dir == "" {
		var err error
		if dir, err = os.Getwd(); err != nil {
			return nil, fault.New(fault.Invalid, "the working directory is unknown; name the repository with --chdir").Because(err)
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fault.New(fault.Invalid, "--chdir %s is not a directory", a.dir).Because(err)
	}
	c, err := config.Load(ctx, dir, a.file, encoded, a.env)
	if err != nil {
		return nil, err
	}
	s := &service{}
	a.opened = &repository{app: a, config: c, storage: file.New(c.Path(c.Registry.Path)), service: s, closers: []func(){s.close}}
	return a.opened, nil
}

// close closes all open parts.
func (r *repository) close() {
	for _, c := range r.closers {
		c()
	}
}

func (r *repository) options() registry.Options {
	return registry.Options{VersionedTables: r.config.Registry.Versioned}
}

// snapshot loads the current registry.
func (r *repository) snapshot(ctx context.Context) (*registry.Snapshot, error) {
	reg, _, err := r.storage.Load(ctx)
	if err != nil {
		return nil, err
	}
	return registry.OpenSnapshot(reg, r.options())
}

// project returns the configured project of the current registry. A project that was
// never applied is empty, as in Feast.
func (r *repository) project(ctx context.Context) (*registry.Project, error) {
	s, err := r.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return s.Project(r.config.Project)
}

// onlineStore opens the online store, with retries. need is what needs it.
func (r *repository) onlineStore(ctx context.Context, metrics prometheus.Registerer, need string) (stores.Store, error) {
	if r.online != nil {
		return r.online, nil
	}
	if err := r.config.OnlineBuilt(need); err != nil {
		return nil, err
	}
	backend, err := r.openOnline(ctx)
	if err != nil {
		return nil, err
	}
	l := r.config.Banquet.Limits
	backend.Limit(stores.NewBudget(int64(l.StoreBytes), int64(l.StoreBytesTotal)))
	s := retry.New(observed.New(backend, metrics), retry.Options{Metrics: metrics})
	r.online = s
	r.closers = append(r.closers, func() { _ = s.Close() })
	return s, nil
}

// openOnline chooses the backend.
func (r *repository) openOnline(ctx context.Context) (stores.Backend, error) {
	switch c := &r.config.Online; c.Type {
	case "dynamodb":
		return r.openDynamo(ctx)
	case "postgres":
		return onlinepg.New(r.postgresOptions(&c.Postgres)), nil
	default:
		return sqlite.Open(r.config.Path(c.SQLite.Path))
	}
}

// offlineStore chooses and opens the offline store. need is what needs it.
func (r *repository) offlineStore(need string) (offline.Store, error) {
	r.opening.Lock()
	defer r.opening.Unlock()
	if r.offline != nil {
		return r.offline, nil
	}
	if err := r.config.OfflineBuilt(need); err != nil {
		return nil, err
	}
	switch r.config.Offline.Type {
	case "postgres":
		r.offline = r.openPostgres()
	default:
		r.offline = r.files()
	}
	return r.offline, nil
}

// files reads file sources, which need no offline store.
func (r *repository) files() offline.Store { return parquet.New(r.config.Dir) }

// lazyColumns opens the offline store when the columns of a source are read: definitions
// that list everything need no store.
type lazyColumns struct{ r *repository }

// planning is the need of plan, for errors.
const planning = "plan"

// applier makes the use case of plan and apply. need is what needs it: plan also works
// with an online store that banquet does not have, if there are no tables to check.
func (r *repository) applier(ctx context.Context, repo *definitions.Repo, s skips, need string) (*apply.Applier, error) {
	repo.Objects.NoPromote = s.noPromote
	opt := apply.Options{
		Storage: r.storage, Registry: r.options(), Project: r.config.Project, Columns: lazyColumns{r}, Records: r.storage.Records(), Log: r.app.log,
		Passed: repo.Passed, AllowDeletions: s.deletions, SkipSources: s.source,
		Places: repo.Places,
		Locate: func(text string) (string, int) { return definitions.Locate(ctx, r.config.Dir, text) },
	}
	var err error
	if opt.Functions, err = r.functions(); err != nil {
		return nil, err
	}
	if r.config.Provider == "local" && r.config.Online.Type == "sqlite" {
		opt.SQLite = r.config.Path(r.config.Online.SQLite.Path)
	}
	err = r.config.ProviderBuilt(need)
	if err == nil && r.config.Online.Type != "none" {
		opt.Online, err = r.onlineStore(ctx, nil, need)
	}
	switch {
	case err == nil:
	case need == planning && fault.KindOf(err) == fault.Unimplemented:
		opt.Online = absent{err}
	default:
		return nil, err
	}
	return apply.New(opt), nil
}

// absent replaces an online store that banquet does not have.
type absent struct{ err error }

// Plan refuses if there is a table.
func (a absent) Plan(_ context.Context, tables stores.Tables) (stores.TablePlan, error) {
	if len(tables.Keep)+len(tables.Drop) > 0 {
		return stores.TablePlan{}, a.err
	}
	return stores.TablePlan{}, nil
}

// Do refuses.
func (a absent) Do(context.Context, []stores.Change) ([]stores.Finding, error) { return nil, a.err }

// servingNeed is the need of serve and get-online-features, for errors.
const servingNeed = "reading features"

// servingBuilt refuses parts that reading features needs and banquet does not have.
func (r *repository) servingBuilt() error {
	if err := r.config.ProviderBuilt(servingNeed); err != nil {
		return err
	}
	return r.config.OnlineBuilt(servingNeed)
}

// serving makes the use case of reading features.
func (r *repository) serving(ctx context.Context, snapshots func() *registry.Snapshot, metrics *prometheus.Registry) (*serving.Service, error) {
	var reg prometheus.Registerer
	if metrics != nil {
		reg = metrics
	}
	if err := r.servingBuilt(); err != nil {
		return nil, err
	}
	online, err := r.onlineStore(ctx, reg, servingNeed)
	if err != nil {
		return nil, err
	}
	service, err := r.functions()
	if err != nil {
		return nil, err
	}
	l := r.config.Banquet.Limits
	return serving.New(serving.Options{
		Snapshots: snapshots, Project: r.config.Project, Reader: online, KeyVersion: r.config.KeyVersion,
		Versioned: r.config.Registry.Versioned, Limits: serving.Limits{Rows: l.Rows, Features: l.Features, Cells: l.Cells, ComputedBytes: l.StoreBytes},
		Functions:  service,
		Deadline:   time.Duration(r.config.Banquet.Serving.Deadline),
		Consistent: r.config.Online.Type == "dynamodb" && r.config.Online.DynamoDB.Consistent,
		Log:        r.app.log, Metrics: reg,
	}), nil
}
