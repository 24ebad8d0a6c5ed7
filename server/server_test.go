package server_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/gen/feast/core"
	feastregistry "github.com/banquet-fs/banquet/gen/feast/registry"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/server"
	"github.com/banquet-fs/banquet/serving"
)

var credit = fixture{
	project: "credit_scoring_aws", registry: "credit_scoring/registry/4_incremental.db",
	tables: "credit_scoring/dynamodb/tables/4_incremental",
}

// fetch sends a request and returns status and body.
func fetch(t *testing.T, method, url, body string, headers ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestEveryDescribedRouteIsServed(t *testing.T) {
	s := rehearse(t, &rehearsal{views: []string{"zipcode_features"}}, func(o *server.Options) {
		o.Writer = scripted(func(context.Context, string, ingest.Rows) (ingest.Report, error) { return ingest.Report{}, nil })
	})
	code, text := fetch(t, http.MethodGet, "http://"+s.at.HTTP+"/openapi.json", "")
	if code != http.StatusOK {
		t.Fatal(code, text)
	}
	var doc struct {
		Paths       map[string]map[string]any
		Definitions map[string]any
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Paths) < 33 {
		t.Fatalf("%d paths", len(doc.Paths))
	}
	names := map[string]string{"entities": "zipcode", "data-sources": "zipcode_source", "feature-views": "zipcode_features", "feature-services": "credit_model_v1", "on-demand-feature-views": "total_debt_calc"}
	for path, methods := range doc.Paths {
		for method := range methods {
			t.Run(method+" "+path, func(t *testing.T) {
				parts := strings.Split(path, "/")
				kind, known := "", true
				if parts[len(parts)-1] == "{name}" && len(parts) > 4 {
					kind = parts[len(parts)-2]
					_, known = names[kind]
				}
				url := strings.NewReplacer("{project}", "credit_scoring_aws", "{name}", "credit_scoring_aws").Replace(path)
				if kind != "" {
					url = strings.NewReplacer("{project}", "credit_scoring_aws", "{name}", names[kind]).Replace(path)
				}
				if !known {
					url = strings.TrimSuffix(url, "/") + "/nope"
				}
				request := `{"features":["zipcode_features:city"],"entities":{"zipcode":[76104]}}`
				switch {
				case strings.HasPrefix(path, "/v1/") && strings.HasSuffix(path, "/materialize"):
					request = `{"incrementalEnd":"2024-01-01T00:00:00Z"}`
				case strings.HasPrefix(path, "/v1/") && strings.Contains(path, "/push"):
					request = `{"push_source":"s","columns":{"k":[1]}}`
				case strings.HasPrefix(path, "/v1/") && strings.Contains(path, "/write"):
					request = `{"feature_view":"v","columns":{"k":[1]}}`
				case path == "/push", path == "/write-to-online-store":
					request = `{"push_source_name":"s","feature_view_name":"v","df":{"k":[1]}}`
				case strings.HasPrefix(path, "/materialize"):
					request = `{"start_ts":"2023-01-01","end_ts":"2024-01-01"}`
				}
				code, body := fetch(t, strings.ToUpper(method), "http://"+s.at.HTTP+url, request, "Content-Type", "application/json")
				want := http.StatusOK
				if !known {
					want = http.StatusNotFound
				}
				if code != want || known && path != "/health" && path != "/push" && !json.Valid([]byte(strings.TrimSpace(body))) {
					t.Errorf("%s: %d %s", url, code, body)
				}
				if !known && !strings.Contains(body, "nope") {
					t.Errorf("the error does not name what is missing: %s", body)
				}
			})
		}
	}
}

func TestRESTAndGRPCAnswerAlike(t *testing.T) {
	s := start(t, credit)
	code, body := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/projects/credit_scoring_aws/online-features",
		`{"feature_service":"credit_model_v1","entities":{"zipcode":[76104,"10001",1e9],"dob_ssn":["19630621_4278","nobody","all_null"]}}`)
	if code != http.StatusOK {
		t.Fatal(code, body)
	}
	var rest struct {
		Results []struct {
			Statuses []string
			Values   []any
		}
		Metadata struct {
			Names []string `json:"feature_names"`
		}
	}
	if err := json.Unmarshal([]byte(body), &rest); err != nil {
		t.Fatal(err)
	}
	integer := func(v int64) *types.Value { return &types.Value{Val: &types.Value_Int64Val{Int64Val: v}} }
	text := func(v string) *types.Value { return &types.Value{Val: &types.Value_StringVal{StringVal: v}} }
	resp, err := banquetv1.NewFeatureServiceClient(s.grpc).GetOnlineFeatures(t.Context(), &banquetv1.GetOnlineFeaturesRequest{
		Kind: &banquetv1.GetOnlineFeaturesRequest_FeatureService{FeatureService: "credit_model_v1"},
		Entities: map[string]*types.RepeatedValue{
			"zipcode": {Val: []*types.Value{integer(76104), integer(10001), integer(1e9)}},
			"dob_ssn": {Val: []*types.Value{text("19630621_4278"), text("nobody"), text("all_null")}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	names := resp.GetMetadata().GetFeatureNames().GetVal()
	if len(names) != len(rest.Metadata.Names) {
		t.Fatalf("%v, %v", names, rest.Metadata.Names)
	}
	for i, r := range resp.GetResults() {
		at := slices.Index(rest.Metadata.Names, names[i])
		for row, st := range r.GetStatuses() {
			if got := rest.Results[at].Statuses[row]; got != strings.TrimPrefix(st.String(), "FIELD_STATUS_") {
				t.Errorf("%s, row %d: %s over REST, %s over gRPC", names[i], row, got, st)
			}
		}
		if len(r.GetValues()) != 3 || len(rest.Results[at].Values) != 3 {
			t.Errorf("%s: %d and %d values", names[i], len(r.GetValues()), len(rest.Results[at].Values))
		}
	}
}

// TestAnOutageIsNeverNotFound stops the store in several ways.
func TestAnOutageIsNeverNotFound(t *testing.T) {
	s := start(t, credit)
	const body = `{"features":["zipcode_features:city"],"entities":{"zipcode":[76104]}}`
	for name, faults := range map[string]dynamotest.Faults{
		"throttled": {Throttle: 1}, "failing": {Error500: 1}, "unprocessed": {Unprocessed: 1}, "resetting": {Reset: 1}, "torn": {Cut: 1}, "corrupt": {BadCRC: 1},
		"expired credentials": {Expired: true}, "forbidden": {Forbidden: map[string]bool{"credit_scoring_aws.zipcode_features": true}},
	} {
		t.Run(name, func(t *testing.T) {
			s.dynamo.Set(faults)
			defer s.dynamo.Set(dynamotest.Faults{})
			for _, path := range []string{"/get-online-features", "/v1/online-features"} {
				code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+path, body, "Content-Type", "application/json", "Grpc-Timeout", "1500m")
				if code < 500 || strings.Contains(text, "NOT_FOUND") || strings.Contains(text, "goroutine") {
					t.Errorf("%s: %d %s", path, code, text)
				}
			}
		})
	}
	if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features", body); code != http.StatusOK || !strings.Contains(text, "DALLAS") {
		t.Errorf("after the outage: %d %s", code, text)
	}
}

func TestARegistryChangeIsServedAndABrokenOneIsNot(t *testing.T) {
	s := start(t, credit)
	view := "http://" + s.at.HTTP + "/v1/projects/credit_scoring_aws/feature-services/credit_model_v2"
	until := func(what string, want int) {
		t.Helper()
		var code int
		for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
			if code, _ = fetch(t, http.MethodGet, view, ""); code == want {
				return
			}
			<-time.After(5 * time.Millisecond)
		}
		t.Fatalf("%s: %d, want %d", what, code, want)
	}
	until("at first", http.StatusOK)
	copyFile(t, filepath.Join(golden, "credit_scoring", "registry", "9_delete_service.db"), s.file)
	until("after a service was deleted", http.StatusNotFound)
	if err := os.WriteFile(s.file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var text string
	for deadline := time.Now().Add(30 * time.Second); !strings.Contains(text, "the last good registry has been in use since"); {
		if _, text = fetch(t, http.MethodGet, "http://"+s.at.Admin+"/readyz?verbose", ""); time.Now().After(deadline) {
			t.Fatal("an emptied registry is not reported: " + text)
		}
		<-time.After(5 * time.Millisecond)
	}
	until("with an emptied file", http.StatusNotFound)
	copyFile(t, filepath.Join(golden, "credit_scoring", "registry", "4_incremental.db"), s.file)
	until("after it came back", http.StatusOK)
}

func TestWithoutARegistryNothingIsReady(t *testing.T) {
	s := start(t, fixture{project: "credit_scoring_aws"})
	if code, text := fetch(t, http.MethodGet, "http://"+s.at.Admin+"/readyz", ""); code != http.StatusServiceUnavailable {
		t.Error(code, text)
	}
	health := func() healthpb.HealthCheckResponse_ServingStatus {
		resp, err := healthpb.NewHealthClient(s.grpc).Check(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return resp.GetStatus()
	}
	if got := health(); got != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("gRPC says %v", got)
	}
	if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features", `{"features":["a:b"],"entities":{"a":[1]}}`); code != http.StatusServiceUnavailable {
		t.Error(code, text)
	}
	copyFile(t, filepath.Join(golden, "credit_scoring", "registry", "4_incremental.db"), s.file)
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(5 * time.Millisecond) {
		if code, _ := fetch(t, http.MethodGet, "http://"+s.at.Admin+"/readyz", ""); code == http.StatusOK && health() == healthpb.HealthCheckResponse_SERVING {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the registry was not picked up")
		}
	}
}

func TestAStoppingServerAnswersWhatItHas(t *testing.T) {
	s := start(t, credit)
	s.dynamo.Set(dynamotest.Faults{Latency: func() time.Duration { return 300 * time.Millisecond }})
	type response struct {
		code int
		text string
	}
	done := make(chan response, 1)
	go func() {
		code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features", `{"features":["zipcode_features:city"],"entities":{"zipcode":[76104]}}`)
		done <- response{code, text}
	}()
	for s.dynamo.Count("BatchGetItem") == 0 {
		<-time.After(time.Millisecond)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if a := <-done; a.code != http.StatusOK || !strings.Contains(a.text, "DALLAS") {
		t.Errorf("%d %s", a.code, a.text)
	}
}

func TestHealthAndReflection(t *testing.T) {
	s := start(t, credit)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	changes, err := healthpb.NewHealthClient(s.grpc).Watch(ctx, &healthpb.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for h := new(healthpb.HealthCheckResponse); h.GetStatus() != healthpb.HealthCheckResponse_SERVING; {
		if h, err = changes.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	h, err := healthpb.NewHealthClient(s.grpc).Check(ctx, &healthpb.HealthCheckRequest{})
	if err != nil || h.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("%v, %v", h, err)
	}
	stream, err := reflectionpb.NewServerReflectionClient(s.grpc).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	resp, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, svc := range resp.GetListServicesResponse().GetService() {
		names = append(names, svc.GetName())
	}
	for _, want := range []string{"banquet.v1.FeatureService", "banquet.v1.RegistryService", "feast.serving.ServingService", "GrpcFeatureServer", "grpc.health.v1.Health"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not served: %v", want, names)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Error(err)
	}
}

func TestLimits(t *testing.T) {
	f := credit
	f.limits = serving.Limits{Rows: 3, Features: 2, Cells: 4}
	f.change = func(o *server.Options) { o.BodyBytes = 500 }
	s := start(t, f)
	for name, c := range map[string]struct {
		body, want string
	}{
		"rows":     {`{"features":["zipcode_features:city"],"entities":{"zipcode":[1,2,3,4]}}`, "banquet.limits.rows"},
		"features": {`{"features":["zipcode_features:city","zipcode_features:state","zipcode_features:population"],"entities":{"zipcode":[1]}}`, "banquet.limits.features"},
		"cells":    {`{"features":["zipcode_features:city","zipcode_features:state"],"entities":{"zipcode":[1,2,3]}}`, "banquet.limits.cells"},
		"body":     {`{"features":["` + strings.Repeat("x", 600) + `"]}`, "banquet.limits.body_bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			code := http.StatusBadRequest
			if name == "body" {
				code = http.StatusRequestEntityTooLarge
			}
			if got, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/v1/online-features", c.body); got != code || !strings.Contains(text, c.want) {
				t.Errorf("%d %s", got, text)
			}
		})
	}
}

// TestGoldenRegistry compares single objects with the responses of Feast's registry
// server, from the same registry.
func TestGoldenRegistry(t *testing.T) {
	s := start(t, fixture{project: "credit_scoring_aws", registry: "credit_scoring/registry/registry_server.db"})
	client := banquetv1.NewRegistryServiceClient(s.grpc)
	compared := 0
	for _, c := range rows[call](t, "credit_scoring", "grpc", "registry_server.jsonl") {
		kind := strings.TrimPrefix(c.Method, "/feast.registry.RegistryServer/")
		if c.Name == "bad bytes" {
			continue // a request that no client of ours can make
		}
		var want proto.Message
		switch kind {
		case "GetEntity":
			want = &core.Entity{}
		case "GetDataSource":
			want = &core.DataSource{}
		case "GetFeatureService":
			want = &core.FeatureService{}
		default:
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			req := &feastregistry.GetEntityRequest{} // name and project have the same numbers in all three
			decode(t, c.Request, req)
			got, err := object(t.Context(), client, kind, req.GetProject(), req.GetName())
			if c.Code != "OK" {
				if status.Code(err) != codes.NotFound {
					t.Errorf("%v, want NOT_FOUND; Feast: %s %s", err, c.Code, c.Details)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			decode(t, c.Response, want)
			compared++
			// In Feast's responses objects have no project, and some sources no class.
			if d, ok := got.(*core.DataSource); ok && want.(*core.DataSource).GetDataSourceClassType() == "" {
				d.DataSourceClassType = ""
			}
			if diff := cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreFields(&core.EntitySpecV2{}, "project"),
				protocmp.IgnoreFields(&core.DataSource{}, "project"), protocmp.IgnoreFields(&core.FeatureServiceSpec{}, "project")); diff != "" {
				t.Errorf("-Feast +banquet\n%s", diff)
			}
		})
	}
	if compared < 5 {
		t.Errorf("only %d responses were compared", compared)
	}
}

// object gets an object by its kind.
func object(ctx context.Context, client banquetv1.RegistryServiceClient, kind, project, name string) (proto.Message, error) {
	switch kind {
	case "GetEntity":
		resp, err := client.GetEntity(ctx, &banquetv1.GetEntityRequest{Project: project, Name: name, View: banquetv1.ObjectView_OBJECT_VIEW_FULL})
		return resp.GetEntity(), err
	case "GetDataSource":
		resp, err := client.GetDataSource(ctx, &banquetv1.GetDataSourceRequest{Project: project, Name: name, View: banquetv1.ObjectView_OBJECT_VIEW_FULL})
		return resp.GetDataSource(), err
	}
	resp, err := client.GetFeatureService(ctx, &banquetv1.GetFeatureServiceRequest{Project: project, Name: name, View: banquetv1.ObjectView_OBJECT_VIEW_FULL})
	return resp.GetFeatureService(), err
}

func TestStoppedBeforeItBegan(t *testing.T) {
	holder := registry.NewHolder(registry.HolderOptions{Storage: file.New(filepath.Join(t.TempDir(), "registry.db"))})
	for range 20 {
		srv, err := server.New(t.Context(), server.Options{
			Registry: holder, Serving: serving.New(serving.Options{Snapshots: holder.Snapshot}), GRPC: "127.0.0.1:0", HTTP: "127.0.0.1:0", Admin: "127.0.0.1:0",
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := srv.Run(ctx); err != nil {
			t.Fatal(err)
		}
	}
}
