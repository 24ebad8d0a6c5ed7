package serving

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/value"
)

// entityColumn is a typed column of the request. It is part of a view's key, or the
// response echoes it, or both.
type entityColumn struct {
	echo   string
	hidden bool
	values [][]byte
}

// boundGroup holds the keys of one key group: each distinct key once, and for
// each row the index of its key.
type boundGroup struct {
	keys [][]byte
	// fan is the key of each row; nil when row i has key i.
	fan  []int32
	seen keySet
}

// release drops the keys and keeps the slice for the next request.
func (b *boundGroup) release() {
	clear(b.keys)
	b.keys, b.fan = b.keys[:0], nil
}

// bindColumns types the columns of the request. It drops columns that the project
// does not know, and request data.
func (r *Response) bindColumns(req *Request) error {
	for i := range req.Columns {
		c := &req.Columns[i]
		in, ok := r.plan.inputs[c.Name]
		if !ok || c.Context && hasEntities(req.Columns, c.Name) {
			continue
		}
		values, err := r.typed(c, in.kind, req.Coerce)
		if err != nil {
			return err
		}
		if again := r.column(in.echo); again != nil {
			again.values = values // the column was sent under the entity's and the key's name: as in Feast the last one counts
			continue
		}
		r.columns = append(r.columns, entityColumn{echo: in.echo, hidden: in.hidden, values: values})
	}
	return nil
}

// hasEntities reports whether the entity rows have a column.
func hasEntities(columns []Column, name string) bool {
	for i := range columns {
		if columns[i].Name == name && !columns[i].Context {
			return true
		}
	}
	return false
}

// typed returns the values of a column as serialized Values.
func (r *Response) typed(c *Column, kind types.ValueType_Enum, coerce bool) ([][]byte, error) {
	if c.JSON == nil && !coerce {
		return c.Values, r.refuseNull(c, c.Values)
	}
	if c.JSON != nil && kind == types.ValueType_INVALID {
		kind = value.Infer(c.JSON)
	}
	values := r.allocValues(c.rows())
	for row := range values {
		var err error
		if c.JSON != nil {
			start := len(r.arena)
			r.arena, err = value.AppendFromJSON(r.arena, c.JSON[row], kind)
			values[row] = r.arena[start:len(r.arena):len(r.arena)]
		} else {
			values[row], err = value.Coerce(c.Values[row], kind)
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, "entity column %q, row %d: %s", c.Name, row, fault.Of(err).Text).
				About("column", c.Name, r.plan.shape.project).Because(err)
		}
	}
	return values, r.refuseNull(c, values)
}

// refuseNull refuses a null key: no row has one. A list or an object is refused
// too, since it has no value of a key's type. In a column that is no key of a
// requested view, a null is echoed.
func (r *Response) refuseNull(c *Column, values [][]byte) error {
	name := c.Name
	in := r.plan.inputs[name]
	if in.hidden {
		return nil
	}
	for row := range values {
		if len(values[row]) == 0 {
			what, none := "null", true
			if c.JSON != nil {
				what, none = jsonKind(c.JSON[row])
			}
			if none && !in.key {
				continue
			}
			return fault.New(fault.Invalid, "entity column %q, row %d: the value is %s; a key needs a number, text or a boolean", name, row, what).
				About("column", name, r.plan.shape.project)
		}
	}
	return nil
}

// jsonKind names a token that is not a scalar; none reports whether it means "no value".
func jsonKind(token []byte) (name string, none bool) {
	switch {
	case len(token) > 0 && token[0] == '[':
		return "a list", false
	case len(token) > 0 && token[0] == '{':
		return "an object", false
	case len(token) > 0 && token[0] == 'N':
		return "NaN", true
	}
	return "null", true
}

// bindKeys serializes the keys of every group.
func (r *Response) bindKeys() error {
	if cap(r.groups) < len(r.plan.groups) {
		r.groups = make([]boundGroup, len(r.plan.groups))
	}
	r.groups = r.groups[:len(r.plan.groups)]
	for i := range r.plan.groups {
		if err := r.bindGroup(&r.groups[i], &r.plan.groups[i]); err != nil {
			return err
		}
	}
	return nil
}

func (r *Response) bindGroup(b *boundGroup, g *keyGroup) error {
	if g.dummy {
		return r.bindDummy(b, g)
	}
	columns := make([][][]byte, 0, 4)
	layout := g.layout
	for i := range g.keys {
		c := r.column(g.keys[i].column)
		if c == nil && g.keys[i].fallback != "" {
			c = r.column(g.keys[i].fallback)
		}
		if c != nil {
			columns = append(columns, c.values)
		}
	}
	if len(columns) == 0 || r.rows == 0 {
		return r.missingKeys(g)
	}
	if len(columns) < len(g.keys) {
		layout = r.partialLayout(g)
	}
	return r.serialize(b, layout, columns)
}

