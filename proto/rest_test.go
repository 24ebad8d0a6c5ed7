package proto_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
)

// kinds are the objects of a registry: singular, plural, and the plural in
// paths; projects have paths of their own.
func kinds() [][3]string {
	return [][3]string{
		{"Entity", "Entities", "entities"},
		{"DataSource", "DataSources", "data-sources"},
		{"FeatureView", "FeatureViews", "feature-views"},
		{"StreamFeatureView", "StreamFeatureViews", "stream-feature-views"},
		{"OnDemandFeatureView", "OnDemandFeatureViews", "on-demand-feature-views"},
		{"LabelView", "LabelViews", "label-views"},
		{"FeatureService", "FeatureServices", "feature-services"},
		{"SavedDataset", "SavedDatasets", "saved-datasets"},
		{"ValidationReference", "ValidationReferences", "validation-references"},
		{"Permission", "Permissions", "permissions"},
	}
}

// routes are the REST routes of the generated document: "GET path" to the call.
func routes(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("../gen/openapi/banquet.swagger.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	for path, methods := range doc.Paths {
		for method, op := range methods {
			out[strings.ToUpper(method)+" "+path] = op.OperationID
		}
	}
	return out
}

func TestRESTRoutes(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"GET /v1/info":                                       "FeatureService_GetServingInfo",
		"POST /v1/online-features":                           "FeatureService_GetOnlineFeatures",
		"POST /v1/projects/{project}/online-features":        "FeatureService_GetOnlineFeatures2",
		"POST /v1/online-features:stream":                    "FeatureService_StreamOnlineFeatures",
		"POST /v1/projects/{project}/online-features:stream": "FeatureService_StreamOnlineFeatures2",
		"POST /v1/push":                                      "FeatureService_Push",
		"POST /v1/projects/{project}/push":                   "FeatureService_Push2",
		"POST /v1/push:stream":                               "FeatureService_StreamPush",
		"POST /v1/write":                                     "FeatureService_Write",
		"POST /v1/projects/{project}/write":                  "FeatureService_Write2",
		"POST /v1/write:stream":                              "FeatureService_StreamWrite",
		"POST /v1/materialize":                               "MaterializeService_Materialize",
		"POST /v1/projects/{project}/materialize":            "MaterializeService_Materialize2",
		"GET /v1/projects":                                   "RegistryService_ListProjects",
		"GET /v1/projects/{name}":                            "RegistryService_GetProject",
	}
	for _, k := range kinds() {
		want["GET /v1/projects/{project}/"+k[2]] = "RegistryService_List" + k[1]
		want["GET /v1/projects/{project}/"+k[2]+"/{name}"] = "RegistryService_Get" + k[0]
	}
	if diff := cmp.Diff(want, routes(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Another interface of Feast's lives under /v1/vector_stores.
func TestVectorStoresStayFree(t *testing.T) {
	t.Parallel()
	variable := regexp.MustCompile(`\{[^}]*\}`)
	for route := range routes(t) {
		_, path, _ := strings.Cut(route, " ")
		pattern := regexp.MustCompile("^" + variable.ReplaceAllString(path, "[^/]+") + "$")
		for _, taken := range []string{"/v1/vector_stores", "/v1/vector_stores/x", "/v1/vector_stores/x/search"} {
			if pattern.MatchString(taken) {
				t.Errorf("%s answers %s", route, taken)
			}
		}
	}
}

func TestEveryCallHasARoute(t *testing.T) {
	t.Parallel()
	var bound []string
	for _, call := range routes(t) {
		bound = append(bound, strings.TrimRight(call, "0123456789"))
	}
	for _, file := range []protoreflect.FileDescriptor{
		banquetv1.File_banquet_v1_feature_service_proto, banquetv1.File_banquet_v1_materialize_service_proto, banquetv1.File_banquet_v1_registry_service_proto,
	} {
		for i := range file.Services().Len() {
			s := file.Services().Get(i)
			for j := range s.Methods().Len() {
				if call := string(s.Name() + "_" + s.Methods().Get(j).Name()); !slices.Contains(bound, call) {
					t.Errorf("%s has no route", call)
				}
			}
		}
	}
}

// Requests of all kinds have the same fields under the same numbers, so that
// one piece of code serves them.
func TestRegistryRequestsAreAlike(t *testing.T) {
	t.Parallel()
	file := banquetv1.File_banquet_v1_registry_service_proto
	get := map[string]int{"project": 1, "name": 2, "view": 3}
	list := map[string]int{"project": 1, "tags": 2, "page_size": 3, "page_token": 4, "view": 5}
	for _, k := range append(kinds(), [3]string{"Project", "Projects", "projects"}) {
		for name, want := range map[string]map[string]int{"Get" + k[0] + "Request": get, "List" + k[1] + "Request": list} {
			m := file.Messages().ByName(protoreflect.Name(name))
			if m == nil {
				t.Errorf("%s is missing", name)
				continue
			}
			got := map[string]int{}
			for i := range m.Fields().Len() {
				got[string(m.Fields().Get(i).Name())] = int(m.Fields().Get(i).Number())
			}
			if k[0] == "Project" {
				got["project"] = 1 // a project lies in no project
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
	if n, want := file.Services().Get(0).Methods().Len(), 2*(len(kinds())+1); n != want {
		t.Errorf("%d calls, want %d", n, want)
	}
}
