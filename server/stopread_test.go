package server_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/gen/feast/types"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/server"
)

// Reads that still wait for the store when a server stops get a reason before it closes
// their connections.
func TestReadsWhenTheServerStops(t *testing.T) {
	f := fixture{project: "credit_scoring_aws", registry: "credit_scoring/registry/4_incremental.db"}
	f.change = func(o *server.Options) { o.DrainTime = time.Second }
	s := start(t, f)
	s.dynamo.Set(dynamotest.Faults{Hang: 1})
	request := &feast.GetOnlineFeaturesRequest{
		Kind:     &feast.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: []string{"zipcode_features:city"}}},
		Entities: map[string]*types.RepeatedValue{"zipcode": {Val: []*types.Value{{Val: &types.Value_Int64Val{Int64Val: 76104}}}}},
	}
	get := func(path string) func() (bool, string) {
		return func() (bool, string) {
			code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+path, `{"features":["zipcode_features:city"],"entities":{"zipcode":[76104]}}`, "Content-Type", "application/json")
			return code == http.StatusServiceUnavailable, text
		}
	}
	unavailable := func(err error) (bool, string) {
		return status.Code(err) == codes.Unavailable, status.Convert(err).Message()
	}
	calls := map[string]func() (bool, string){
		"Feast's HTTP": get("/get-online-features"), "banquet's HTTP": get("/v1/online-features"),
		"Feast's gRPC": func() (bool, string) {
			_, err := feast.NewServingServiceClient(s.grpc).GetOnlineFeatures(t.Context(), request)
			return unavailable(err)
		},
		"a stream": func() (bool, string) {
			stream, err := banquetv1.NewFeatureServiceClient(s.grpc).StreamOnlineFeatures(t.Context(), &banquetv1.StreamOnlineFeaturesRequest{
				Request: &banquetv1.GetOnlineFeaturesRequest{Kind: &banquetv1.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: []string{"zipcode_features:city"}}}, Entities: request.Entities},
			})
			if err == nil {
				_, err = stream.Recv()
			}
			return unavailable(err)
		},
	}
	var group sync.WaitGroup
	for name, call := range calls {
		group.Go(func() {
			if right, text := call(); !right || !strings.Contains(text, "the server is stopping") {
				t.Errorf("%s: %s", name, text)
			}
		})
	}
	<-time.After(200 * time.Millisecond)
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	group.Wait()
}
