package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"

	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/server"
)

// loader materializes for a server. It opens both stores when it is first used, and
// its online store is not that of the requests: they share no connections and no
// budget for retries, so that a run that is throttled costs them nothing.
type loader struct {
	mu   sync.Mutex
	repo repository
}

// loader makes the loader of a server. It is closed with the repository.
func (r *repository) loader() *loader {
	l := &loader{repo: repository{app: r.app, config: r.config, storage: r.storage, service: r.service}}
	r.closers = append(r.closers, l.repo.close)
	return l
}

// materializer makes the use case for a project.
func (l *loader) materializer(ctx context.Context, project string, o ingest.Observer) (server.Materializer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m, err := l.repo.materializer(ctx, project, 1, o)
	if err != nil {
		return nil, err
	}
	return m, nil
}

// materializeRuns is how many materializations a server runs at once. Feast's variable
// takes precedence.
func (r *repository) materializeRuns() int {
	const name = "FEAST_MATERIALIZE_MAX_WORKERS"
	runs := r.config.Banquet.Materialize.Runs
	text, set := r.app.env(name)
	if !set || text == "" {
		return runs
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		r.app.log.Warn(fmt.Sprintf("%s is not a number; using %d", name, runs), slog.String("value", text))
		return runs
	}
	return max(n, 1)
}
