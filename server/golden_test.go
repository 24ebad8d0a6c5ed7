package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	feast "github.com/banquet-fs/banquet/gen/feast/serving"
)

var golden = filepath.Join("..", "testdata", "golden")

// exchange is a recorded request and Feast's response.
type exchange struct {
	Name    string
	Request struct {
		Method, Path string
		Headers      map[string]string
		Body         *string
		BodyBase64   *string `json:"body_base64"`
	}
	Response struct {
		Status int
		Body   string
	}
	// silent is set for a recording of Feast 0.66, which never tells versions of views.
	silent bool
}

// rows reads a file of JSON lines.
func rows[T any](t *testing.T, elem ...string) []T {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{golden}, elem...)...))
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	for line := range bytes.Lines(b) {
		var x T
		if err := json.Unmarshal(line, &x); err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	if len(out) == 0 {
		t.Fatalf("%v is empty", elem)
	}
	return out
}

// different is a deliberate difference from Feast's response.
type different struct {
	status int
	text   string // is in the body
}

// creditDifferences are the requests of the credit-scoring recording whose response
// differs, each for a reason.
var creditDifferences = map[string]different{
	// The error names column and row, or what the request lacks; Feast's text is an
	// accident of its code.
	"key too large":             {http.StatusBadRequest, `entity column \"zipcode\", row 0: Value out of range: 9223372036854775808`},
	"key as bad text":           {http.StatusBadRequest, `row 0: invalid literal for int() with base 10: 'abc'`},
	"key null":                  {http.StatusBadRequest, `row 0: the value is null`},
	"key null among others":     {http.StatusBadRequest, `row 1: the value is null`},
	"key list":                  {http.StatusBadRequest, `row 0: the value is a list`},
	"key object":                {http.StatusBadRequest, `row 0: the value is an object`},
	"NaN literal":               {http.StatusBadRequest, `row 0: the value is NaN`},
	"columns of unequal length": {http.StatusBadRequest, `All entity rows must have the same columns. Column \"zipcode\" has 2 values, column \"dob_ssn\" has 1.`},
	"empty entities":            {http.StatusBadRequest, `no entity columns`},
	// Feast truncates the fraction and returns the features of another key.
	"key as float with fraction": {http.StatusBadRequest, `76104.9 has a fraction`},
	// Feast 0.66 cannot encode an infinity; 0.67 encodes the same as banquet.
	"on-demand pandas division by zero": {http.StatusOK, `{"values":["Infinity"],"statuses":["PRESENT"]`},
	// There is no vector search and no chat.
	"search on non vector store": {http.StatusNotImplemented, "/search is not supported"},
	"vector stores":              {http.StatusNotFound, "Not Found"},
	"chat":                       {http.StatusNotImplemented, "/chat is not supported"},
}

// allTypesDifferences are the same for the recording with every type.
var allTypesDifferences = map[string]different{
	"int32 key too large":         {http.StatusBadRequest, `row 0: Value out of range: 2147483648`},
	"timestamp key as text":       {http.StatusBadRequest, `row 0: invalid literal for int() with base 10: '2024-03-01T00:00:00Z'`},
	"entityless without entities": {http.StatusBadRequest, `no entity columns`},
	// Feast drops an input that another view of the request has, too; and the value of the
	// other view has more than 64 bits.
	"service on_demand": {http.StatusNotImplemented, `doubled_singleton\" cannot be computed: line 3 of its function: an integer does not fit into 64 bits`},
	// The error names view and line.
	"on-demand python, request null": {http.StatusBadRequest, `scaled_python`},
	// Feast answers one value for two rows.
	"on-demand singleton, small values": {http.StatusOK, `{"values":[18014398509481986,`},
	"on-demand singleton":               {http.StatusNotImplemented, `doubled_singleton\" cannot be computed: line 3 of its function: an integer does not fit into 64 bits`},
	"on-demand singleton overflows":     {http.StatusNotImplemented, `doubled_singleton\" cannot be computed: line 3 of its function: an integer does not fit into 64 bits`},
}

