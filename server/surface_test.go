package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/status"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/server"
	"github.com/banquet-fs/banquet/stores"
)

const gzip = "gzip"

// TestExpiredRowsBySurface requests a row that is years older than its ttl.
func TestExpiredRowsBySurface(t *testing.T) {
	const body = `{"features":["credit_history:credit_card_due"],"entities":{"dob_ssn":["19630621_4278"]}}`
	for _, c := range []struct{ setting, feast, own string }{
		{"", `"values":[5619],"statuses":["PRESENT"]`, `"values":[5619],"statuses":["OUTSIDE_MAX_AGE"]`},
		{"ignore", `"values":[5619],"statuses":["PRESENT"]`, `"values":[5619],"statuses":["PRESENT"]`},
		{"mark", `"values":[5619],"statuses":["OUTSIDE_MAX_AGE"]`, `"values":[5619],"statuses":["OUTSIDE_MAX_AGE"]`},
		{"null", `"values":[null],"statuses":["OUTSIDE_MAX_AGE"]`, `"values":[null],"statuses":["OUTSIDE_MAX_AGE"]`},
	} {
		t.Run("ttl "+c.setting, func(t *testing.T) {
			f := credit
			f.change = func(o *server.Options) { o.TTL = c.setting }
			s := start(t, f)
			if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/get-online-features", body, "Content-Type", "application/json"); code != http.StatusOK || !strings.Contains(text, c.feast) {
				t.Errorf("Feast's HTTP: %d %s", code, text)
			}
			if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features", body); code != http.StatusOK || !strings.Contains(text, c.own) {
				t.Errorf("own HTTP: %d %s", code, text)
			}
			req := &feast.GetOnlineFeaturesRequest{
				Kind:     &feast.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: []string{"credit_history:credit_card_due"}}},
				Entities: map[string]*types.RepeatedValue{"dob_ssn": {Val: []*types.Value{{Val: &types.Value_StringVal{StringVal: "19630621_4278"}}}}},
			}
			resp, err := feast.NewServingServiceClient(s.grpc).GetOnlineFeatures(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if got := resp.GetResults()[1].GetStatuses()[0]; strings.Contains(c.own, "OUTSIDE") != (got == feast.FieldStatus_OUTSIDE_MAX_AGE) {
				t.Errorf("ServingService: %s", got)
			}
		})
	}
}

// TestPartialResponses denies access to one of two tables: the request fails, or, if it
// is partial, only the cells of that table are unreadable.
func TestPartialResponses(t *testing.T) {
	s := start(t, credit)
	s.dynamo.Set(dynamotest.Faults{Forbidden: map[string]bool{"credit_scoring_aws.credit_history": true}})
	const entities = `"entities":{"zipcode":[76104],"dob_ssn":["19630621_4278"]}`
	const features = `"features":["zipcode_features:city","credit_history:credit_card_due"]`
	code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features", `{`+features+`,`+entities+`}`)
	if code != http.StatusServiceUnavailable || !strings.Contains(text, "credit_history") {
		t.Errorf("%d %s", code, text)
	}
	code, text = fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features", `{`+features+`,`+entities+`,"partial":true}`)
	if code != http.StatusOK || !strings.Contains(text, `"DALLAS"`) || !strings.Contains(text, `"values":[null],"statuses":["UNREADABLE"]`) {
		t.Errorf("%d %s", code, text)
	}
}

// TestResponsesOfTheStoreAreBounded exceeds the limit on the store's bytes for one
// request, and the limit for all requests.
func TestResponsesOfTheStoreAreBounded(t *testing.T) {
	const features = `"features":["zipcode_features:city"]`
	small, large := `{`+features+`,"entities":{"zipcode":[76104]}}`, `{`+features+`,"entities":{"zipcode":[76104,10001,94109,1,2,3]}}`
	for _, c := range []struct {
		budget *stores.Budget
		held   int // bytes of other requests
		status int
		grpc   codes.Code
		want   string
	}{
		{stores.NewBudget(400, 0), 0, http.StatusRequestEntityTooLarge, codes.ResourceExhausted, "banquet.limits.store_bytes)"},
		{stores.NewBudget(0, 300), 100, http.StatusTooManyRequests, codes.ResourceExhausted, "banquet.limits.store_bytes_total)"},
	} {
		f := credit
		f.budget = c.budget
		s := start(t, f)
		if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features", small); code != http.StatusOK {
			t.Fatal(code, text)
		}
		release := hold(t, c.budget, c.held)
		if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features", large); code != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%d %s, want %d", code, text, c.status)
		}
		ids := &types.RepeatedValue{}
		for _, zip := range []int64{76104, 10001, 94109, 1, 2, 3} {
			ids.Val = append(ids.Val, &types.Value{Val: &types.Value_Int64Val{Int64Val: zip}})
		}
		_, err := feast.NewServingServiceClient(s.grpc).GetOnlineFeatures(t.Context(), &feast.GetOnlineFeaturesRequest{
			Kind:     &feast.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: []string{"zipcode_features:city"}}},
			Entities: map[string]*types.RepeatedValue{"zipcode": ids},
		})
		if status.Code(err) != c.grpc || !strings.Contains(err.Error(), c.want) {
			t.Errorf("gRPC: %v, want %v", err, c.grpc)
		}
		release()
		if n := c.budget.Used(); n != 0 {
			t.Errorf("%d bytes are not released", n)
		}
	}
}

