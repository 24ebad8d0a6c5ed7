package postgres

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/offline"
)

// plan is how the server makes a join.
type plan struct {
	t        *transaction
	entities *entityRows
	views    []*joined
}

// joined is a view of a join as the server sees it.
type joined struct {
	// number is the view's place in the join.
	number int
	offline.JoinView
	*described
	event, created *timeColumn
	keys           []joinedKey
	// columns are the features, each column of the source once; features are the
	// indexes of the view's features among them.
	columns  []joinedColumn
	features []int
	// since is the number of the TTL, -1 without any.
	since int
	// order is an index of the table by keys and event time; without one, the
	// rows are copied into a temporary table, rows, that has such an index.
	order *order
	rows  string
	table *table
}

type joinedKey struct {
	// name is the source's own name of the column.
	name, sql string
	kind      *kind
	// entity is the number of the column of the server's entity rows.
	entity int
	*match
}

type joinedColumn struct {
	sql string
	*column
}

// plan looks up all sources of a join. It returns errNotInSQL for a join that the
// server cannot make, or not by the contract.
func (t *transaction) plan(join offline.Join) (*plan, error) {
	var id [8]byte
	if _, err := rand.Read(id[:]); err != nil {
		return nil, err
	}
	p := &plan{t: t, entities: newEntityRows("entities_" + hex.EncodeToString(id[:]))}
	apart := false
	for i, v := range join.Views {
		j, err := p.look(v, join.Entities.Schema())
		switch {
		case errors.Is(err, errNotInSQL):
			apart = true // other views may have a fault, which comes first
			continue
		case err != nil:
			return nil, err
		}
		j.number = len(p.views)
		j.rows = "rows_" + strconv.Itoa(i) + "_" + hex.EncodeToString(id[:])
		p.views = append(p.views, j)
	}
	if apart {
		return nil, errNotInSQL
	}
	return p, nil
}

// look describes a view.
func (p *plan) look(v offline.JoinView, entities *arrow.Schema) (*joined, error) {
	from, err := newRelation(v.Source)
	if err != nil {
		return nil, err
	}
	j := &joined{JoinView: v, since: -1}
	if j.described, err = p.t.describe(from); err != nil {
		return nil, err
	}
	if j.event, err = p.t.newTimeColumn(j.described, v.Timestamp); err != nil {
		return nil, err
	}
	if v.Created != "" {
		if j.created, err = p.t.newTimeColumn(j.described, v.Created); err != nil {
			return nil, err
		}
	}
	if err := p.lookFeatures(j); err != nil {
		return nil, err
	}
	if err := p.lookKeys(j, entities); err != nil {
		return nil, err
	}
	if !j.event.compares() || j.created != nil && !j.created.compares() {
		return nil, errNotInSQL
	}
	if v.TTL != 0 {
		j.since = p.entities.since(v.TTL)
	}
	return j, p.t.lookTable(j)
}

func (p *plan) lookFeatures(j *joined) error {
	type asked struct {
		t      types.ValueType_Enum
		column string
	}
	seen := map[asked]int{}
	for i, name := range j.Features {
		f, err := j.column(name)
		if err != nil {
			return err
		}
		k, err := p.t.kindOf(f.DataTypeOID)
		if err != nil {
			return err
		}
		as := asked{j.Types[i], f.Name}
		at, ok := seen[as]
		if !ok {
			at = len(j.columns)
			seen[as], j.columns = at, append(j.columns, joinedColumn{columnSQL(f), newColumn(k).readAs(k, j.Types[i])})
		}
		j.features = append(j.features, at)
	}
	return nil
}

func (p *plan) lookKeys(j *joined, entities *arrow.Schema) error {
	matches := make([]*match, len(j.Keys))
	for i, key := range j.Keys {
		f, err := j.column(key.Column)
		if err != nil {
			return err
		}
		k, err := p.t.kindOf(f.DataTypeOID)
		if err != nil {
			return err
		}
		matches[i] = matchOf(k, key.Type)
		j.keys = append(j.keys, joinedKey{name: f.Name, sql: columnSQL(f), kind: k, match: matches[i]})
	}
	for i, m := range matches {
		if m == nil || m.collated() && !p.t.unicode() {
			return errNotInSQL
		}
		if entities == nil { // only the source is looked at
			continue
		}
		key := j.Keys[i]
		j.keys[i].entity = p.entities.key(key.Entity, entities.Field(key.Entity).Type, key.Type, m)
	}
	return nil
}

// unicode reports whether the database can hold any text. Others refuse entity rows
// with letters that they lack.
func (t *transaction) unicode() bool {
	encoding := t.conn().ParameterStatus("server_encoding")
	return encoding == "UTF8" || encoding == "" // which a pooler may not tell
}
