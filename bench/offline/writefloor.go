package offline

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/bench/dataset"
	"github.com/banquet-fs/banquet/bench/floor"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/value"
)

// writeFloor is the practical minimum of a materialize: rows come from PostgreSQL in one
// COPY, become bodies of BatchWriteItem without anything in between, and are written over
// a number of connections. It takes one row for each key as given, and does not retry.
func writeFloor(ctx context.Context, client *floor.Client, dsn string, rows, connections int) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	t := balances()
	columns := append(names("", t.columns[:2]), names("", t.features())...)
	from, copied := io.Pipe()
	go func() {
		_, err := conn.PgConn().CopyTo(ctx, copied, fmt.Sprintf("COPY (SELECT %s FROM %s WHERE event_timestamp <= '%s') TO STDOUT (FORMAT binary)",
			strings.Join(columns, ", "), t.name, t.time(rows-1).Format(time.RFC3339Nano)))
		copied.CloseWithError(err)
	}()
	defer from.Close()
	w, err := newItems(t)
	if err != nil {
		return err
	}
	bodies := make(chan []byte, connections)
	group, ctx := errgroup.WithContext(ctx)
	for range connections {
		group.Go(func() error {
			for body := range bodies {
				if err := client.Call(ctx, "BatchWriteItem", body, acknowledged); err != nil {
					return err
				}
				w.free.Put(&body)
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(bodies)
		return w.read(ctx, bufio.NewReaderSize(from, 256<<10), bodies)
	})
	return group.Wait()
}

func acknowledged(body []byte) error {
	if !bytes.Contains(body, []byte(`"UnprocessedItems":{}`)) {
		return fmt.Errorf("not all items are written: %s", body)
	}
	return nil
}

// items makes bodies of BatchWriteItem from rows in the binary format of COPY.
type items struct {
	table *table
	tags  []byte // of each feature's value: the field's number and wire type
	key   []byte // the entity key, whose last eight bytes are the value
	free  sync.Pool
	cell  []byte
}

func newItems(t *table) (*items, error) {
	w := &items{table: t, free: sync.Pool{New: func() any { b := make([]byte, 0, 32<<10); return &b }}}
	for _, c := range t.features() {
		// Fields of feast.types.Value: int64_val 4, string_val 2, double_val 5, float_val 6, bool_val 7.
		w.tags = append(w.tags, map[string]byte{"bigint": 4 << 3, "text": 2<<3 | 2, "double precision": 5<<3 | 1, "real": 6<<3 | 5, "boolean": 7 << 3}[c.sql])
	}
	raw, err := proto.Marshal(&types.Value{Val: &types.Value_Int64Val{Int64Val: 1}})
	if err != nil {
		return nil, err
	}
	w.key, err = value.NewKeyLayout(3, []string{t.key()}).Append(nil, [][]byte{raw})
	return w, err
}

// read sends the rows in bodies of 25 items.
func (w *items) read(ctx context.Context, r *bufio.Reader, bodies chan<- []byte) error {
	if _, err := r.Discard(19); err != nil {
		return err
	}
	send := func(body []byte) error {
		select {
		case bodies <- append(body, "]}}"...):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		body := (*w.free.Get().(*[]byte))[:0]
		body = append(body, `{"RequestItems":{"`+dataset.Project+`.`+w.table.view+`":[`...)
		for n := range 25 {
			more, err := w.row(r, &body, n == 0)
			if err != nil {
				return err
			}
			if !more && n > 0 {
				return send(body)
			}
			if !more {
				return nil
			}
		}
		if err := send(body); err != nil {
			return err
		}
	}
}

// row appends the put of the next row, if there is one.
func (w *items) row(r *bufio.Reader, body *[]byte, first bool) (more bool, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return false, err
	}
	if int16(binary.BigEndian.Uint16(head[:])) < 0 {
		return false, nil
	}
	b := *body
	if !first {
		b = append(b, ',')
	}
	key, _, err := w.next(r)
	if err != nil || len(key) != 8 {
		return false, errors.Join(err, errors.New("a row without its key"))
	}
	binary.LittleEndian.PutUint64(w.key[len(w.key)-8:], binary.BigEndian.Uint64(key))
	b = value.AppendEntityID(append(b, `{"PutRequest":{"Item":{"entity_id":{"S":"`...), w.key)
	b = append(b, `"},"event_ts":{"S":"`...)
	at, _, err := w.next(r)
	if err != nil || len(at) != 8 {
		return false, errors.Join(err, errors.New("a row without its event time"))
	}
	t := time.UnixMicro(int64(binary.BigEndian.Uint64(at)) + epoch).UTC()
	layout := "2006-01-02 15:04:05.000000-07:00"
	if t.Nanosecond() == 0 {
		layout = "2006-01-02 15:04:05-07:00"
	}
	b = append(t.AppendFormat(b, layout), `"},"values":{"M":{`...)
	for i, c := range w.table.features() {
		cell, null, err := w.next(r)
		if err != nil {
			return false, err
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), c.name...), `":{"B":"`...)
		var v [64]byte
		if !null {
			b = base64.StdEncoding.AppendEncode(b, encoded(v[:0], w.tags[i], cell))
		}
		b = append(b, `"}`...)
	}
	b = append(b, "}}}}}"...)
	*body = b
	return true, nil
}

// next reads a cell, which is valid until the next one.
func (w *items) next(r *bufio.Reader) (cell []byte, null bool, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, false, err
	}
	n := int32(binary.BigEndian.Uint32(head[:]))
	if n < 0 {
		return nil, true, nil
	}
	if int(n) > cap(w.cell) {
		w.cell = make([]byte, 2*n)
	}
	_, err = io.ReadFull(r, w.cell[:n])
	return w.cell[:n], false, err
}

// encoded appends a feast.types.Value of a cell.
func encoded(b []byte, tag byte, cell []byte) []byte {
	b = append(b, tag)
	switch tag & 7 {
	case 0: // varint: an integer or a boolean
		if len(cell) == 1 {
			return append(b, cell[0])
		}
		return binary.AppendUvarint(b, binary.BigEndian.Uint64(cell))
	case 1:
		return binary.LittleEndian.AppendUint64(b, binary.BigEndian.Uint64(cell))
	case 5:
		return binary.LittleEndian.AppendUint32(b, binary.BigEndian.Uint32(cell))
	}
	return append(binary.AppendUvarint(b, uint64(len(cell))), cell...)
}
