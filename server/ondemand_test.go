package server_test

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/gen/feast/core"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// Every surface computes on-demand features, with request data among the entity rows and
// apart from them.
func TestOnDemandFeaturesOnEverySurface(t *testing.T) {
	s := start(t, credit)
	const features = `"features":["total_debt_calc:total_debt_due"]`
	const key, data = `"dob_ssn":["19630621_4278"]`, `"loan_amnt":[35000],"person_income":[59000.0]`
	for name, body := range map[string]string{
		"in entities": `{` + features + `,"entities":{` + key + `,` + data + `}}`,
		"in context":  `{` + features + `,"entities":{` + key + `},"request_context":{` + data + `}}`,
	} {
		// The stored row is years older than its ttl, which Feast's HTTP ignores.
		for path, status := range map[string]string{"/get-online-features": "PRESENT", "/v1/online-features": "OUTSIDE_MAX_AGE", "/v1/online-features:stream": "OUTSIDE_MAX_AGE"} {
			code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+path, body, "Content-Type", "application/json")
			if code != http.StatusOK || !strings.Contains(text, `{"values":[72031.0],"statuses":["`+status+`"],"event_timestamps":["1970-01-01T00:00:00Z"]}`) || strings.Contains(text, "person_income") {
				t.Errorf("%s, %s: %d %s", path, name, code, text)
			}
		}
	}
	list := &feast.FeatureList{Val: []string{"total_debt_calc:total_debt_due"}}
	keys := map[string]*types.RepeatedValue{"dob_ssn": texts("19630621_4278")}
	apart := map[string]*types.RepeatedValue{"loan_amnt": integers(35000), "person_income": doubles(59000)}
	all := map[string]*types.RepeatedValue{"dob_ssn": keys["dob_ssn"], "loan_amnt": apart["loan_amnt"], "person_income": apart["person_income"]}
	for name, req := range map[string]*feast.GetOnlineFeaturesRequest{
		"in entities": {Kind: &feast.GetOnlineFeaturesRequest_Features{Features: list}, Entities: all},
		"in context":  {Kind: &feast.GetOnlineFeaturesRequest_Features{Features: list}, Entities: keys, RequestContext: apart},
	} {
		for service, get := range map[string]func(context.Context, *feast.GetOnlineFeaturesRequest, ...grpc.CallOption) (*feast.GetOnlineFeaturesResponse, error){
			"ServingService":    feast.NewServingServiceClient(s.grpc).GetOnlineFeatures,
			"GrpcFeatureServer": feast.NewGrpcFeatureServerClient(s.grpc).GetOnlineFeatures,
		} {
			resp, err := get(t.Context(), req)
			if err != nil {
				t.Errorf("%s, %s: %v", service, name, err)
				continue
			}
			if names := resp.GetMetadata().GetFeatureNames().GetVal(); len(names) != 2 || resp.GetResults()[1].GetValues()[0].GetDoubleVal() != 72031 {
				t.Errorf("%s, %s: %v", service, name, resp)
			}
		}
		own, err := banquetv1.NewFeatureServiceClient(s.grpc).GetOnlineFeatures(t.Context(), &banquetv1.GetOnlineFeaturesRequest{
			Kind: &banquetv1.GetOnlineFeaturesRequest_Features{Features: list}, Entities: req.GetEntities(), RequestContext: req.GetRequestContext(),
		})
		if err != nil || own.GetResults()[1].GetValues()[0].GetDoubleVal() != 72031 {
			t.Errorf("banquet.v1, %s: %v %v", name, own, err)
		}
	}
}