// hold uses n bytes of a budget.
func hold(t *testing.T, b *stores.Budget, n int) (release func()) {
	t.Helper()
	l := stores.NewLayer(holding(n))
	l.Limit(b)
	rows, err := l.Read(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return rows.Release
}

// holding is a driver whose responses have so many bytes.
type holding int

func (h holding) Fetch(_ context.Context, reads []stores.Read, meter *stores.Meter) (*stores.Rows, error) {
	return stores.NewRows(reads, nil), meter.Count(int(h))
}

// TestAllViewsAreReadInOneCall counts the calls of a request over two tables.
func TestAllViewsAreReadInOneCall(t *testing.T) {
	s := start(t, credit)
	s.dynamo.Reset()
	if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features",
		`{"feature_service":"credit_model_v1","entities":{"zipcode":[76104,10001,76104],"dob_ssn":["a","b","a"]}}`); code != http.StatusOK {
		t.Fatal(code, text)
	}
	if n := s.dynamo.Count("BatchGetItem"); n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestStream(t *testing.T) {
	s := start(t, credit)
	code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features:stream",
		`{"features":["zipcode_features:city"],"entities":{"zipcode":[76104,10001,1,2,3]},"chunk_rows":2}`)
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if code != http.StatusOK || len(lines) != 3 || !strings.HasPrefix(lines[2], `{"result":{"first_row":4,`) {
		t.Errorf("%d %q", code, lines)
	}
	code, text = fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features:stream", `{"feature_service":"nope","entities":{"zipcode":[1]}}`)
	if code != http.StatusNotFound || !strings.HasPrefix(text, `{"code":5,`) {
		t.Errorf("a refusal before the first chunk: %d %q", code, text)
	}
	stream, err := banquetv1.NewFeatureServiceClient(s.grpc).StreamOnlineFeatures(t.Context(), &banquetv1.StreamOnlineFeaturesRequest{
		Request: &banquetv1.GetOnlineFeaturesRequest{
			Kind:     &banquetv1.GetOnlineFeaturesRequest_FeatureService{FeatureService: "nope"},
			Entities: map[string]*types.RepeatedValue{"zipcode": {Val: []*types.Value{{Val: &types.Value_Int64Val{Int64Val: 1}}}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); status.Code(err) != codes.NotFound {
		t.Errorf("%v, want NOT_FOUND", err)
	}
}

// An error after the first chunk ends the stream with a line that holds the error.
func TestAStreamThatFailsSaysWhy(t *testing.T) {
	s := start(t, credit)
	keys := strings.TrimSuffix(strings.Repeat("76104,", 200000), ",")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features:stream",
		strings.NewReader(`{"features":["zipcode_features:city"],"entities":{"zipcode":[`+keys+`]}}`))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	if first, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(first, `{"result":{"first_row":0,`) {
		t.Fatalf("%v %.100q", err, first)
	}
	s.dynamo.Set(dynamotest.Faults{Forbidden: map[string]bool{"credit_scoring_aws.zipcode_features": true}})
	last := ""
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		last = line
	}
	if !strings.HasPrefix(last, `{"error":{"code":14,`) || !strings.Contains(last, "zipcode_features") {
		t.Errorf("the last line is %.200q", last)
	}
}

// A slow caller keeps only a few chunks in memory: chunks are read from the store as
// the caller reads them. Every row arrives once and in order.
func TestStreamIsReadAsItIsTaken(t *testing.T) {
	s := start(t, credit)
	const rows, chunk = 50000, 1000
	keys := &types.RepeatedValue{}
	for i := range rows {
		keys.Val = append(keys.Val, &types.Value{Val: &types.Value_Int64Val{Int64Val: int64(i)}})
	}
	req := &banquetv1.StreamOnlineFeaturesRequest{Request: &banquetv1.GetOnlineFeaturesRequest{
		Kind:     &banquetv1.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: []string{"zipcode_features:city", "zipcode_features:state"}}},
		Entities: map[string]*types.RepeatedValue{"zipcode": keys},
	}}
	stream, err := banquetv1.NewFeatureServiceClient(s.grpc).StreamOnlineFeatures(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	calls := 0
	for same := 0; same < 15; same++ {
		<-tick.C
		if n := s.dynamo.Count("BatchGetItem"); n != calls || n == 0 {
			calls, same = n, 0
		}
	}
	if all := rows / 100; calls > all/2 {
		t.Errorf("%d of %d calls were made for a caller who has read nothing", calls, all)
	}
	next := int64(0)
	for {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if part.GetFirstRow() != next {
			t.Fatalf("a chunk begins with row %d, want %d", part.GetFirstRow(), next)
		}
		for _, c := range part.GetResponse().GetResults() {
			if len(c.GetStatuses()) != chunk {
				t.Fatalf("a chunk has %d rows, want %d", len(c.GetStatuses()), chunk)
			}
		}
		for i, v := range part.GetResponse().GetResults()[0].GetValues() {
			if v.GetInt64Val() != next+int64(i) {
				t.Fatalf("row %d has the key %d", next+int64(i), v.GetInt64Val())
			}
		}
		next += chunk
	}
	if next != rows {
		t.Errorf("%d rows arrived, want %d", next, rows)
	}
}

// Six megabytes of keys are accepted over gRPC as over HTTP: both have the same limit,
// not gRPC's default of four megabytes.
func TestLargeRequestsOnEverySurface(t *testing.T) {
	s := start(t, credit)
	const rows = 60000
	keys := &types.RepeatedValue{}
	plain := make([]string, rows)
	for i := range rows {
		plain[i] = fmt.Sprintf("%0100d", i)
		keys.Val = append(keys.Val, &types.Value{Val: &types.Value_StringVal{StringVal: plain[i]}})
	}
	resp, err := feast.NewServingServiceClient(s.grpc).GetOnlineFeatures(t.Context(), &feast.GetOnlineFeaturesRequest{
		Kind:     &feast.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: []string{"credit_history:bankruptcies"}}},
		Entities: map[string]*types.RepeatedValue{"dob_ssn": keys},
	}, grpc.MaxCallRecvMsgSize(64<<20))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(resp.GetResults()[1].GetStatuses()); n != rows {
		t.Errorf("%d rows over gRPC, want %d", n, rows)
	}
	body, err := json.Marshal(map[string]any{"features": []string{"credit_history:bankruptcies"}, "entities": map[string]any{"dob_ssn": plain}})
	if err != nil {
		t.Fatal(err)
	}
	code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/get-online-features", string(body), "Content-Type", "application/json")
	if n := strings.Count(text, `"NOT_FOUND"`); code != http.StatusOK || n != rows {
		t.Errorf("%d and %d rows over HTTP, want %d: %.200s", code, n, rows, text)
	}
}

