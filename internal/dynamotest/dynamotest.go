// Package dynamotest implements DynamoDB's wire protocol in the process, for
// tests and measurements: the calls that an online store makes, with the
// service's real limits and refusals, and with faults that can be switched on.
package dynamotest

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// item is an item in wire JSON: a map from attribute to {"S": …}.
type item = map[string]json.RawMessage

// table is one table.
type table struct {
	items map[string]item
	sizes map[string]int // of the items
	tags  map[string]string
}

func newTable() *table {
	return &table{items: map[string]item{}, sizes: map[string]int{}, tags: map[string]string{}}
}

// Server keeps tables in memory and speaks DynamoDB's JSON protocol.
type Server struct {
	// URL is where a started server listens.
	URL string

	mu     sync.Mutex
	tables map[string]*table
	faults Faults
	counts map[string]int
	keys   int

	connections, open atomic.Int64

	idleMu sync.Mutex
	idle   map[net.Conn]bool
}

// Faults are injected failures, and how often they occur: shares between 0 and
// 1 of the calls, or of the keys for Unprocessed.
type Faults struct {
	Throttle, Error500, Error503, Unprocessed float64
	Hang, Reset, Cut, BadCRC, Garbage         float64
	// Latency passes before every answer.
	Latency func() time.Duration
	// SlowFirstByte delays a share of the responses by Delay.
	SlowFirstByte float64
	Delay         time.Duration
	// Forbidden lists tables that respond with AccessDeniedException.
	Forbidden map[string]bool
	// Refuse lists ids whose items are treated as invalid.
	Refuse map[string]bool
	// Expired treats all credentials as expired; ValidKey treats all but those
	// of one access key as expired.
	Expired  bool
	ValidKey string
	// Secret is the key that signatures are verified with; empty verifies none.
	Secret string
	// Ahead is how far the server's clock is ahead of the caller's. Signatures
	// more than five minutes off are refused.
	Ahead time.Duration
}

// New makes a server that does not listen; it is an http.Handler.
func New() *Server {
	return &Server{tables: map[string]*table{}, counts: map[string]int{}, idle: map[net.Conn]bool{}}
}

// Start starts a server for a test.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s := New()
	h := httptest.NewUnstartedServer(s)
	h.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		s.note(conn, state == http.StateIdle)
		switch state {
		case http.StateNew:
			s.connections.Add(1)
		case http.StateClosed, http.StateHijacked:
			s.open.Add(-1)
			return
		default:
			return
		}
		s.open.Add(1)
	}
	h.Start()
	s.URL = h.URL
	tb.Cleanup(func() {
		h.CloseClientConnections()
		h.Close()
	})
	return s
}

func (s *Server) note(conn net.Conn, idle bool) {
	s.idleMu.Lock()
	defer s.idleMu.Unlock()
	if idle {
		s.idle[conn] = true
		return
	}
	delete(s.idle, conn)
}

// CloseIdle closes the connections that are idle, as the service does after some time.
func (s *Server) CloseIdle() {
	s.idleMu.Lock()
	defer s.idleMu.Unlock()
	for conn := range s.idle {
		_ = conn.Close()
	}
}

// Set switches faults on; the zero value switches all off.
func (s *Server) Set(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// Count returns how often an operation was called since the last Reset.
func (s *Server) Count(operation string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[operation]
}

// Connections returns how many connections were made, and how many are open.
func (s *Server) Connections() (made, open int) {
	return int(s.connections.Load()), int(s.open.Load())
}

// Reset sets the counters back.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts, s.keys = map[string]int{}, 0
}

// Items gives the items of a table in wire JSON, by entity_id.
func (s *Server) Items(name string) map[string]map[string]json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]map[string]json.RawMessage{}
	if t := s.tables[name]; t != nil {
		for id, it := range t.items {
			out[id] = it
		}
	}
	return out
}

// Put puts an item in wire JSON into a table, which is made if it is missing.
func (s *Server) Put(name string, it map[string]json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[name]
	if t == nil {
		t = newTable()
		s.tables[name] = t
	}
	t.put(it)
}

// Tags gives the tags of a table.
func (s *Server) Tags(name string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tables[name]; t != nil {
		return t.tags
	}
	return nil
}

// Drop removes a table without the store's knowledge.
func (s *Server) Drop(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tables, name)
}

// refusal is an error of the service.
type refusal struct {
	status int
	kind   string
	text   string
	item   item // of a failed condition
}

func (r *refusal) Error() string { return r.kind + ": " + r.text }

