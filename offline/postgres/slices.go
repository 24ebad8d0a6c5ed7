package postgres

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/offline"
)

var _ offline.Slicer = (*Store)(nil)

const (
	// partPages is the size of the smallest part, 8 MB: a smaller one saves less
	// time than its transaction takes.
	partPages = 1024
	// spareWait is how long another reader may wait for its connection.
	spareWait = 2 * time.Second
	// sliceSettings keep the server from dividing a part among processes of its own.
	sliceSettings = "; SET LOCAL max_parallel_workers_per_gather = 0"
)

// pages is a part of a table. The first part has no first page, and the last one
// no end, so that no row is left out.
type pages struct {
	table      string
	first, end int64
}

// where adds to a command the condition that a row lies in the pages.
func (p pages) where(s *command) {
	if p.first > 0 {
		s.sql += " AND source.ctid >= '(" + strconv.FormatInt(p.first, 10) + ",0)'::tid"
	}
	if p.end > 0 {
		s.sql += " AND source.ctid < '(" + strconv.FormatInt(p.end, 10) + ",0)'::tid"
	}
}

// Slices divides a table by its pages, if the server would read all of them: then
// nothing is read twice and no index is needed. The first transaction exports its
// snapshot to the others. All else has one reader: queries, views, tables with
// partitions or heirs, small tables, and windows that an index finds.
func (s *Store) Slices(ctx context.Context, query offline.Query, n int) ([]array.RecordReader, error) {
	if err := query.Check(); err != nil {
		return nil, err
	}
	from, err := newRelation(query.Source)
	if err != nil {
		return nil, err
	}
	if table, ok := from.tableOf(); ok && n > 1 {
		readers, err := s.slices(ctx, from, table, query, n)
		if err != nil || len(readers) > 0 {
			return readers, err
		}
	}
	r, err := s.Range(ctx, query)
	if err != nil {
		return nil, err
	}
	return []array.RecordReader{r}, nil
}

// slices returns no readers if there would be one. Only a server that cannot be
// reached is an error here: Range finds all others again, and tells them.
func (s *Store) slices(ctx context.Context, from *relation, table string, query offline.Query, n int) ([]array.RecordReader, error) {
	t, err := s.beginAs(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, sliceSettings)
	if err != nil {
		return nil, err
	}
	size, err := t.divisible(from, table, query)
	t.end()
	if err != nil || s.parts(size, n) < 2 {
		return nil, nil //nolint:nilerr // see above
	}
	// The lock comes before the snapshot. Otherwise a table that another
	// transaction fills anew in between would seem empty.
	first, err := s.beginAs(ctx, snapshotOptions(), sliceSettings+"; LOCK TABLE "+table+" IN ACCESS SHARE MODE")
	if err != nil {
		return nil, nil //nolint:nilerr // see above
	}
	team := []*transaction{first}
	size, snapshot, err := first.export(from, table, query)
	if err != nil {
		abandon(team)
		return nil, nil //nolint:nilerr // see above
	}
	team = append(team, s.others(ctx, table, snapshot, s.parts(size, n)-1)...)
	return openParts(team, from, query, divide(table, size, len(team)))
}

func snapshotOptions() pgx.TxOptions {
	return pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
}

// parts is the number of parts of a table of so many pages, at most n.
func (s *Store) parts(size int64, n int) int { return int(min(int64(n), size/s.partPages)) }

// divide makes n parts of equal size.
func divide(table string, size int64, n int) []pages {
	list := make([]pages, n)
	for i := range list {
		list[i] = pages{table: table, first: size * int64(i) / int64(n)}
		if i > 0 {
			list[i-1].end = list[i].first
		}
	}
	return list
}

// openParts starts the statements. The first transaction comes last: it holds the
// table as it is until the others do.
func openParts(team []*transaction, from *relation, query offline.Query, parts []pages) ([]array.RecordReader, error) {
	readers := make([]array.RecordReader, len(team))
	for i := len(team) - 1; i >= 0; i-- {
		r := &reader{t: team[i], what: from.what(), part: parts[i].first, sharers: len(team)}
		if err := r.open(from, query, &parts[i]); err != nil {
			for _, opened := range readers[i+1:] {
				opened.Release()
			}
			abandon(team[:i+1])
			return nil, nil // Range finds and tells it
		}
		readers[i] = r
	}
	return readers, nil
}

func abandon(team []*transaction) {
	for _, t := range team {
		t.end()
	}
}