// Feast's feature services always read the table of version 0, and it fails on items
// that hold none of the requested features.
var (
	versionedDifferences  = map[string]different{"service": {http.StatusOK, "911087"}}
	afterApplyDifferences = map[string]different{
		"zip_view:population full=False": {http.StatusOK, `"values":[null,null,null],"statuses":["NOT_FOUND","NOT_FOUND","NOT_FOUND"]`},
		"zip_view:population full=True":  {http.StatusOK, `"values":[null,null,null],"statuses":["NOT_FOUND","NOT_FOUND","NOT_FOUND"]`},
	}
)

// recordedOf returns the differences whose requests are also in a recording.
func recordedOf(t *testing.T, all map[string]different, file ...string) map[string]different {
	t.Helper()
	out := map[string]different{}
	for _, x := range rows[exchange](t, file...) {
		if d, ok := all[x.Name]; ok {
			out[x.Name] = d
		}
	}
	return out
}

func TestGoldenHTTP(t *testing.T) {
	credit := fixture{
		project: "credit_scoring_aws", registry: "credit_scoring/registry/4_incremental.db",
		tables: "credit_scoring/dynamodb/tables/4_incremental",
	}
	versioned := func(release, step string) fixture {
		return fixture{project: "credit_scoring_aws", registry: release + "versioned/registry/" + step + ".db", tables: "versioned/tables/" + step, versioned: true}
	}
	for _, c := range []struct {
		name        string
		fixture     fixture
		file        []string
		differences map[string]different
	}{
		{"credit_scoring", credit, []string{"credit_scoring", "http", "get_online_features.jsonl"}, creditDifferences},
		{
			"postgres",
			fixture{project: "credit_scoring_aws", registry: "credit_scoring/registry/4_incremental.db", postgres: "postgres_online/3_incremental.sql"},
			[]string{"postgres_online", "http", "get_online_features.jsonl"},
			recordedOf(t, creditDifferences, "postgres_online", "http", "get_online_features.jsonl"),
		},
		{
			"all_types",
			fixture{project: "all_types", registry: "all_types/registry/3_incremental.db", sqlite: "all_types/online/3_incremental.online.db"},
			[]string{"all_types", "http", "get_online_features.jsonl"},
			allTypesDifferences,
		},
		{"versioned after v1", versioned("", "4_v0_rematerialized"), []string{"versioned", "http", "after_v1.jsonl"}, versionedDifferences},
		{"versioned after an unchanged apply", versioned("", "5_unchanged_apply"), []string{"versioned", "http", "after_unchanged_apply.jsonl"}, afterApplyDifferences},
		{"0.67 after v1", versioned("feast_0.67/", "4_v0_rematerialized"), []string{"feast_0.67", "versioned", "http", "after_v1.jsonl"}, versionedDifferences},
		{"0.67 after an unchanged apply", versioned("feast_0.67/", "5_unchanged_apply"), []string{"feast_0.67", "versioned", "http", "after_unchanged_apply.jsonl"}, afterApplyDifferences},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.fixture)
			recorded := map[string]bool{}
			for _, x := range rows[exchange](t, c.file...) {
				recorded[x.Name] = true
				x.silent = c.file[0] != "feast_0.67"
				t.Run(x.Name, func(t *testing.T) { compare(t, s, x, c.differences) })
			}
			for name := range c.differences {
				if !recorded[name] {
					t.Errorf("no recorded request for the difference %q", name)
				}
			}
		})
	}
}

