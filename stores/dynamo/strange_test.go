package dynamo_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
)

var view = stores.Table{Project: "p", View: "v"}

// at opens a store with either client at an address.
func at(t *testing.T, url string, sdk bool) *dynamo.Store {
	t.Helper()
	return openWith(t, url, aws.NewCredentialsCache(new(provider)), sdk)
}

// ids returns the entity ids that a BatchGetItem requests.
func ids(t *testing.T, request []byte) (list []string) {
	t.Helper()
	var in struct {
		RequestItems map[string]struct {
			Keys []map[string]struct{ S string }
		}
	}
	if err := json.Unmarshal(request, &in); err != nil {
		t.Errorf("the request is not JSON: %v", err)
	}
	for _, k := range in.RequestItems["p.v"].Keys {
		list = append(list, k["entity_id"].S)
	}
	return list
}

func item(id, base64 string) string {
	return `{"event_ts":{"S":"2024-06-12 06:11:06+00:00"},"values":{"M":{"a":{"B":"` + base64 + `"}}},"entity_id":{"S":"` + id + `"}}`
}

func answerOf(items ...string) []byte {
	return []byte(`{"Responses":{"p.v":[` + strings.Join(items, ",") + `]},"UnprocessedKeys":{}}`)
}

func readKeys(t *testing.T, s *dynamo.Store, n int) ([]stores.Row, error) {
	t.Helper()
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "key %d", i)
	}
	rows, err := s.Read(t.Context(), []stores.Read{{Table: view, Features: stores.NewSelection("a"), Keys: keys}})
	if err != nil {
		return nil, err
	}
	t.Cleanup(rows.Release)
	return rows.Reads[0], nil
}

// A row in another call's response is not accepted.
func TestRowsOfOtherCallsAreNotAccepted(t *testing.T) {
	byClient(t, func(t *testing.T, sdk bool) {
		const n = 101 // two calls
		last := make(chan string, 1)
		url := dynamotest.StartFixed(t, func(request []byte) []byte {
			asked := ids(t, request)
			if len(asked) == 1 {
				last <- asked[0]
				return answerOf()
			}
			items := []string{item(<-last, "EgNhYmM=")}
			for _, id := range asked {
				items = append(items, item(id, "EgNhYmM="))
			}
			return answerOf(items...)
		})
		rows, err := readKeys(t, at(t, url, sdk), n)
		if err != nil {
			t.Fatal(err)
		}
		if r := rows[n-1]; r.Found || r.Err != nil {
			t.Errorf("the row that its own response does not hold: %+v", r)
		}
	})
}

// serveRaw handles connections by hand and returns the address.
func serveRaw(t *testing.T, answer func(c net.Conn, r *bufio.Reader)) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		connections.Wait()
	})
	connections.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() {
				defer func() { _ = c.Close() }()
				answer(c, bufio.NewReader(c))
			})
		}
	})
	return "http://" + listener.Addr().String()
}

// request reads a request and returns the id that it requests; empty at the end.
func request(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	req, err := http.ReadRequest(r)
	if err != nil {
		return ""
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return ""
	}
	return ids(t, body)[0]
}

func response(body []byte) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// Load balancers send a timeout response, unasked, on a connection that was idle
// for long. It is not the response to the next call.
func TestUnrequestedResponsesAreIgnored(t *testing.T) {
	byClient(t, func(t *testing.T, sdk bool) {
		told := make(chan struct{}, 8)
		url := serveRaw(t, func(c net.Conn, r *bufio.Reader) {
			if id := request(t, r); id != "" {
				_, _ = io.WriteString(c, response(answerOf(item(id, "EgNhYmM="))))
				<-time.After(10 * time.Millisecond)
				_, _ = io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
				told <- struct{}{}
				_, _ = r.ReadByte() // until the client closes
			}
		})
		s := at(t, url, sdk)
		for range 3 {
			rows, err := readKeys(t, s, 1)
			if err != nil {
				t.Fatal(err)
			}
			if !rows[0].Found {
				t.Fatalf("%+v", rows[0])
			}
			<-told
			<-time.After(30 * time.Millisecond) // idle, with the unasked response in between
		}
	})
}

// A second response to a call is not accepted for the next call. This holds for
// the direct client only: net/http, under the SDK, reuses a connection before it
// checks whether more bytes have arrived on it.
func TestASecondResponseIsNotUsedForTheNextCall(t *testing.T) {
	var calls atomic.Int32
	url := serveRaw(t, func(c net.Conn, r *bufio.Reader) {
		for id := request(t, r); id != ""; id = request(t, r) {
			value := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "\x12\x01%d", calls.Add(1)))
			answer := response(answerOf(item(id, value)))
			_, _ = io.WriteString(c, answer+answer)
		}
	})
	s := at(t, url, false)
	for i := range 5 {
		rows, err := readKeys(t, s, 1)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("\x12\x01%d", i+1); string(rows[0].Values[0]) != want {
			t.Fatalf("call %d returned %q", i+1, rows[0].Values[0])
		}
	}
}
