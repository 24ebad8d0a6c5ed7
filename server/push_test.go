package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/server"
)

// shop is a project with the push source sales_push, which feeds the feature view sales:
// key shop_id; features n, total and name.
var shop = fixture{project: "shop", registry: filepath.Join("push", "registry.db"), sqlite: filepath.Join("push", "online.db")}

// scripted is a writer that does what a test says.
type scripted func(ctx context.Context, name string, rows ingest.Rows) (ingest.Report, error)

func (s scripted) Push(ctx context.Context, req ingest.PushRequest) (ingest.Report, error) {
	return s(ctx, req.Project+"/"+req.Source+"/"+req.To.String(), req.Rows)
}

func (s scripted) Write(ctx context.Context, req ingest.WriteRequest) (ingest.Report, error) {
	return s(ctx, req.Project+"/"+req.View, req.Rows)
}

// scriptedServer starts a server that writes with a script.
func scriptedServer(t *testing.T, script scripted, change ...func(*server.Options)) *served {
	t.Helper()
	f := shop
	f.change = func(o *server.Options) {
		o.Writer = script
		for _, c := range change {
			c(o)
		}
	}
	return start(t, f)
}

// told is a row of the store as reads see it: n of the shops, null where nothing is stored.
func told(t *testing.T, s *served, shops ...int) string {
	t.Helper()
	b, _ := json.Marshal(shops)
	_, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features", `{"features":["sales:n"],"entities":{"shop_id":`+string(b)+`}}`)
	var body struct {
		Results []struct{ Values []json.RawMessage }
	}
	if err := json.Unmarshal([]byte(text), &body); err != nil || len(body.Results) != 2 {
		t.Fatal(text)
	}
	return string(slices.Concat(bytesOf(body.Results[1].Values)...))
}

func bytesOf(values []json.RawMessage) [][]byte {
	out := make([][]byte, len(values))
	for i, v := range values {
		out[i] = append(v, ' ')
	}
	return out
}

func integers(values ...int64) *types.RepeatedValue {
	out := new(types.RepeatedValue)
	for _, v := range values {
		out.Val = append(out.Val, &types.Value{Val: &types.Value_Int64Val{Int64Val: v}})
	}
	return out
}

func doubles(values ...float64) *types.RepeatedValue {
	out := new(types.RepeatedValue)
	for _, v := range values {
		out.Val = append(out.Val, &types.Value{Val: &types.Value_DoubleVal{DoubleVal: v}})
	}
	return out
}

func texts(values ...string) *types.RepeatedValue {
	out := new(types.RepeatedValue)
	for _, v := range values {
		out.Val = append(out.Val, &types.Value{Val: &types.Value_StringVal{StringVal: v}})
	}
	return out
}

// sales are rows of the view, whose event time is a day of 2024.
func sales(day int, shops ...int64) *banquetv1.PushRequest {
	m := &banquetv1.PushRequest{PushSource: "sales_push", Columns: map[string]*types.RepeatedValue{"shop_id": integers(shops...), "n": new(types.RepeatedValue), "total": new(types.RepeatedValue), "name": new(types.RepeatedValue)}}
	for _, s := range shops {
		m.Columns["n"].Val = append(m.Columns["n"].Val, integers(s*10).Val...)
		m.Columns["total"].Val = append(m.Columns["total"].Val, doubles(float64(s)/2).Val...)
		m.Columns["name"].Val = append(m.Columns["name"].Val, texts(fmt.Sprint(s)).Val...)
		m.EventTimestamps = append(m.EventTimestamps, timestamppb.New(time.Date(2024, 1, day, 0, 0, 0, 5000, time.UTC)))
	}
	return m
}

func writeOf(m *banquetv1.PushRequest) *banquetv1.WriteRequest {
	return &banquetv1.WriteRequest{Project: m.GetProject(), FeatureView: "sales", Columns: m.GetColumns(), EventTimestamps: m.GetEventTimestamps(), Partial: m.GetPartial()}
}