// sizeSQL finds the pages of a table whose rows all lie in its own heap.
const sizeSQL = `SELECT pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int8
	FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am a ON a.oid = c.relam
	WHERE c.oid = pg_catalog.to_regclass($1) AND c.relkind = 'r' AND NOT c.relhassubclass AND a.amname = 'heap'`

// divisible returns the pages of a table that parts can be made of; 0 or an error
// if there are none.
func (t *transaction) divisible(from *relation, table string, query offline.Query) (size int64, err error) {
	if err := t.tx.QueryRow(t.ctx, sizeSQL, table).Scan(&size); err != nil || size == 0 {
		return 0, err
	}
	d, err := t.describe(from)
	if err != nil {
		return 0, err
	}
	times, err := t.timesOf(d, query)
	if err != nil {
		return 0, err
	}
	whole, err := t.scanOf(times, pages{table: table})
	if err != nil || whole != "Seq Scan" {
		return 0, err // an index finds the window
	}
	// Servers before PostgreSQL 14 would read the whole table for each part, and so
	// would others where a policy or a setting forbids the scan.
	part, err := t.scanOf(times, pages{table: table, end: size/2 + 1})
	if err != nil || part != "Tid Range Scan" {
		return 0, err
	}
	return size, nil
}

// planNode is a node of a plan as EXPLAIN writes it.
type planNode struct {
	Type  string     `json:"Node Type"`
	Alias string     `json:"Alias"`
	Plans []planNode `json:"Plans"`
}

// scanOf asks the planner how it would read the rows of a table that lie in the
// bounds and in some pages.
func (t *transaction) scanOf(times []*timeColumn, p pages) (string, error) {
	s := &command{sql: "EXPLAIN (FORMAT JSON) SELECT source.ctid FROM " + p.table + " AS source"}
	s.where(times)
	p.where(s)
	rows := t.run(s)
	var text []byte
	for rows.NextRow() {
		text = append(text, rows.Values()[0]...)
	}
	if _, err := rows.Close(); err != nil {
		return "", err
	}
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal(text, &plans); err != nil {
		return "", err
	}
	for _, p := range plans {
		if scan := p.Plan.scan(); scan != "" {
			return scan, nil
		}
	}
	return "", nil
}

// scan is the type of the node that reads the source.
func (n *planNode) scan() string {
	if n.Alias == "source" {
		return n.Type
	}
	for i := range n.Plans {
		if scan := n.Plans[i].scan(); scan != "" {
			return scan
		}
	}
	return ""
}

// export looks again at the table, now that it is locked, and exports the
// snapshot.
func (t *transaction) export(from *relation, table string, query offline.Query) (size int64, snapshot string, err error) {
	if size, err = t.divisible(from, table, query); err != nil {
		return 0, "", err
	}
	err = t.tx.QueryRow(t.ctx, "SELECT pg_catalog.pg_export_snapshot()").Scan(&snapshot)
	return size, snapshot, err
}

// others begins up to n transactions with a snapshot. It begins fewer if the pool,
// the server or a pooler has no more connections: readers that wait for each
// other's connections would wait for ever.
func (s *Store) others(ctx context.Context, table, snapshot string, n int) []*transaction {
	pool, err := s.connect(ctx)
	if err != nil {
		return nil
	}
	stat := pool.Stat()
	n = min(n, int(stat.MaxConns()-stat.AcquiredConns())-1) // one stays free for other requests
	var list []*transaction
	for range n {
		t := s.follow(ctx, "; SET TRANSACTION SNAPSHOT '"+snapshot+"'; LOCK TABLE "+table+" IN ACCESS SHARE MODE NOWAIT")
		if t == nil {
			break
		}
		list = append(list, t)
	}
	return list
}

// follow begins a transaction unless that takes long. The lock must not wait: who
// wants to change the table waits for the first transaction, and it for this one.
func (s *Store) follow(caller context.Context, settings string) *transaction {
	ctx, cancel := context.WithCancel(caller)
	timer := time.AfterFunc(spareWait, cancel)
	t, err := s.beginAs(ctx, snapshotOptions(), sliceSettings+settings)
	if err != nil {
		timer.Stop()
		cancel()
		return nil
	}
	if !timer.Stop() {
		t.end()
		cancel()
		return nil
	}
	unhook := t.unhook
	t.unhook = func() bool {
		cancel()
		return unhook()
	}
	return t
}
