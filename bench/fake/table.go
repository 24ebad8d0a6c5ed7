package fake

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/banquet-fs/banquet/bench/dataset"
)

// table holds a view's items, each made when it is first read.
type table struct {
	view  *dataset.View
	byID  map[string]int
	items []atomic.Pointer[item]
}

// item is an encoded item, and its cells in the table's order.
type item struct {
	whole []byte
	cells [][]byte
}

// shape is a projection: the cells it selects, nil for all of them.
type shape struct{ take []bool }

func newTable(v *dataset.View) (*table, error) {
	t := &table{view: v, byID: make(map[string]int, v.Entities), items: make([]atomic.Pointer[item], v.Entities)}
	for i := range v.Entities {
		id, err := v.EntityID(i)
		if err != nil {
			return nil, err
		}
		t.byID[id] = i
	}
	return t, nil
}

func (t *table) item(i int) (*item, error) {
	if it := t.items[i].Load(); it != nil {
		return it, nil
	}
	it := &item{}
	for _, f := range t.view.Order() {
		c, err := t.view.Cell(f, i)
		if err != nil {
			return nil, err
		}
		it.cells = append(it.cells, c)
	}
	var err error
	if it.whole, err = t.view.Item(i, join(it.cells, nil)); err != nil {
		return nil, err
	}
	t.items[i].Store(it)
	return it, nil
}

func join(cells [][]byte, take []bool) []byte {
	var b []byte
	for i, c := range cells {
		if take != nil && !take[i] {
			continue
		}
		if len(b) > 0 {
			b = append(b, ',')
		}
		b = append(b, c...)
	}
	return b
}

// append appends the item of an id, if it exists, with a comma before it unless it is
// the first since mark.
func (t *table) append(out []byte, mark int, id string, sh *shape) ([]byte, error) {
	i, ok := t.byID[id]
	if !ok {
		return out, nil
	}
	it, err := t.item(i)
	if err != nil {
		return nil, err
	}
	if len(out) > mark {
		out = append(out, ',')
	}
	if sh.take == nil {
		return append(out, it.whole...), nil
	}
	part, err := t.view.Item(i, join(it.cells, sh.take))
	return append(out, part...), err
}

// shape parses a projection. It assumes the three attributes of Feast's layout and
// finds which members of the map of values are selected.
func (s *Server) shape(t *table, want keysOf) (*shape, error) {
	key := t.view.Name + want.ProjectionExpression + string(want.ExpressionAttributeNames)
	if sh, ok := s.shapes.Load(key); ok {
		return sh.(*shape), nil
	}
	sh := &shape{}
	if want.ProjectionExpression != "" {
		names := map[string]string{}
		if err := json.Unmarshal(want.ExpressionAttributeNames, &names); err != nil {
			return nil, fmt.Errorf("ExpressionAttributeNames: %w", err)
		}
		asked := map[string]bool{}
		for path := range strings.SplitSeq(want.ProjectionExpression, ",") {
			head, member, _ := strings.Cut(strings.TrimSpace(path), ".")
			if names[head] == "" {
				return nil, fmt.Errorf("an expression attribute name used in the document path is not defined; attribute name: %s", head)
			}
			asked[names[member]] = true
		}
		all := true
		for _, f := range t.view.Order() {
			has := asked[t.view.Features[f].Name]
			sh.take = append(sh.take, has)
			all = all && has
		}
		if all {
			sh.take = nil
		}
	}
	s.shapes.Store(key, sh)
	return sh, nil
}
