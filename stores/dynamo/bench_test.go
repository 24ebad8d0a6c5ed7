package dynamo

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/stores"
)

// answerOf makes a call of n keys and the body of its response.
func answerOf(n, features int) (*tableRead, *call, []byte) {
	var names []string
	for f := range features {
		names = append(names, fmt.Sprintf("feature_%d", f))
	}
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "key %d", i)
	}
	set := new(idSet)
	set.fill(keys)
	t := &tableRead{tableName: &tableName{"p.v", `"p.v"`}, projection: newProjection(names), set: set, rows: make([]stores.Row, n)}
	indexes := make([]int32, n)
	var b strings.Builder
	b.WriteString(`{"Responses":{"p.v":[`)
	for i := range indexes {
		indexes[i] = int32(i)
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"event_ts":{"S":"2024-06-12 06:11:06+00:00"},"values":{"M":{`)
		for f, name := range names {
			if f > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `"%s":{"B":"%s"}`, name, base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "\x12\x0bvalue %05d", i)))
		}
		fmt.Fprintf(&b, `}},"entity_id":{"S":"%s"}}`, set.id(int32(i)))
	}
	b.WriteString(`]},"UnprocessedKeys":{},"ConsumedCapacity":[{"TableName":"p.v","CapacityUnits":50.0}]}`)
	return t, &call{spans: []span{{table: t, keys: indexes}}}, []byte(b.String())
}

// scanOnce scans a fresh copy of a body: base64 is decoded in place.
func scanOnce(tb testing.TB, t *tableRead, c *call, values [][]byte, body, scratch []byte) {
	copy(scratch, body)
	c.spans[0].values = values
	c.units = c.units[:0]
	clear(t.rows)
	if err := c.scan(scratch); err != nil {
		tb.Fatal(err)
	}
	if n := len(t.rows); !t.rows[n-1].Found || string(t.rows[n-1].Values[0]) != fmt.Sprintf("\x12\x0bvalue %05d", n-1) {
		tb.Fatalf("%+v", t.rows[n-1])
	}
}

func BenchmarkScan(b *testing.B) {
	for _, features := range []int{10, 50} {
		b.Run(fmt.Sprintf("100x%d", features), func(b *testing.B) {
			t, c, body := answerOf(100, features)
			values, scratch := make([][]byte, 100*features), make([]byte, len(body))
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				scanOnce(b, t, c, values, body, scratch)
			}
		})
	}
}

func BenchmarkRequestBody(b *testing.B) {
	_, c, _ := answerOf(100, 10)
	var body []byte
	b.ReportAllocs()
	for b.Loop() {
		body = appendBatchGet(body[:0], c.spans)
	}
}

// The scanner allocates per response, not per value.
func TestScanningAllocatesNoMoreThanBefore(t *testing.T) {
	table, c, body := answerOf(100, 50)
	values, scratch := make([][]byte, 100*50), make([]byte, len(body))
	got := testing.AllocsPerRun(20, func() { scanOnce(t, table, c, values, body, scratch) })
	if got > 6 {
		t.Errorf("scanning a response allocates %.0f times", got)
	}
	var request []byte
	if got := testing.AllocsPerRun(20, func() { request = appendBatchGet(request[:0], c.spans) }); got > 1 {
		t.Errorf("writing a request allocates %.0f times", got)
	}
}
