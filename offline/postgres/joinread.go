package postgres

import (
	"encoding/binary"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/banquet-fs/banquet/fault"
)

// read starts the statement of the join, or the statements of a wide one.
func (p *plan) read() *reader {
	r := &reader{t: p.t, what: p.what(), hidden: hiddenColumns, inspect: p.inspect}
	var names []string
	for _, v := range p.views {
		for i, at := range v.features {
			r.columns, names = append(r.columns, v.columns[at].column), append(names, v.Features[i])
		}
	}
	r.build(names)
	groups := p.groups()
	if len(groups) > 1 {
		r.rows = p.wide(groups)
		return r
	}
	r.rows = p.t.run(&command{sql: p.sql(groups[0]), formats: p.formats(groups[0])})
	return r
}

// hiddenColumns follow the features: the number of the entity row, and the number
// of a view of which a time is infinite, or null.
const hiddenColumns = 2

// formats are those of the columns that views add, and of the hidden columns.
func (p *plan) formats(views []*joined) (formats []int16) {
	for _, v := range views {
		for _, at := range v.features {
			formats = append(formats, v.columns[at].format)
		}
	}
	return append(formats, pgtype.BinaryFormatCode, pgtype.BinaryFormatCode)
}

// groups splits the views where they have more columns than a statement can.
func (p *plan) groups() (groups [][]*joined) {
	first, columns := 0, hiddenColumns
	for n, v := range p.views {
		if columns+len(v.features) > mostSelected {
			groups = append(groups, p.views[first:n])
			first, columns = n, hiddenColumns
		}
		columns += len(v.features)
	}
	return append(groups, p.views[first:])
}

// inspect checks that the rows come in order, and that no time of theirs is
// infinite.
func (p *plan) inspect(row int64, hidden [][]byte) error {
	if i := hidden[0]; len(i) != 8 || int64(binary.BigEndian.Uint64(i)) != row-1 {
		return fault.New(fault.Internal, "%s: the server joined the entity rows in another order", p.what())
	}
	at := hidden[1]
	if at == nil {
		if row > p.entities.rows {
			return fault.New(fault.Internal, "%s: the server returned more rows than there are entity rows", p.what())
		}
		return nil
	}
	if len(at) != 4 || int(binary.BigEndian.Uint32(at)) >= len(p.views) {
		return errShort
	}
	v := p.views[binary.BigEndian.Uint32(at)]
	column := v.event.name
	if v.created != nil {
		column += " or " + v.created.name
	}
	return v.refuse(fault.Invalid, "column %s, of the row that belongs to entity row %d: %v", column, row, errInfinite)
}
