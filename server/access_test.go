package server_test

import (
	"context"
	"net/http"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/banquet-fs/banquet/access"
	"github.com/banquet-fs/banquet/fault"
	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/server"
)

// doorman identifies callers by a header and authorizes one of them for one project.
type doorman struct{}

func (doorman) Identify(_ context.Context, req access.Request) (access.Caller, error) {
	if name := req.Header("x-caller"); name != "" && req.TLS() == nil {
		return access.Caller{Name: name}, nil
	}
	return access.Caller{}, fault.New(fault.Unauthenticated, "nobody knows who is calling")
}

func (doorman) Authorize(_ context.Context, caller access.Caller, action access.Action) error {
	if caller.Name != "friend" || action.Project == "other" {
		return fault.New(fault.Denied, "%s may not call %s in project %q", caller.Name, action.Method, action.Project)
	}
	return nil
}

// On every surface, the caller is identified before anything is read, and authorized
// before the use case runs.
func TestEverySurfaceAsksWhoIsCalling(t *testing.T) {
	f := credit
	f.change = func(o *server.Options) { o.Identifier, o.Authorizer = doorman{}, doorman{} }
	s := start(t, f)
	const body = `{"features":["zipcode_features:city"],"entities":{"zipcode":[76104]}}`
	for _, c := range []struct {
		caller, project string
		code            codes.Code
		http            int
	}{
		{"friend", "", codes.OK, http.StatusOK},
		{"friend", "other", codes.PermissionDenied, http.StatusForbidden},
		{"stranger", "", codes.PermissionDenied, http.StatusForbidden},
		{"", "", codes.Unauthenticated, http.StatusUnauthorized},
	} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x-caller", c.caller)
		request := &banquetv1.GetOnlineFeaturesRequest{Project: c.project, Kind: &banquetv1.GetOnlineFeaturesRequest_Features{
			Features: &feast.FeatureList{Val: []string{"zipcode_features:city"}},
		}}
		_, err := banquetv1.NewFeatureServiceClient(s.grpc).GetOnlineFeatures(ctx, request)
		if code := status.Code(err); code != c.code && (c.code != codes.OK || code != codes.InvalidArgument) { // it has no keys
			t.Errorf("%q, gRPC: %v", c.caller, err)
		}
		stream, err := banquetv1.NewFeatureServiceClient(s.grpc).StreamOnlineFeatures(ctx, &banquetv1.StreamOnlineFeaturesRequest{Project: c.project, Request: request})
		if err == nil {
			_, err = stream.Recv()
		}
		if code := status.Code(err); code != c.code && (c.code != codes.OK || code != codes.InvalidArgument) {
			t.Errorf("%q, stream: %v", c.caller, err)
		}
		path := "/v1/online-features"
		if c.project != "" {
			path = "/v1/projects/" + c.project + "/online-features"
		}
		paths := map[string]string{path: body, path + ":stream": body}
		if c.project == "" {
			paths["/get-online-features"] = body
		}
		for path, body := range paths {
			if code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+path, body, "X-Caller", c.caller, "Content-Type", "application/json"); code != c.http {
				t.Errorf("%q, %s: %d %s", c.caller, path, code, text)
			}
		}
	}
}