func compare(t *testing.T, s *served, x exchange, differences map[string]different) {
	t.Helper()
	var body io.Reader
	switch {
	case x.Request.BodyBase64 != nil:
		b, err := base64.StdEncoding.DecodeString(*x.Request.BodyBase64)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.NewReader(b)
	case x.Request.Body != nil:
		body = strings.NewReader(*x.Request.Body)
	}
	req, err := http.NewRequestWithContext(t.Context(), x.Request.Method, "http://"+s.at.HTTP+x.Request.Path, body)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range x.Request.Headers {
		req.Header.Set(k, v)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	want := x.Response
	if d, ok := differences[x.Name]; ok {
		if resp.StatusCode != d.status || !strings.Contains(string(got), d.text) {
			t.Errorf("%d %s, want %d and %q", resp.StatusCode, got, d.status, d.text)
		}
		return
	}
	if want.Status == http.StatusInternalServerError && resp.StatusCode == http.StatusBadRequest {
		want.Status = http.StatusBadRequest // what the caller got wrong is not the server's failure
	}
	if resp.StatusCode != want.Status {
		t.Fatalf("%d %s\nwant %d %s", resp.StatusCode, got, want.Status, want.Body)
	}
	if x.silent {
		got = versionsOf.ReplaceAll(got, nil)
	}
	if diff := cmp.Diff(byName(want.Body), byName(string(got))); diff != "" {
		t.Errorf("-Feast +banquet\n%s", diff)
	}
}

// versionsOf matches the versions of views in a response.
var versionsOf = regexp.MustCompile(`,"feature_view_metadata":\[[^]]*\]`)

// byName sorts the columns of a response: their order within a view is arbitrary in
// Feast. It does not change an error.
func byName(body string) any {
	var a struct {
		Results  []map[string]json.RawMessage
		Metadata struct {
			Names    []string         `json:"feature_names"`
			Versions []map[string]any `json:"feature_view_metadata"`
		}
	}
	if json.Unmarshal([]byte(body), &a) != nil || len(a.Results) == 0 {
		return body
	}
	out := map[string]map[string]string{}
	for i, r := range a.Results {
		column := map[string]string{}
		for k, v := range r {
			column[k] = string(v)
		}
		out[a.Metadata.Names[i]] = column
	}
	if len(out) != len(a.Results) {
		return fmt.Sprintf("%d columns, %d names: %s", len(a.Results), len(out), body)
	}
	return []any{out, a.Metadata.Versions}
}

// call is a recorded gRPC call.
type call struct {
	Name, Method, Code, Details string
	Request                     string `json:"request_base64"`
	Response                    string `json:"response_base64"`
}

// grpcDifferences are the calls of Feast's feature server whose response differs: the
// code is the proper one where Feast has UNKNOWN, and a missing value has no type that
// could be wrong.
var grpcDifferences = map[string]struct {
	code codes.Code
	text string
}{
	"entity of another view": {codes.OK, ""},
	"unknown entity column":  {codes.OK, ""},
	// Feast's gRPC server cannot get request data at all.
	"on-demand with request data in entities": {codes.OK, ""},
	"on-demand with request_context":          {codes.OK, ""},
}

func TestGoldenGRPC(t *testing.T) {
	s := start(t, fixture{
		project: "credit_scoring_aws", registry: "credit_scoring/registry/4_incremental.db",
		tables: "credit_scoring/dynamodb/tables/4_incremental",
	})
	for _, c := range rows[call](t, "credit_scoring", "grpc", "feature_server.jsonl") {
		if c.Method != "/GrpcFeatureServer/GetOnlineFeatures" {
			continue // Feast does not serve them, banquet does
		}
		t.Run(c.Name, func(t *testing.T) {
			req := &feast.GetOnlineFeaturesRequest{}
			decode(t, c.Request, req)
			got, err := feast.NewGrpcFeatureServerClient(s.grpc).GetOnlineFeatures(t.Context(), req)
			if d, ok := grpcDifferences[c.Name]; ok {
				if status.Code(err) != d.code || !strings.Contains(status.Convert(err).Message(), d.text) {
					t.Errorf("%v, want %v and %q", err, d.code, d.text)
				}
				return
			}
			if c.Code != "OK" {
				if k := status.Code(err); k != codes.InvalidArgument && k != codes.NotFound {
					t.Errorf("%v, want the caller's fault; Feast: %s", err, c.Details)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := &feast.GetOnlineFeaturesResponse{}
			decode(t, c.Response, want)
			if diff := cmp.Diff(columnsByName(t, want), columnsByName(t, got), protocmp.Transform()); diff != "" {
				t.Errorf("-Feast +banquet\n%s", diff)
			}
		})
	}
}

func decode(t *testing.T, text string, m proto.Message) {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(b, m); err != nil {
		t.Fatal(err)
	}
}

func columnsByName(t *testing.T, m *feast.GetOnlineFeaturesResponse) map[string]*feast.GetOnlineFeaturesResponse_FeatureVector {
	t.Helper()
	names := m.GetMetadata().GetFeatureNames().GetVal()
	if len(names) != len(m.GetResults()) {
		t.Fatalf("%d names, %d columns", len(names), len(m.GetResults()))
	}
	out := map[string]*feast.GetOnlineFeaturesResponse_FeatureVector{}
	for i, r := range m.GetResults() {
		out[names[i]] = r
	}
	return out
}
