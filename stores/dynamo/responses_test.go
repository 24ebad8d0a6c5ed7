package dynamo_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/awsconf"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
	"github.com/banquet-fs/banquet/value"
)

// byClient runs a test with each client.
func byClient(t *testing.T, test func(t *testing.T, sdk bool)) {
	t.Helper()
	for name, sdk := range map[string]bool{"direct": false, "sdk": true} {
		t.Run(name, func(t *testing.T) { test(t, sdk) })
	}
}

const (
	itemID    = `{"entity_id":{"S":"ID"},"event_ts":{"S":"2024-06-12 06:11:06+00:00"},"values":{"M":{"a":{"B":"EgNhYmM="}}}}`
	itemOther = `{"entity_id":{"S":"00000000000000000000000000000000"},"values":{"M":{"a":{"B":"EgNhYmM="}}}}`
)

// A response that does not say whether a row exists is an error, never a missing
// row.
func TestResponsesThatOmitARowAreErrors(t *testing.T) {
	byClient(t, func(t *testing.T, sdk bool) {
		for name, text := range map[string]string{
			"nothing":             ``,
			"an empty object":     `{}`,
			"no responses":        `{"UnprocessedKeys":{}}`,
			"null responses":      `{"Responses":null}`,
			"a null table":        `{"Responses":{"p.v":null}}`,
			"a null item":         `{"Responses":{"p.v":[null]}}`,
			"a refusal":           `{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}`,
			"an item without key": `{"Responses":{"p.v":[{"values":{"M":{}}}]}}`,
			"a key of numbers":    `{"Responses":{"p.v":[{"entity_id":{"N":"1"}}]}}`,
			"another's item":      `{"Responses":{"p.v":[` + itemOther + `]}}`,
			"another's table":     `{"Responses":{"p.w":[` + itemID + `]}}`,
			"an item twice":       `{"Responses":{"p.v":[` + itemID + `,{"entity_id":{"S":"ID"}}]}}`,
			"left: no key":        `{"Responses":{"p.v":[]},"UnprocessedKeys":{"p.v":{"Keys":[{}]}}}`,
			"left: a number":      `{"Responses":{"p.v":[]},"UnprocessedKeys":{"p.v":{"Keys":[{"entity_id":{"N":"1"}}]}}}`,
			"left: another's":     `{"Responses":{"p.v":[]},"UnprocessedKeys":{"p.v":{"Keys":[{"entity_id":{"S":"00"}}]}}}`,
		} {
			row, err := readOneBy(t, sdk, []byte(text))
			if fault.KindOf(err) != fault.Unavailable {
				t.Errorf("%s: read as %+v, %v", name, row, err)
				continue
			}
			if !strings.Contains(err.Error(), "p.v") {
				t.Errorf("%s: %q does not name the table", name, err)
			}
		}
	})
}

// Unknown or unrequested parts of a response do no harm.
func TestUnrequestedPartsOfAResponseAreIgnored(t *testing.T) {
	byClient(t, func(t *testing.T, sdk bool) {
		for name, text := range map[string]string{
			"nulls":          `{"Responses":{"p.v":[` + itemID + `]},"UnprocessedKeys":null,"ConsumedCapacity":null}`,
			"others' items":  `{"Responses":{"p.v":[` + itemOther + `,` + itemID + `,` + itemOther + `],"p.w":[` + itemOther + `]}}`,
			"others' leaves": `{"Responses":{"p.v":[` + itemID + `]},"UnprocessedKeys":{"p.w":{"Keys":[{"entity_id":{"S":"00"}}]}}}`,
		} {
			row, err := readOneBy(t, sdk, []byte(text))
			if err != nil || !row.Found || string(row.Values[0]) != "\x12\x03abc" || row.Values[1] != nil {
				t.Errorf("%s: %+v, %v", name, row, err)
			}
		}
	})
}

// A stored value that is not bytes is invalid, not missing.
func TestStoredValuesOfOtherTypesAreInvalid(t *testing.T) {
	byClient(t, func(t *testing.T, sdk bool) {
		for _, text := range []string{
			`{"M":{"a":{"S":"abc"},"b":{"B":""}}}`, `{"M":{"a":{"N":"5"},"b":{"B":""}}}`, `{"M":{"a":{"NULL":true},"b":{"B":""}}}`,
			`{"M":{"a":{"L":[]},"b":{"B":""}}}`, `{"S":"abc"}`, `{"L":[]}`, `{"NULL":true}`,
		} {
			row, err := readOneBy(t, sdk, []byte(`{"Responses":{"p.v":[{"entity_id":{"S":"ID"},"values":`+text+`}]}}`))
			if err != nil || !row.Found || row.Values[0] == nil || value.Check(row.Values[0]) == nil {
				t.Errorf("%s: %+v, %v", text, row, err)
			}
			if strings.HasPrefix(text, `{"M"`) && (row.Values[1] == nil || row.Values[2] != nil) {
				t.Errorf("%s: the values beside it are %+v", text, row.Values)
			}
		}
	})
}

// Refusals of a proxy or load balancer are classified by their status, whatever
// the body.
func TestRefusalsOfAProxy(t *testing.T) {
	byClient(t, func(t *testing.T, sdk bool) {
		for status, want := range map[int]fault.Kind{
			429: fault.Overloaded, 408: fault.Unavailable, 500: fault.Unavailable, 502: fault.Unavailable, 503: fault.Unavailable,
			400: fault.Unavailable, 403: fault.Unavailable, 404: fault.Unavailable, 413: fault.Unavailable, 301: fault.Unavailable,
		} {
			for _, body := range []string{"", "<html>", "{}"} {
				h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(status)
					_, _ = w.Write([]byte(body))
				}))
				if err := readFrom(t, h.URL, sdk, time.Second); fault.KindOf(err) != want {
					t.Errorf("%d %q: %v (%v)", status, body, err, fault.KindOf(err))
				}
				h.Close()
			}
		}
	})
}

// When the deadline passes, the error names the table that did not respond, also
// in the middle of a response.
func TestATimeoutNamesTheTable(t *testing.T) {
	byClient(t, func(t *testing.T, sdk bool) {
		for _, part := range []string{"", `{"Responses":`} {
			h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // a server notices a closed connection only after it has read the body
				if part != "" {
					w.Header().Set("Content-Length", "100")
					_, _ = fmt.Fprint(w, part)
					_ = http.NewResponseController(w).Flush()
				}
				<-r.Context().Done()
			}))
			err := readFrom(t, h.URL, sdk, 50*time.Millisecond)
			if fault.KindOf(err) != fault.TimedOut || !strings.Contains(err.Error(), "p.v") {
				t.Errorf("%q: %v (%v) %+v", part, err, fault.KindOf(err), fault.Cause(err))
			}
			h.CloseClientConnections()
			h.Close()
		}
	})
}

// readFrom reads one key from a server within a time limit, and returns the error.
func readFrom(t *testing.T, url string, sdk bool, within time.Duration) error {
	t.Helper()
	c, err := awsconf.Load(t.Context(), awsconf.Options{Region: "ap-northeast-2", Endpoint: url})
	if err != nil {
		t.Fatal(err)
	}
	s := dynamo.Open(dynamo.Options{AWS: c, SDK: sdk})
	defer func() { _ = s.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	rows, err := s.Read(ctx, []stores.Read{{Table: stores.Table{Project: "p", View: "v"}, Features: stores.NewSelection("a"), Keys: [][]byte{[]byte("k")}}})
	if err != nil {
		return err
	}
	defer rows.Release()
	return rows.Reads[0][0].Err
}