const (
	stored = banquetv1.WriteStatus_WRITE_STATUS_STORED
	older  = banquetv1.WriteStatus_WRITE_STATUS_OLDER
	failed = banquetv1.WriteStatus_WRITE_STATUS_FAILED
)

func TestPushOverGRPC(t *testing.T) {
	s := start(t, pushing(shop))
	client := banquetv1.NewFeatureServiceClient(s.grpc)
	pushed, err := client.Push(t.Context(), sales(5, 1, 2, 3))
	if err != nil {
		t.Fatal(err)
	}
	want := &banquetv1.PushResponse{Results: []*banquetv1.WriteResult{{FeatureView: "sales", Stored: 3, Statuses: []banquetv1.WriteStatus{stored, stored, stored}}}}
	if diff := cmp.Diff(want, pushed, protocmp.Transform()); diff != "" {
		t.Errorf("push (-want +got):\n%s", diff)
	}
	m := sales(4, 2, 4, 4)
	m.EventTimestamps[2] = timestamppb.New(time.Date(2024, 1, 9, 0, 0, 0, 0, time.UTC))
	written, err := client.Write(t.Context(), writeOf(m))
	if err != nil {
		t.Fatal(err)
	}
	result := &banquetv1.WriteResult{FeatureView: "sales", Stored: 1, Older: 2, Statuses: []banquetv1.WriteStatus{older, older, stored}}
	if diff := cmp.Diff(&banquetv1.WriteResponse{Result: result}, written, protocmp.Transform()); diff != "" {
		t.Errorf("an older row, and two of one key (-want +got):\n%s", diff)
	}
	if got := told(t, s, 1, 2, 3, 4, 5); got != "10 20 30 40 null " {
		t.Error(got)
	}
}

// TestWritesThatAreRefused covers mistakes of callers over gRPC: nothing is written, and
// the text names the place.
func TestWritesThatAreRefused(t *testing.T) {
	s := start(t, pushing(shop))
	client := banquetv1.NewFeatureServiceClient(s.grpc)
	for _, c := range []struct {
		name   string
		change func(m *banquetv1.PushRequest)
		code   codes.Code
		text   string
	}{
		{"an unknown push source", func(m *banquetv1.PushRequest) { m.PushSource = "nope" }, codes.NotFound, "Unable to find push source 'nope'."},
		{"no push source", func(m *banquetv1.PushRequest) { m.PushSource = "" }, codes.InvalidArgument, "the request names no push source; set push_source"},
		{"an unknown project", func(m *banquetv1.PushRequest) { m.Project = "other" }, codes.NotFound, "other"},
		{"an unknown target", func(m *banquetv1.PushRequest) { m.To = 9 }, codes.InvalidArgument, "to is 9"},
		{"a missing column", func(m *banquetv1.PushRequest) { delete(m.Columns, "n") }, codes.InvalidArgument, "lack column n"},
		{"no event time", func(m *banquetv1.PushRequest) { m.EventTimestamps = nil }, codes.InvalidArgument, "lack column event_timestamp"},
		{"event times twice", func(m *banquetv1.PushRequest) { m.Columns["event_timestamp"] = texts("2024-01-01", "2024-01-01") }, codes.InvalidArgument, `event_timestamps and a column "event_timestamp"`},
		{"an invalid event time", func(m *banquetv1.PushRequest) { m.EventTimestamps[1].Nanos = -1 }, codes.InvalidArgument, "event_timestamps, row 1: not a time"},
		{"too few event times", func(m *banquetv1.PushRequest) { m.EventTimestamps = m.EventTimestamps[:1] }, codes.InvalidArgument, "column event_timestamp has 1"},
		{"a column that is too long", func(m *banquetv1.PushRequest) { m.Columns["n"] = integers(1, 2, 3) }, codes.InvalidArgument, "column n has 3"},
		{"a value of another type", func(m *banquetv1.PushRequest) { m.Columns["n"] = texts("1", "many") }, codes.InvalidArgument, "column n, row 1 (shop_id=2)"},
		{"a key that is null", func(m *banquetv1.PushRequest) { m.Columns["shop_id"].Val[0] = &types.Value{} }, codes.InvalidArgument, "join key shop_id is null"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := sales(5, 1, 2)
			c.change(m)
			if _, err := client.Push(t.Context(), m); status.Code(err) != c.code || !strings.Contains(status.Convert(err).Message(), c.text) {
				t.Errorf("%v, want %v %q", err, c.code, c.text)
			}
			if got := told(t, s, 1, 2); got != "null null " {
				t.Errorf("stored: %s", got)
			}
		})
	}
}