func invalid(format string, args ...any) error {
	return &refusal{status: 400, kind: "com.amazon.coral.validate#ValidationException", text: fmt.Sprintf(format, args...)}
}

func missing() error {
	return &refusal{status: 400, kind: "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", text: "Requested resource not found"}
}

func denied() error {
	return &refusal{status: 400, kind: "com.amazon.coral.service#AccessDeniedException", text: "User is not authorized to perform this operation"}
}

// ServeHTTP responds to one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f := s.count(op)
	if f.Latency != nil {
		pause(r, f.Latency())
	}
	if s.broken(w, r, f) {
		return
	}
	if err := verify(r, body, f); err != nil {
		w.Header().Set("Date", time.Now().Add(f.Ahead).UTC().Format(http.TimeFormat))
		s.refuse(w, err)
		return
	}
	answer, err := s.answer(op, body, f)
	if err != nil {
		s.refuse(w, err)
		return
	}
	s.write(w, f, answer)
}

// count counts a call and returns the faults in force.
func (s *Server) count(op string) Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[op]++
	return s.faults
}

func pause(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}

// broken fails a call before it is processed.
func (s *Server) broken(w http.ResponseWriter, r *http.Request, f Faults) bool {
	hit := func(share float64) bool { return share > 0 && rand.Float64() < share }
	switch {
	case f.Expired:
		s.refuse(w, &refusal{status: 400, kind: "com.amazon.coral.service#ExpiredTokenException", text: "The security token included in the request is expired"})
	case hit(f.Throttle):
		s.refuse(w, &refusal{status: 400, kind: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", text: "The level of configured provisioned throughput for the table was exceeded"})
	case hit(f.Error500):
		s.refuse(w, &refusal{status: 500, kind: "com.amazonaws.dynamodb.v20120810#InternalServerError", text: "internal"})
	case hit(f.Error503):
		s.refuse(w, &refusal{status: 503, kind: "com.amazon.coral.availability#ServiceUnavailableException", text: "unavailable"})
	case hit(f.Hang):
		<-r.Context().Done()
	case hit(f.Reset):
		hijack(w, nil)
	case hit(f.Garbage):
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte(`{"Responses":{"t":[{"entity_id":{"S":`))
	case hit(f.SlowFirstByte):
		pause(r, f.Delay)
		return false
	default:
		return false
	}
	return true
}

// hijack ends the connection after some bytes.
func hijack(w http.ResponseWriter, b []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = conn.Write(b)
	_ = conn.Close()
}

func (s *Server) write(w http.ResponseWriter, f Faults, answer any) {
	b, err := json.Marshal(answer)
	if err != nil {
		panic(err) // responses consist of values that came as JSON
	}
	sum := crc32.ChecksumIEEE(b)
	if f.BadCRC > 0 && rand.Float64() < f.BadCRC {
		sum++
	}
	if f.Cut > 0 && rand.Float64() < f.Cut {
		head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\nx-amz-crc32: %d\r\n\r\n", len(b), sum)
		hijack(w, append([]byte(head), b[:len(b)/2]...))
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(sum), 10))
	w.Header().Set("X-Amzn-Requestid", "test")
	_, _ = w.Write(b)
}

func (s *Server) refuse(w http.ResponseWriter, err error) {
	r, ok := err.(*refusal) //nolint:errorlint // made here
	if !ok {
		r = &refusal{status: 400, kind: "com.amazon.coral.service#SerializationException", text: err.Error()}
	}
	body := map[string]any{"__type": r.kind, "message": r.text}
	if r.item != nil {
		body["Item"] = r.item
	}
	b, _ := json.Marshal(body)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(b)), 10))
	w.WriteHeader(r.status)
	_, _ = w.Write(b)
}

// answer executes an operation.
func (s *Server) answer(op string, body []byte, f Faults) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch op {
	case "BatchGetItem":
		return s.batchGet(body, f)
	case "BatchWriteItem":
		return s.batchWrite(body, f)
	case "PutItem":
		return s.putItem(body, f)
	case "GetItem":
		return s.getItem(body, f)
	case "DeleteItem":
		return s.deleteItem(body, f)
	case "Scan":
		return s.scan(body, f)
	}
	return s.admin(op, body, f)
}

// table finds a table that is accessible.
func (s *Server) table(name string, f Faults) (*table, error) {
	if f.Forbidden[name] {
		return nil, denied()
	}
	t := s.tables[name]
	if t == nil {
		return nil, missing()
	}
	return t, nil
}

func idOf(it item) string {
	var s struct{ S string }
	_ = json.Unmarshal(it["entity_id"], &s)
	return s.S
}