// partialLayout is the layout of a composite key of which some columns are missing.
// As in Feast, the shorter key is looked up, and no row has it.
func (r *Response) partialLayout(g *keyGroup) *value.KeyLayout {
	var names []string
	for i := range g.keys {
		k := &g.keys[i]
		if r.column(k.column) != nil || k.fallback != "" && r.column(k.fallback) != nil {
			names = append(names, k.joinKey)
		}
	}
	return value.NewKeyLayout(r.plan.keyVersion, names)
}

// serialize makes one key per row and keeps each distinct key once.
func (r *Response) serialize(b *boundGroup, layout *value.KeyLayout, columns [][][]byte) error {
	row := make([][]byte, len(columns))
	b.seen.reset(r.rows)
	b.keys, b.fan = slices.Grow(b.keys[:0], r.rows), nil
	for i := range r.rows {
		for c := range columns {
			row[c] = columns[c][i]
		}
		start := len(r.arena)
		var err error
		if r.arena, err = layout.Append(r.arena, row); err != nil {
			return fault.New(fault.Invalid, "row %d of the entity columns: %s", i, fault.Of(err).Text).Because(err)
		}
		key := r.arena[start:len(r.arena):len(r.arena)]
		index := b.seen.add(b.keys, key)
		if int(index) == len(b.keys) {
			b.keys = append(b.keys, key)
		} else {
			r.arena = r.arena[:start]
			b.fanOut(i, r.rows)
		}
		if b.fan != nil {
			b.fan[i] = index
		}
	}
	return nil
}

// fanOut makes the row map at the first repeated key: each row before it has its own
// key.
func (b *boundGroup) fanOut(row, rows int) {
	if b.fan != nil {
		return
	}
	b.fan = make([]int32, rows)
	for i := range row {
		b.fan[i] = int32(i)
	}
}

// bindDummy gives all rows the one key of a view without entities.
func (r *Response) bindDummy(b *boundGroup, g *keyGroup) error {
	if r.rows == 0 {
		return r.missingKeys(g)
	}
	key, err := g.layout.Append(nil, [][]byte{value.AppendString(nil, "")})
	if err != nil {
		return err
	}
	b.keys, b.fan = [][]byte{key}, make([]int32, r.rows)
	return nil
}

func (r *Response) column(name string) *entityColumn {
	for i := range r.columns {
		if r.columns[i].echo == name {
			return &r.columns[i]
		}
	}
	return nil
}

// missingKeys is Feast's error for a view of which no join key was sent.
func (r *Response) missingKeys(g *keyGroup) error {
	var missing, provided []string
	for _, k := range r.plan.projectKeys {
		if !r.feeds(g, k) {
			missing = append(missing, k)
		}
	}
	for i := range r.columns {
		if !r.columns[i].hidden {
			provided = append(provided, r.columns[i].echo)
		}
	}
	if slices.ContainsFunc(r.plan.groups, func(g keyGroup) bool { return g.dummy }) {
		provided = append(provided, registry.DummyKey)
	}
	return fault.New(fault.Invalid, "Missing join key values for keys: %s. No values provided for keys: %s. Provided join_key_values: %s",
		fault.PythonList(missing), fault.PythonList(r.plan.projectKeys), fault.PythonList(provided)).For(fault.Lookup).Help("%s", r.needs(g))
}

// needs says in plain words what a group lacks: Feast's error lists all keys of the
// project.
func (r *Response) needs(g *keyGroup) string {
	if len(r.columns) > 0 && r.rows == 0 {
		return "the request has no rows"
	}
	keys := make([]string, len(g.keys))
	for i := range g.keys {
		keys[i] = g.keys[i].column
	}
	return "the features need a value of " + strings.Join(keys, " and ")
}

// feeds reports whether the request has a column for a join key of the group.
func (r *Response) feeds(g *keyGroup, joinKey string) bool {
	for i := range g.keys {
		k := &g.keys[i]
		if k.joinKey == joinKey {
			return r.column(k.column) != nil || k.fallback != "" && r.column(k.fallback) != nil
		}
	}
	return false
}

// keySet finds repeated keys. It holds indexes into the list of distinct keys, with
// open addressing: for a hundred keys this costs a fifth of a map.
type keySet struct {
	slots []int32 // index + 1; 0 is free
}

// keySeed prevents callers from choosing keys that collide.
var keySeed = maphash.MakeSeed()

// reset empties the set and sizes it for n keys.
func (s *keySet) reset(n int) {
	size := 0
	if n > 1 {
		for size = 4; size < 2*n; {
			size *= 2
		}
	}
	s.slots = slices.Grow(s.slots[:0], size)[:size]
	clear(s.slots)
}

// add returns the index of key in keys, or len(keys) when it is new.
func (s *keySet) add(keys [][]byte, key []byte) int32 {
	if len(s.slots) == 0 {
		return int32(len(keys))
	}
	mask := uint64(len(s.slots) - 1)
	for i := maphash.Bytes(keySeed, key) & mask; ; i = (i + 1) & mask {
		switch at := s.slots[i]; {
		case at == 0:
			s.slots[i] = int32(len(keys)) + 1
			return int32(len(keys))
		case string(keys[at-1]) == string(key):
			return at - 1
		}
	}
}
