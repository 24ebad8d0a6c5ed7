package postgres

import (
	"encoding/json"
	"slices"

	"github.com/banquet-fs/banquet/fault"
)

// verify asks the planner, before the entity rows are read, whether it uses the
// indexes that are meant. Where it prefers others by its estimates, which can be
// very slow for some keys, the view is copied.
func (p *plan) verify() error {
	indexed := func(v *joined) bool { return v.order != nil && len(v.features) > 0 }
	if !slices.ContainsFunc(p.views, indexed) {
		return nil
	}
	if err := p.t.batch("SAVEPOINT planning; " + probeSettings); err != nil {
		return p.t.fault(err, p.what())
	}
	for _, v := range p.views {
		if !indexed(v) {
			continue
		}
		ok, err := p.uses(v)
		if err != nil {
			return err
		}
		if !ok {
			v.order = nil
		}
	}
	return p.t.fault(p.t.batch("ROLLBACK TO SAVEPOINT planning; RELEASE SAVEPOINT planning"), p.what())
}

// uses reports whether the planner joins a view by the view's index.
func (p *plan) uses(v *joined) (bool, error) {
	var explained []byte
	if err := p.t.tx.QueryRow(p.t.ctx, "EXPLAIN (FORMAT json) "+p.sql([]*joined{v})).Scan(&explained); err != nil {
		return false, p.t.fault(withoutPosition(err), v.what())
	}
	var found []struct{ Plan scan }
	if err := json.Unmarshal(explained, &found); err != nil || len(found) != 1 {
		return false, fault.New(fault.Internal, "%s: the server explains a join in an unknown form", v.what()).Because(err)
	}
	return found[0].Plan.within(p.entities.table, v.order.names), nil
}

// scan is a node of a plan.
type scan struct {
	Relation string `json:"Relation Name"`
	Index    string `json:"Index Name"`
	Plans    []scan
}

// within reports whether a plan reads all tables but one by the given indexes.
func (s *scan) within(but string, indexes []string) bool {
	if s.Relation != "" && s.Relation != but && !slices.Contains(indexes, s.Index) {
		return false
	}
	for i := range s.Plans {
		if !s.Plans[i].within(but, indexes) {
			return false
		}
	}
	return true
}
