package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/server"
	"github.com/banquet-fs/banquet/value"
)

const inquiries = "credit_scoring_aws.credit_inquiries"

// inquiryNames are the keys of the rows that the tests of faults push.
var inquiryNames = []string{"a", "b", "c"}

// surfaces push the rows of inquiryNames, each over another surface and with a deadline, and
// return a code and the text of the error.
func surfaces(t *testing.T, s *served, timeout time.Duration) map[string]func() (codes.Code, string) {
	over := func(path, body string) func() (codes.Code, string) {
		return func() (codes.Code, string) {
			status, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+path, body, "Content-Type", "application/json", "Grpc-Timeout", fmt.Sprintf("%dm", timeout.Milliseconds()))
			code, known := map[int]codes.Code{200: codes.OK, 503: codes.Unavailable, 504: codes.DeadlineExceeded}[status]
			if !known {
				t.Errorf("%s: status %d", path, status)
			}
			return code, text
		}
	}
	calling := func(call func(ctx context.Context) error) func() (codes.Code, string) {
		return func() (codes.Code, string) {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			err := call(ctx)
			return status.Code(err), status.Convert(err).Message()
		}
	}
	const columns = `{"dob_ssn":["a","b","c"],"inquiries_24h":[1,2,3],"last_amount":1.5,"flagged":true,"last_inquiry_at":null,"lender":"x","event_timestamp":"2024-07-01T10:00:00Z"}`
	own := &banquetv1.PushRequest{PushSource: "inquiry_push", Columns: map[string]*types.RepeatedValue{
		"dob_ssn": texts("a", "b", "c"), "inquiries_24h": integers(1, 2, 3), "last_amount": doubles(1.5, 1.5, 1.5),
		"flagged": {Val: slices.Repeat([]*types.Value{{Val: &types.Value_BoolVal{BoolVal: true}}}, 3)}, "last_inquiry_at": {Val: []*types.Value{{}, {}, {}}}, "lender": texts("x", "x", "x"),
		"event_timestamp": texts("2024-07-01T10:00:00Z", "2024-07-01T10:00:00Z", "2024-07-01T10:00:00Z"),
	}}
	return map[string]func() (codes.Code, string){
		"/push":                  over("/push", `{"push_source_name":"inquiry_push","df":`+columns+`}`),
		"/write-to-online-store": over("/write-to-online-store", `{"feature_view_name":"credit_inquiries","df":`+columns+`}`),
		"/v1/push":               over("/v1/push", `{"push_source":"inquiry_push","columns":`+columns+`}`),
		"/v1/write:stream":       over("/v1/write:stream", `{"feature_view":"credit_inquiries","columns":`+columns+`}`),
		"Push": calling(func(ctx context.Context) error {
			_, err := banquetv1.NewFeatureServiceClient(s.grpc).Push(ctx, own)
			return err
		}),
		"StreamPush": calling(func(ctx context.Context) error {
			stream, err := banquetv1.NewFeatureServiceClient(s.grpc).StreamPush(ctx)
			if err != nil {
				return err
			}
			_ = stream.Send(&banquetv1.StreamPushRequest{Request: own}) // the response has the error
			_, err = stream.CloseAndRecv()
			return err
		}),
		"GrpcFeatureServer": calling(func(ctx context.Context) error {
			for i, name := range inquiryNames {
				_, err := feast.NewGrpcFeatureServerClient(s.grpc).Push(ctx, &feast.PushRequest{StreamFeatureView: "inquiry_push", To: "online", Features: map[string]string{
					"dob_ssn": name, "inquiries_24h": fmt.Sprint(i), "last_amount": "1.5", "flagged": "true", "last_inquiry_at": "1719824400", "lender": "x", "event_timestamp": "2024-07-01T10:00:00Z",
				}})
				if err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

// storedInquiries are the rows of inquiryNames that reads find.
func storedInquiries(t *testing.T, s *served) map[string]bool {
	t.Helper()
	_, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features", `{"features":["credit_inquiries:lender"],"entities":{"dob_ssn":["a","b","c"]}}`)
	var body struct{ Results []struct{ Values []*string } }
	if err := json.Unmarshal([]byte(text), &body); err != nil || len(body.Results) != 2 {
		t.Fatal(text)
	}
	stored := map[string]bool{}
	for i, name := range inquiryNames {
		stored[name] = body.Results[1].Values[i] != nil
	}
	return stored
}

// TestFaultsOfWrites covers failures of the store on every surface: each row is stored, or
// the error names it, and the same request completes the work when the store is back.
func TestFaultsOfWrites(t *testing.T) {
	few, all := []string{"/push", "Push"}, slices.Sorted(maps.Keys(surfaces(t, nil, 0)))
	for _, c := range []struct {
		name     string
		faults   dynamotest.Faults
		surfaces []string
	}{
		{"throttled", dynamotest.Faults{Throttle: 1}, few},
		{"errors", dynamotest.Faults{Error500: 1}, all},
		{"unavailable", dynamotest.Faults{Error503: 1}, few},
		{"resets", dynamotest.Faults{Reset: 1}, few},
		{"hangs", dynamotest.Faults{Hang: 1}, few},
		{"garbage", dynamotest.Faults{Garbage: 1}, few},
		{"forbidden", dynamotest.Faults{Forbidden: map[string]bool{inquiries: true}}, few},
		{"half failing", dynamotest.Faults{Error500: 0.5, Reset: 0.3}, all},
	} {
		for _, surface := range c.surfaces {
			t.Run(c.name+" "+surface, func(t *testing.T) {
				t.Parallel()
				s := start(t, pushing(fixture{project: "credit_scoring_aws", registry: "credit_scoring/registry/4_incremental.db"}))
				s.dynamo.Put(inquiries, map[string]json.RawMessage{"entity_id": json.RawMessage(`{"S":"none"}`)})
				s.dynamo.Set(c.faults)
				code, text := pushInTime(t, s, surface)
				s.dynamo.Set(dynamotest.Faults{})
				if code != codes.Unavailable && code != codes.DeadlineExceeded && (code != codes.OK || c.name != "half failing") {
					t.Errorf("%v %s", code, text)
				}
				storedOrNamed(t, s, surface, code, text)
			})
		}
	}
}

// pushInTime pushes with a short deadline, and with longer ones until the response arrives
// before the deadline: gRPC replaces a later response by an error of its own.
func pushInTime(t *testing.T, s *served, surface string) (code codes.Code, text string) {
	t.Helper()
	for timeout := 400 * time.Millisecond; timeout < 30*time.Second; timeout *= 4 {
		code, text = surfaces(t, s, timeout)[surface]()
		if code != codes.DeadlineExceeded || strings.Contains(text, "stored") {
			break
		}
	}
	return code, text
}

var namedRow = regexp.MustCompile(`row \d+ \(dob_ssn=\\?"?(\w)\\?"?\)`)

// storedOrNamed checks the rows after a failure, and pushes them again.
func storedOrNamed(t *testing.T, s *served, surface string, code codes.Code, text string) {
	t.Helper()
	named, all := map[string]bool{}, strings.Contains(text, "none of the 3 rows are stored")
	for _, m := range namedRow.FindAllStringSubmatch(text, -1) {
		named[m[1]] = true
	}
	for name, stored := range storedInquiries(t, s) {
		if !stored && !all && !named[name] && (surface != "GrpcFeatureServer" || len(named) == 0) {
			t.Errorf("%s is not stored, and is not named: %v %s", name, code, text)
		}
	}
	if code, text := surfaces(t, s, 30*time.Second)[surface](); code != codes.OK {
		t.Errorf("when the store is back: %v %s", code, text)
	}
	for name, stored := range storedInquiries(t, s) {
		if !stored {
			t.Errorf("%s is not stored when the store is back", name)
		}
	}
}

// A server that stops says which rows of a write are not stored before it closes the connection.
func TestWritesWhenTheServerStops(t *testing.T) {
	f := pushing(fixture{project: "credit_scoring_aws", registry: "credit_scoring/registry/4_incremental.db"})
	f.change = func(o *server.Options) { o.DrainTime = time.Second }
	s := start(t, f)
	s.dynamo.Put(inquiries, map[string]json.RawMessage{"entity_id": json.RawMessage(`{"S":"none"}`)})
	s.dynamo.Set(dynamotest.Faults{Hang: 1})
	stopped := make(chan error, 1)
	time.AfterFunc(200*time.Millisecond, func() { stopped <- s.stop() })
	code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/push",
		`{"push_source_name":"inquiry_push","df":{"dob_ssn":["a"],"inquiries_24h":1,"last_amount":1.5,"flagged":true,"last_inquiry_at":null,"lender":"x","event_timestamp":"2024-07-01"}}`,
		"Content-Type", "application/json")
	if code != http.StatusServiceUnavailable || !strings.Contains(text, "the server is stopping") || !strings.Contains(text, `row 0 (dob_ssn=`) {
		t.Errorf("%d %s", code, text)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

// The response names rows by their keys, which may be personal data; the log does not.
func TestKeysOfWrittenRowsAreNotLogged(t *testing.T) {
	var log bytes.Buffer
	f := pushing(fixture{project: "credit_scoring_aws", registry: "credit_scoring/registry/4_incremental.db"})
	f.change = func(o *server.Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	s := start(t, f)
	s.dynamo.Put(inquiries, map[string]json.RawMessage{"entity_id": json.RawMessage(`{"S":"none"}`)})
	key, err := value.NewKeyLayout(3, []string{"dob_ssn"}).Append(nil, [][]byte{value.AppendString(nil, "19530219_5179")})
	if err != nil {
		t.Fatal(err)
	}
	s.dynamo.Set(dynamotest.Faults{Refuse: map[string]bool{string(value.AppendEntityID(nil, key)): true}})
	for _, path := range []string{"/v1/write", "/v1/write:stream"} {
		code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+path,
			`{"feature_view":"credit_inquiries","columns":{"dob_ssn":["19530219_5179","b"],"inquiries_24h":1,"last_amount":1.5,"flagged":true,"last_inquiry_at":null,"lender":"x","event_timestamp":"2024-07-01"}}`)
		if code != http.StatusServiceUnavailable || !strings.Contains(text, "19530219_5179") {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); strings.Count(text, "request failed") != 2 || strings.Contains(text, "19530219") {
		t.Error(text)
	}
}
