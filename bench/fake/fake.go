// Package fake is the BatchGetItem of a DynamoDB that holds the data set, and the
// BatchWriteItem of one further table. It is fast enough not to affect the measurement,
// and its latency and faults can be set. It refuses the most common mistakes, as DynamoDB
// does: too many keys, repeated keys, unknown tables, an invalid projection.
package fake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/banquet-fs/banquet/bench/dataset"
)

// Settings are the latency and the faults. Shares are of calls; the share of
// Unprocessed is of keys. Faults are drawn for each call.
type Settings struct {
	// Latency is the median latency, and the latency of every call if Sigma is 0.
	Latency time.Duration
	// Sigma makes the latency lognormal: p99 = Latency * exp(2.326 Sigma).
	Sigma float64
	// Slow is the share of calls that take SlowBy longer.
	Slow   float64
	SlowBy time.Duration

	Unprocessed, Throttle, Error500, Error503, Reset, Cut, Corrupt float64
}

// The operations, as the header X-Amz-Target names them.
const (
	readOperation  = "DynamoDB_20120810.BatchGetItem"
	writeOperation = "DynamoDB_20120810.BatchWriteItem"
	putOperation   = "DynamoDB_20120810.PutItem"
)

// Counts are the calls since the start, and how many of them DynamoDB would refuse.
type Counts struct{ Calls, Refused int64 }

// Server is the store.
type Server struct {
	settings atomic.Pointer[Settings]
	tables   map[string]*table
	shapes   sync.Map // a projection with its names -> *shape
	written  atomic.Pointer[written]

	calls, refused atomic.Int64
}

// New makes a store that holds every entity of the data set.
func New() (*Server, error) {
	s := &Server{tables: map[string]*table{}}
	s.settings.Store(&Settings{})
	s.written.Store(newWritten())
	for _, v := range dataset.Views() {
		t, err := newTable(v)
		if err != nil {
			return nil, err
		}
		s.tables[v.Table()] = t
	}
	return s, nil
}

// Serve serves on the listener until it is closed. In addition to DynamoDB's path,
// POST /_set changes the Settings, GET /_counts returns the Counts, GET /_written what
// was Written, and POST /_clear forgets that.
func (s *Server) Serve(lis net.Listener) error {
	srv := &fasthttp.Server{
		Handler: s.handle, NoDefaultServerHeader: true, NoDefaultDate: true, NoDefaultContentType: true, MaxRequestBodySize: 64 << 20,
	}
	return srv.Serve(lis)
}

func (s *Server) handle(ctx *fasthttp.RequestCtx) {
	switch string(ctx.Path()) {
	case "/_set":
		set := new(Settings)
		if err := json.Unmarshal(ctx.PostBody(), set); err != nil {
			ctx.Error(err.Error(), http.StatusBadRequest)
			return
		}
		s.settings.Store(set)
	case "/_counts":
		_ = json.NewEncoder(ctx).Encode(Counts{s.calls.Load(), s.refused.Load()})
	case "/_written":
		_ = json.NewEncoder(ctx).Encode(s.written.Load().result())
	case "/_clear":
		s.written.Store(newWritten())
	default:
		s.call(ctx)
	}
}

func (s *Server) call(ctx *fasthttp.RequestCtx) {
	s.calls.Add(1)
	set := s.settings.Load()
	operation := string(ctx.Request.Header.Peek("X-Amz-Target"))
	if operation != readOperation && operation != writeOperation && operation != putOperation {
		s.refuse(ctx, "UnknownOperationException", "only BatchGetItem, BatchWriteItem and PutItem are here")
		return
	}
	wait(set)
	switch {
	case chance(set.Throttle):
		fail(ctx, http.StatusBadRequest, "ProvisionedThroughputExceededException", "The level of configured provisioned throughput for the table was exceeded.")
		return
	case chance(set.Error500):
		fail(ctx, http.StatusInternalServerError, "InternalServerError", "Internal server error")
		return
	case chance(set.Error503):
		ctx.SetStatusCode(http.StatusServiceUnavailable)
		ctx.SetContentType("text/html")
		ctx.SetBodyString("<html><body><b>Http/1.1 Service Unavailable</b></body></html>")
		return
	case chance(set.Reset):
		hangUp(ctx, nil)
		return
	}
	var body []byte
	var err error
	switch operation {
	case readOperation:
		body, err = s.respond(ctx.PostBody(), set.Unprocessed)
	case putOperation:
		body, err = s.put(ctx.PostBody())
	default:
		body, err = s.batchWrite(ctx.PostBody())
	}
	if err != nil {
		s.refuse(ctx, "ValidationException", err.Error())
		return
	}
	sum := crc32.ChecksumIEEE(body)
	switch {
	case chance(set.Cut):
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\nX-Amz-Crc32: %d\r\n\r\n", len(body), sum)
		hangUp(ctx, append([]byte(head), body[:len(body)/2]...))
		return
	case chance(set.Corrupt):
		body[rand.IntN(len(body))] ^= byte(1 + rand.IntN(255))
	}
	respond(ctx, http.StatusOK, body, sum)
}