// A partial request stores the rows that can be stored, and names the others.
func TestPartialWrites(t *testing.T) {
	s := start(t, pushing(shop))
	m := sales(5, 1, 2, 3)
	m.Columns["n"].Val[1] = texts("many").Val[0]
	m.Partial = true
	got, err := banquetv1.NewFeatureServiceClient(s.grpc).Write(t.Context(), writeOf(m))
	if err != nil {
		t.Fatal(err)
	}
	r := got.GetResult()
	if diff := cmp.Diff([]banquetv1.WriteStatus{stored, failed, stored}, r.GetStatuses()); diff != "" || r.GetFailed() != 1 || r.GetStored() != 2 {
		t.Errorf("%v %s", r, diff)
	}
	if e := r.GetErrors(); len(e) != 1 || e[0].GetRow() != 1 || codes.Code(e[0].GetCode()) != codes.InvalidArgument || !strings.Contains(e[0].GetMessage(), "shop_id=2") {
		t.Errorf("%v", e)
	}
	if got := told(t, s, 1, 2, 3); got != "10 null 30 " {
		t.Error(got)
	}
}

func TestPushOverREST(t *testing.T) {
	s := start(t, pushing(shop))
	post := func(path, body string) (int, string) {
		return fetch(t, http.MethodPost, "http://"+s.at.HTTP+path, body)
	}
	const rows = `"columns":{"shop_id":[1,2],"n":[9007199254740993,2],"total":{"val":[{"doubleVal":0.5},{}]},"name":"x"},"event_timestamps":["2024-01-01T00:00:00Z","2024-01-01T00:00:00.25Z"]`
	for _, c := range []struct {
		name, path, body string
		code             int
		text             string
	}{
		{"push", "/v1/push", `{"push_source":"sales_push",` + rows + `}`, 200, `{"results":[{"featureView":"sales","stored":"2","statuses":["WRITE_STATUS_STORED","WRITE_STATUS_STORED"]}]}`},
		{"push again", "/v1/projects/shop/push", `{"pushSource":"sales_push","to":"online",` + rows + `}`, 200, `"stored":"2"`},
		{"write", "/v1/write", `{"feature_view":"sales","project":"shop",` + rows + `}`, 200, `{"result":{"featureView":"sales","stored":"2",`},
		{"a target as an enum", "/v1/push", `{"push_source":"sales_push","to":"WRITE_TARGET_ONLINE",` + rows + `}`, 200, `"stored":"2"`},
		{"a target as a number", "/v1/push", `{"push_source":"sales_push","to":1,` + rows + `}`, 200, `"stored":"2"`},
		{"an unknown target", "/v1/push", `{"push_source":"sales_push","to":"nowhere",` + rows + `}`, 400, "nowhere is not a supported push format"},
		{"an unknown field", "/v1/write", `{"feature_view":"sales","df":{}}`, 400, "body.df: unknown field"},
		{"another project", "/v1/projects/shop/write", `{"feature_view":"sales","project":"other",` + rows + `}`, 400, "the path names project shop, the body other"},
		{"an unknown view", "/v1/write", `{"feature_view":"nope",` + rows + `}`, 404, "Feature view nope does not exist"},
		{"no view", "/v1/write", `{` + rows + `}`, 400, "names no feature view; set feature_view"},
		{"an object as a column", "/v1/write", `{"feature_view":"sales","columns":{"n":{"0":1}}}`, 400, `column \"n\" is an object`},
		{"a value that protobuf does not know", "/v1/write", `{"feature_view":"sales","columns":{"n":{"val":[{"int64":1}]}}}`, 400, `column \"n\" is not a list of values in protobuf's JSON`},
		{"no JSON", "/v1/push", `{`, 400, "the body is not JSON"},
		{"not UTF-8", "/v1/push", "\xff", 400, "not UTF-8"},
		{"no rows", "/v1/push", `{"push_source":"sales_push"}`, 200, `{"results":[{"featureView":"sales"}]}`},
		{"a time that is none", "/v1/write", `{"feature_view":"sales","columns":{},"event_timestamps":[5]}`, 400, "body.event_timestamps.0: Input should be a time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if code, text := post(c.path, c.body); code != c.code || !strings.Contains(text, c.text) {
				t.Errorf("%d %s, want %d %s", code, text, c.code, c.text)
			}
		})
	}
	if got := told(t, s, 1, 2); got != "9007199254740993 2 " {
		t.Error(got)
	}
	if code, text := fetch(t, http.MethodGet, "http://"+s.at.HTTP+"/v1/push", ""); code != http.StatusMethodNotAllowed {
		t.Error(code, text)
	}
}