// Clients of any language may compress requests, as with Feast's server, and get
// compressed responses.
func TestCompressedRequests(t *testing.T) {
	if encoding.GetCompressor(gzip) == nil {
		t.Fatal("the server does not read gzip")
	}
	s := start(t, credit)
	resp, err := feast.NewServingServiceClient(s.grpc).GetOnlineFeatures(t.Context(), &feast.GetOnlineFeaturesRequest{
		Kind:     &feast.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: []string{"zipcode_features:city"}}},
		Entities: map[string]*types.RepeatedValue{"zipcode": {Val: []*types.Value{{Val: &types.Value_Int64Val{Int64Val: 76104}}}}},
	}, grpc.UseCompressor(gzip))
	if err != nil {
		t.Fatal(err)
	}
	if city := resp.GetResults()[1].GetValues()[0].GetStringVal(); city != "DALLAS" {
		t.Errorf("city is %q", city)
	}
	code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features", "\x1f\x8b\x08", "Content-Encoding", gzip)
	if code != http.StatusBadRequest || !strings.Contains(text, "Content-Encoding gzip") {
		t.Errorf("over HTTP, where this is not usual: %d %s", code, text)
	}
}

// A message larger than the limit is refused over gRPC with the same text as over HTTP.
func TestTooLargeIsSaidAlike(t *testing.T) {
	f := credit
	f.change = func(o *server.Options) { o.BodyBytes = 500 }
	s := start(t, f)
	refs := &feast.FeatureList{Val: []string{strings.Repeat("x", 600)}}
	own := &banquetv1.GetOnlineFeaturesRequest{Kind: &banquetv1.GetOnlineFeaturesRequest_Features{Features: refs}}
	_, feasts := feast.NewServingServiceClient(s.grpc).GetOnlineFeatures(t.Context(), &feast.GetOnlineFeaturesRequest{
		Kind: &feast.GetOnlineFeaturesRequest_Features{Features: refs},
	})
	_, ours := banquetv1.NewFeatureServiceClient(s.grpc).GetOnlineFeatures(t.Context(), own)
	stream, err := banquetv1.NewFeatureServiceClient(s.grpc).StreamOnlineFeatures(t.Context(), &banquetv1.StreamOnlineFeaturesRequest{Request: own})
	if err != nil {
		t.Fatal(err)
	}
	_, streamed := stream.Recv()
	_, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features", `{"features":["`+refs.GetVal()[0]+`"]}`)
	for name, err := range map[string]error{"ServingService": feasts, "FeatureService": ours, "StreamOnlineFeatures": streamed} {
		words := status.Convert(err).Message()
		if status.Code(err) != codes.ResourceExhausted || !strings.Contains(words, "banquet.limits.body_bytes") || !strings.Contains(text, words) {
			t.Errorf("%s: %v; HTTP says %s", name, err, text)
		}
	}
}