// What Feast's Python server ignores in a request stays without effect.
func TestRequestContextOfAnotherForm(t *testing.T) {
	s := start(t, credit)
	for _, context := range []string{`"x"`, `null`, `[1]`, `{"a":1}`, `{"zipcode":[1,2,3],"a":{}}`, `{"factor":[1.5,2]}`, `{"zipcode":[1,2,3]}`, `{"zipcode":[10001]}`} {
		body := `{"features":["zipcode_features:city"],"entities":{"zipcode":[76104]},"request_context":` + context + `}`
		if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/get-online-features", body, "Content-Type", "application/json"); code != http.StatusOK || !strings.Contains(text, "DALLAS") {
			t.Errorf("%s: %d %s", context, code, text)
		}
	}
	// Of a column that is sent twice, the one of the entity rows is request data.
	const twice = `{"features":["total_debt_calc:total_debt_due"],"request_context":{"loan_amnt":[1,2]},"entities":{"dob_ssn":["19630621_4278"],"loan_amnt":[35000],"person_income":[59000.0]}}`
	if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/get-online-features", twice, "Content-Type", "application/json"); code != http.StatusOK || !strings.Contains(text, "72031.0") {
		t.Errorf("%d %s", code, text)
	}
}

// A response without rows has no lists of event times over Feast's HTTP, as in Feast.
func TestNoRows(t *testing.T) {
	s := start(t, fixture{project: "all_types", registry: "all_types/registry/3_incremental.db", sqlite: "all_types/online/3_incremental.online.db"})
	addSpoken(t, s.file)
	const body = `{"features":["spoken:shout"],"entities":{"word":[]}}`
	for path, want := range map[string]string{
		"/get-online-features": `{"results":[{"values":[],"statuses":[]}],"metadata":{"feature_names":["shout"]}}`,
		"/v1/online-features":  `{"results":[{"values":[],"statuses":[],"event_timestamps":[]}],"metadata":{"feature_names":["shout"]}}`,
	} {
		code, text := 0, ""
		for range 400 { // until the registry is read again
			if code, text = fetch(t, http.MethodPost, "http://"+s.at.HTTP+path, body, "Content-Type", "application/json"); code != http.StatusNotFound {
				break
			}
			<-time.After(5 * time.Millisecond)
		}
		if code != http.StatusOK || text != want {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
}

// addSpoken adds an on-demand view that only has request data to a registry file.
func addSpoken(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	reg := new(core.Registry)
	if err := proto.Unmarshal(data, reg); err != nil {
		t.Fatal(err)
	}
	text := func(name string) []*core.FeatureSpecV2 {
		return []*core.FeatureSpecV2{{Name: name, ValueType: types.ValueType_STRING}}
	}
	request := &core.DataSource{Name: "spoken_request", Type: core.DataSource_REQUEST_SOURCE, Options: &core.DataSource_RequestDataOptions_{
		RequestDataOptions: &core.DataSource_RequestDataOptions{Schema: text("word")},
	}}
	reg.OnDemandFeatureViews = append(reg.OnDemandFeatureViews, &core.OnDemandFeatureView{Spec: &core.OnDemandFeatureViewSpec{
		Name: "spoken", Project: "all_types", Mode: "python", Features: text("shout"),
		Sources: map[string]*core.OnDemandSource{"spoken_request": {Source: &core.OnDemandSource_RequestDataSource{RequestDataSource: request}}},
		FeatureTransformation: &core.FeatureTransformationV2{Transformation: &core.FeatureTransformationV2_UserDefinedFunction{
			UserDefinedFunction: &core.UserDefinedFunctionV2{Name: "spoken", BodyText: "def spoken(inputs):\n    return {\"shout\": [w.upper() for w in inputs[\"word\"]]}\n"},
		}},
	}})
	if data, err = proto.Marshal(reg); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// The errors of on-demand features have the codes of the caller's mistakes.
func TestOnDemandErrors(t *testing.T) {
	s := start(t, credit)
	_, err := feast.NewServingServiceClient(s.grpc).GetOnlineFeatures(t.Context(), &feast.GetOnlineFeaturesRequest{
		Kind:     &feast.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: []string{"total_debt_calc:total_debt_due"}}},
		Entities: map[string]*types.RepeatedValue{"dob_ssn": texts("19630621_4278"), "loan_amnt": integers(1), "person_income": texts("much")},
	})
	if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), `request data "person_income", row 0: `) {
		t.Errorf("%v", err)
	}
}