// pushStream sends the messages of a stream over gRPC.
func pushStream(t *testing.T, s *served, messages ...*banquetv1.PushRequest) (*banquetv1.StreamPushResponse, error) {
	t.Helper()
	stream, err := banquetv1.NewFeatureServiceClient(s.grpc).StreamPush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if err := stream.Send(&banquetv1.StreamPushRequest{Request: m}); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	return stream.CloseAndRecv()
}

func TestStreamsThatWrite(t *testing.T) {
	s := start(t, pushing(shop))
	follow := sales(4, 2, 3)
	follow.PushSource = ""
	got, err := pushStream(t, s, sales(5, 1, 2), follow, &banquetv1.PushRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := &banquetv1.StreamPushResponse{Rows: 4, Results: []*banquetv1.WriteResult{{FeatureView: "sales", Stored: 3, Older: 1}}}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	stream, err := banquetv1.NewFeatureServiceClient(s.grpc).StreamWrite(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for day := range 30 {
		if err := stream.Send(&banquetv1.StreamWriteRequest{Request: writeOf(sales(day+1, 7, 8))}); err != nil {
			t.Fatal(err)
		}
	}
	written, err := stream.CloseAndRecv()
	if err != nil || written.GetRows() != 60 || written.GetResult().GetStored() != 60 {
		t.Error(written, err)
	}
	if got := told(t, s, 1, 2, 3, 7, 8); got != "10 20 30 70 80 " {
		t.Error(got)
	}
}

// TestStreamsThatEndEarly covers streams that fail: the text says where, and what of the
// rows before is stored.
func TestStreamsThatEndEarly(t *testing.T) {
	bad := sales(6, 3)
	bad.Columns["n"] = texts("many")
	other := sales(6, 3)
	other.PushSource = "another"
	for _, c := range []struct {
		name     string
		messages []*banquetv1.PushRequest
		code     codes.Code
		text     string
		stored   string
	}{
		{"no message", nil, codes.InvalidArgument, "the stream ended before its first message", "null null null "},
		{"a mistake in the first message", []*banquetv1.PushRequest{bad, sales(5, 1)}, codes.InvalidArgument, "begins at row 0; no row is before it: nothing was written", "null null null "},
		{"a mistake later", []*banquetv1.PushRequest{sales(5, 1, 2), bad, sales(5, 3)}, codes.InvalidArgument, "begins at row 2; all rows before it are written: nothing was written: feature view sales, column n, row 2 (shop_id=3)", "10 20 null "},
		{"another source", []*banquetv1.PushRequest{sales(5, 1), other}, codes.InvalidArgument, "begins at row 1; all rows before it are written: a message of the stream names another", "10 null null "},
		{"an unknown source", []*banquetv1.PushRequest{other}, codes.NotFound, "Unable to find push source 'another'.", "null null null "},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, pushing(shop))
			if _, err := pushStream(t, s, c.messages...); status.Code(err) != c.code || !strings.Contains(status.Convert(err).Message(), c.text) {
				t.Errorf("%v, want %v %q", err, c.code, c.text)
			}
			if got := told(t, s, 1, 2, 3); got != c.stored {
				t.Errorf("stored %s, want %s", got, c.stored)
			}
		})
	}
}