// Every surface that promises the versions of the views returns them.
func TestVersionsAreTold(t *testing.T) {
	s := start(t, fixture{
		project: "credit_scoring_aws", registry: "versioned/registry/4_v0_rematerialized.db", tables: "versioned/tables/4_v0_rematerialized", versioned: true,
	})
	const body = `{"features":["zip_view@v1:city"],"entities":{"zipcode":[76104]},"include_feature_view_version_metadata":true}`
	const want = `"feature_view_metadata":[{"name":"zip_view","version":1}]}`
	for _, path := range []string{"/v1/online-features", "/v1/online-features:stream"} {
		if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+path, body); code != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	for ask, want := range map[string]string{
		`"features":["zip_view@v1:city"]`:                                              `"feature_view_metadata":[{"name":"zip_view","version":1}]}}`,
		`"features":["zip_view:city"]`:                                                 `"feature_view_metadata":[{"name":"zip_view","version":1}]}}`,
		`"features":["zip_view@v0:city"]`:                                              `"feature_view_metadata":[{"name":"zip_view"}]}}`,
		`"features":["zip_view@v0:city","zip_view@v1:city"],"full_feature_names":true`: `"feature_view_metadata":[{"name":"zip_view"}]}}`,
		`"features":["zip_view@v1:city","zip_view@v0:city"],"full_feature_names":true`: `"feature_view_metadata":[{"name":"zip_view","version":1}]}}`,
		`"feature_service":"svc"`:                                                      `"feature_view_metadata":[{"name":"zip_view"}]}}`,
	} {
		feasts := `{` + ask + `,"entities":{"zipcode":[76104]},"include_feature_view_version_metadata":true}`
		code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/get-online-features", feasts, "Content-Type", "application/json")
		if code != http.StatusOK || !strings.HasSuffix(text, want) {
			t.Errorf("Feast's route, %s: %d %s", ask, code, text)
		}
		code, text = fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/get-online-features", strings.Replace(feasts, "true}", "false}", 1), "Content-Type", "application/json")
		if code != http.StatusOK || strings.Contains(text, "feature_view_metadata") {
			t.Errorf("Feast's route, not asked for versions: %d %s", code, text)
		}
	}
	resp, err := banquetv1.NewFeatureServiceClient(s.grpc).GetOnlineFeatures(t.Context(), &banquetv1.GetOnlineFeaturesRequest{
		Kind:     &banquetv1.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: []string{"zip_view@v1:city"}}},
		Entities: map[string]*types.RepeatedValue{"zipcode": {Val: []*types.Value{{Val: &types.Value_Int64Val{Int64Val: 76104}}}}},

		IncludeFeatureViewVersionMetadata: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if m := resp.GetMetadata().GetFeatureViewMetadata(); len(m) != 1 || m[0].GetName() != "zip_view" || m[0].GetVersion() != 1 {
		t.Errorf("gRPC: %v", m)
	}
}

// A server without a writer, and a route that banquet does not have, say so.
func TestWhatIsNotServedIsRefusedByName(t *testing.T) {
	s := start(t, credit)
	client := feast.NewGrpcFeatureServerClient(s.grpc)
	_, push := client.Push(t.Context(), &feast.PushRequest{To: "online"})
	_, write := client.WriteToOnlineStore(t.Context(), &feast.WriteToOnlineStoreRequest{})
	for call, err := range map[string]error{"Push": push, "WriteToOnlineStore": write} {
		if status.Code(err) != codes.Unimplemented || !strings.Contains(err.Error(), "writing is not supported") {
			t.Errorf("%s: %v", call, err)
		}
	}
	if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/search", `{}`, "Content-Type", "application/json"); code != http.StatusNotImplemented || !strings.Contains(text, "/search") {
		t.Errorf("%d %s", code, text)
	}
}