// wait waits for the latency of a call.
func wait(set *Settings) {
	d := set.Latency
	if set.Sigma > 0 {
		d = time.Duration(float64(d) * math.Exp(set.Sigma*rand.NormFloat64()))
	}
	if chance(set.Slow) {
		d += set.SlowBy
	}
	if d > 0 {
		<-time.After(d)
	}
}

func chance(p float64) bool { return p > 0 && rand.Float64() < p }

func (s *Server) refuse(ctx *fasthttp.RequestCtx, kind, text string) {
	s.refused.Add(1)
	fail(ctx, http.StatusBadRequest, kind, text)
}

func fail(ctx *fasthttp.RequestCtx, status int, kind, text string) {
	body := fmt.Appendf(nil, `{"__type":"com.amazonaws.dynamodb.v20120810#%s","message":%q}`, kind, text)
	respond(ctx, status, body, crc32.ChecksumIEEE(body))
}

func respond(ctx *fasthttp.RequestCtx, status int, body []byte, sum uint32) {
	h := &ctx.Response.Header
	ctx.SetStatusCode(status)
	h.SetContentType("application/x-amz-json-1.0")
	h.Set("X-Amzn-Requestid", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEF")
	h.Set("X-Amz-Crc32", strconv.FormatUint(uint64(sum), 10))
	ctx.Response.SetBodyRaw(body)
}

// hangUp sends the given bytes and resets the connection.
func hangUp(ctx *fasthttp.RequestCtx, what []byte) {
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(c net.Conn) {
		_, err := c.Write(what)
		if u, ok := c.(interface{ UnsafeConn() net.Conn }); ok {
			c = u.UnsafeConn()
		}
		if t, ok := c.(*net.TCPConn); ok && (err != nil || what == nil) {
			_ = t.SetLinger(0)
		}
	})
}

type keysOf struct {
	Keys                     []map[string]struct{ S string }
	ProjectionExpression     string
	ExpressionAttributeNames json.RawMessage
}

// respond makes the body of a response. Unprocessed keys are drawn with the given share,
// but never all of a call: DynamoDB returns a throttling error then.
func (s *Server) respond(request []byte, undone float64) ([]byte, error) {
	var in struct{ RequestItems map[string]keysOf }
	if err := json.Unmarshal(request, &in); err != nil {
		return nil, err
	}
	total := 0
	for _, k := range in.RequestItems {
		total += len(k.Keys)
	}
	if total == 0 || total > 100 {
		return nil, fmt.Errorf("1 to 100 keys are allowed, not %d", total)
	}
	out := append(make([]byte, 0, 1024*total), `{"Responses":{`...)
	var left bytes.Buffer
	first, served := true, false
	for name, want := range in.RequestItems {
		t := s.tables[name]
		if t == nil {
			return nil, fmt.Errorf("requested resource not found: %s", name)
		}
		sh, err := s.shape(t, want)
		if err != nil {
			return nil, err
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = append(append(append(out, '"'), name...), `":[`...)
		mark := len(out)
		var skipped []string
		seen := make(map[string]bool, len(want.Keys))
		for _, k := range want.Keys {
			id := k["entity_id"].S
			if seen[id] {
				return nil, fmt.Errorf("provided list of item keys contains duplicates")
			}
			seen[id] = true
			if chance(undone) && (served || len(seen) < len(want.Keys)) {
				skipped = append(skipped, id)
				continue
			}
			served = true
			if out, err = t.append(out, mark, id, sh); err != nil {
				return nil, err
			}
		}
		out = append(out, ']')
		appendLeft(&left, name, want, skipped)
	}
	out = append(append(out, `},"UnprocessedKeys":{`...), left.Bytes()...)
	return append(out, "}}"...), nil
}

func appendLeft(left *bytes.Buffer, name string, want keysOf, ids []string) {
	if len(ids) == 0 {
		return
	}
	if left.Len() > 0 {
		left.WriteByte(',')
	}
	fmt.Fprintf(left, `%q:{`, name)
	if want.ProjectionExpression != "" {
		fmt.Fprintf(left, `"ProjectionExpression":%q,"ExpressionAttributeNames":%s,`, want.ProjectionExpression, want.ExpressionAttributeNames)
	}
	left.WriteString(`"Keys":[`)
	for i, id := range ids {
		if i > 0 {
			left.WriteByte(',')
		}
		fmt.Fprintf(left, `{"entity_id":{"S":%q}}`, id)
	}
	left.WriteString(`]}`)
}