// A partial stream goes on after rows that cannot be written; its response counts them and
// names the first.
func TestPartialStreams(t *testing.T) {
	down := fault.Store(fault.Unavailable, "the store is down")
	s := scriptedServer(t, func(_ context.Context, _ string, rows ingest.Rows) (ingest.Report, error) {
		n := rows.Columns[0].Cells.Len()
		v := ingest.ViewReport{View: "sales", Rows: n, Stored: n - 1, Failed: []ingest.FailedRow{{Row: n - 1, Name: fmt.Sprintf("row %d", n-1), Err: down}}}
		return ingest.Report{Views: []ingest.ViewReport{v}}, down
	})
	m := sales(5, 1, 2)
	m.Partial = true
	got, err := pushStream(t, s, slices.Repeat([]*banquetv1.PushRequest{m}, 1500)...)
	if err != nil {
		t.Fatal(err)
	}
	r := got.GetResults()[0]
	if got.GetRows() != 3000 || r.GetStored() != 1500 || r.GetFailed() != 1500 || len(r.GetErrors()) != 1000 {
		t.Errorf("%d rows, %d stored, %d failed, %d errors", got.GetRows(), r.GetStored(), r.GetFailed(), len(r.GetErrors()))
	}
	if e := r.GetErrors()[999]; e.GetRow() != 1999 || codes.Code(e.GetCode()) != codes.Unavailable {
		t.Errorf("%v", e)
	}
	if got := metric(t, s, "banquet_write_rows_total"); !strings.Contains(got, `outcome="failed",project="shop"} 1500`) {
		t.Error(got)
	}
}

func TestStreamsOfLines(t *testing.T) {
	s := start(t, pushing(shop))
	line := func(shop, n int) string {
		return fmt.Sprintf(`{"feature_view":"sales","columns":{"shop_id":[%d],"n":[%d],"total":[1],"name":["a"],"event_timestamp":["2024-01-01"]}}`, shop, n)
	}
	for _, c := range []struct {
		name, path, body string
		code             int
		text             string
	}{
		{"lines", "/v1/write:stream", line(1, 5) + "\n\n" + line(2, 6) + "\r\n" + `{"request":` + line(3, 7) + `}`, 200, `{"rows":"3","result":{"featureView":"sales","stored":"3"}}`},
		{"a push", "/v1/push:stream", strings.Replace(line(4, 8), "feature_view\":\"sales", "push_source\":\"sales_push", 1) + "\n", 200, `{"rows":"1","results":[{"featureView":"sales","stored":"1"}]}`},
		{"a bad line", "/v1/write:stream", line(5, 1) + "\n{\n", 400, "begins at row 1; all rows before it are written: the body is not JSON"},
		{"a line of a stream, alone", "/v1/write", `{"request":` + line(1, 5) + `}`, 400, "body.request: unknown field"},
		{"a request in a request", "/v1/write:stream", `{"request":{"request":{}}}`, 400, "body.request: unknown field"},
		{"no line", "/v1/write:stream", " \n \n", 400, "the body has no line"},
		{"a line that is too long", "/v1/write:stream", line(6, 1) + "\n" + strings.Repeat(" ", 70<<20), 413, "begins at row 1; all rows before it are written: a line has more than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+c.path, c.body); code != c.code || !strings.Contains(text, c.text) {
				t.Errorf("%d %s, want %d %s", code, text, c.code, c.text)
			}
		})
	}
	if got := told(t, s, 1, 2, 3, 4, 5, 6); got != "5 6 7 8 1 1 " {
		t.Error(got)
	}
}

