package postgres

import (
	"context"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/banquet-fs/banquet/internal/pg"
	"github.com/banquet-fs/banquet/offline"
)

// SmallBatches makes record batches small, so that few rows make several
// batches.
func SmallBatches(s *Store, rows int) *Store {
	s.batch.rows = rows
	return s
}

// ErrNotInSQL is the error of Explain for a join that the server does not make.
var ErrNotInSQL = errNotInSQL

// Explain runs a join up to its last statement, and returns all statements
// without the random part of their tables' names, and the plan of the last one.
func Explain(ctx context.Context, s *Store, join offline.Join) (statements, explained string, err error) {
	t, err := s.beginAs(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, joinSettings)
	if err != nil {
		return "", "", err
	}
	defer t.end()
	p, err := t.plan(join)
	if err != nil {
		return "", "", err
	}
	for _, step := range []func() error{
		func() error { return p.create(p.entities.create()) },
		p.verify,
		p.createRows,
		func() error { return p.load(join.Entities) },
	} {
		if err := step(); err != nil {
			return "", "", err
		}
	}
	texts := []string{p.entities.create()}
	for _, v := range p.views {
		if v.order != nil {
			continue
		}
		if err := p.copy(v); err != nil {
			return "", "", err
		}
		sql, _ := v.copyRows(p.entities)
		texts = append(texts, v.createRows(), sql, v.indexRows(p.entities.long))
	}
	if err := t.batch(probeSettings); err != nil {
		return "", "", err
	}
	rows, err := t.tx.Query(ctx, "EXPLAIN (COSTS off) "+p.sql(p.views))
	if err != nil {
		return "", "", err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return "", "", err
	}
	id := regexp.MustCompile(`_[0-9a-f]{16}`)
	clean := func(text string) string { return id.ReplaceAllString(text, "") }
	return clean(strings.Join(append(texts, p.sql(p.views)), ";\n\n") + ";\n"), clean(strings.Join(lines, "\n") + "\n"), nil
}

// OptionsOf returns how a store connects.
func OptionsOf(s *Store) pg.Options { return s.opt }

// PlainTable is the table of whose rows a query consists.
func PlainTable(query string) (name string, ok bool) {
	sql, problem := oneSelect(query)
	if problem != "" {
		return "", false
	}
	return (&relation{from: "(" + sql + "\n)", query: true}).tableOf()
}

// SmallParts divides tables of a few pages, too.
func SmallParts(s *Store) *Store {
	s.partPages = 1
	return s
}