// Beyond loopback writes need a flag, and offline writes need the offline store's.
func TestWritesBeyondLoopback(t *testing.T) {
	ok := scripted(func(context.Context, string, ingest.Rows) (ingest.Report, error) { return ingest.Report{}, nil })
	for _, c := range []struct {
		name            string
		writes, offline bool
		to, refused     string
	}{
		{"neither", false, false, "online", "--allow-writes"},
		{"writes", true, false, "online", ""},
		{"writes, to the offline store", true, false, "online_and_offline", "--allow-offline"},
		{"the offline store only", false, true, "offline", "--allow-writes"},
		{"both", true, true, "offline", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := scriptedServer(t, ok, func(o *server.Options) {
				o.HTTP, o.AllowWrites, o.AllowOffline = "0.0.0.0:0", c.writes, c.offline
			})
			code, text := fetch(t, http.MethodPost, "http://"+strings.Replace(s.at.HTTP, "[::]", "127.0.0.1", 1)+"/push", `{"push_source_name":"s","df":{},"to":"`+c.to+`"}`, "Content-Type", "application/json")
			if want := map[bool]int{true: 200, false: 403}[c.refused == ""]; code != want || !strings.Contains(text, c.refused) {
				t.Errorf("%d %s, want %d", code, text, want)
			}
		})
	}
}

// TestFieldsOfFeastsRequests covers what the fields of Feast's requests become.
func TestFieldsOfFeastsRequests(t *testing.T) {
	var calls []string
	s := scriptedServer(t, func(_ context.Context, name string, rows ingest.Rows) (ingest.Report, error) {
		calls = append(calls, fmt.Sprintf("%s fresh=%t untransformed=%t columns=%d", name, rows.Fresh, rows.Untransformed, len(rows.Columns)))
		return ingest.Report{}, nil
	})
	for path, body := range map[string]string{
		"/push":                  `{"push_source_name":"s","df":{"a":[1]},"allow_registry_cache":false,"to":"offline","transform_on_write":false}`,
		"/write-to-online-store": `{"feature_view_name":"v","df":{"a":[1],"b":[2]},"allow_registry_cache":true}`,
	} {
		if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+path, body, "Content-Type", "application/json"); code != http.StatusOK {
			t.Error(code, text)
		}
	}
	client := feast.NewGrpcFeatureServerClient(s.grpc)
	if _, err := client.Push(t.Context(), &feast.PushRequest{StreamFeatureView: "s", To: "online_and_offline", AllowRegistryCache: true, Features: map[string]string{"a": "1"}}); err != nil {
		t.Error(err)
	}
	if _, err := client.WriteToOnlineStore(t.Context(), &feast.WriteToOnlineStoreRequest{FeatureViewName: "v"}); err != nil {
		t.Error(err)
	}
	own := banquetv1.NewFeatureServiceClient(s.grpc)
	if _, err := own.Push(t.Context(), &banquetv1.PushRequest{Project: "p", PushSource: "s", To: banquetv1.WriteTarget_WRITE_TARGET_ONLINE_AND_OFFLINE, TransformOnWrite: proto.Bool(false)}); err != nil {
		t.Error(err)
	}
	slices.Sort(calls)
	want := []string{
		"p/s/online_and_offline fresh=false untransformed=true columns=0",
		"shop/s/offline fresh=true untransformed=true columns=1",
		"shop/s/online_and_offline fresh=false untransformed=false columns=1",
		"shop/v fresh=false untransformed=false columns=2",
		"shop/v fresh=true untransformed=false columns=0",
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
