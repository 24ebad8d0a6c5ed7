package server_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/banquet-fs/banquet/fault"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/ingest"
	"github.com/banquet-fs/banquet/offline/parquet"
	"github.com/banquet-fs/banquet/registry"
	"github.com/banquet-fs/banquet/registry/file"
	"github.com/banquet-fs/banquet/server"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/training"
)

// pushing makes a server write to the store that it reads.
func pushing(f fixture) fixture {
	f.writing = func(s *served, store stores.Store, o *server.Options) {
		o.Writer = newWriter(s, store, o, nil)
	}
	return f
}

// newWriter makes the use case; off is the offline store, nil for none.
func newWriter(s *served, store stores.Store, o *server.Options, off *parquet.Store) *ingest.Writer {
	holder := registry.NewHolder(registry.HolderOptions{Storage: file.New(s.file)})
	_ = holder.Refresh(context.Background()) // without a registry there is no snapshot
	return ingest.NewWriter(ingest.WriterOptions{
		Snapshots: holder.Snapshot, Refresh: holder.Refresh, Project: o.Project, KeyVersion: 3,
		Online: func(context.Context) (stores.Writer, error) { return store, nil },
		Appender: func(context.Context) (ingest.Appender, error) {
			if off == nil {
				return nil, fault.New(fault.Unimplemented, "this server has no offline store")
			}
			return training.New(training.Options{Snapshots: holder.Snapshot, Project: o.Project, Source: off, Writer: off}), nil
		},
	})
}

// replayRecording replays a recording, and checks that each difference is in it.
func replayRecording(t *testing.T, s *served, differences map[string]different, file ...string) {
	t.Helper()
	recorded := map[string]bool{}
	for _, x := range rows[exchange](t, file...) {
		recorded[x.Name] = true
		t.Run(x.Name, func(t *testing.T) { compare(t, s, x, differences) })
	}
	for name := range differences {
		if !recorded[name] {
			t.Errorf("no recorded request for the difference %q", name)
		}
	}
}

// The recorded requests of the credit-scoring server whose response differs.
var creditWriteDifferences = map[string]different{
	// The error names view, column and row.
	"push text for a timestamp feature": {http.StatusBadRequest, `column last_inquiry_at, row 0 (dob_ssn=\"pushed_1\")`},
	"push missing feature column":       {http.StatusBadRequest, `the rows lack column lender`},
	"push missing join key":             {http.StatusBadRequest, `the rows lack column dob_ssn`},
	"push missing event time":           {http.StatusBadRequest, `the rows lack column event_timestamp`},
	"push bad event time":               {http.StatusBadRequest, `column event_timestamp, row 0 (dob_ssn=\"pushed_1\")`},
	"push unequal columns":              {http.StatusBadRequest, `column inquiries_24h has 1 rows, column lender has 2`},
	"push bad text for int":             {http.StatusBadRequest, `column inquiries_24h, row 0 (dob_ssn=\"pushed_1\"): invalid literal for int() with base 10: 'many'`},
	"write without created column":      {http.StatusBadRequest, `the rows lack column created_timestamp`},
	"write on-demand view":              {http.StatusBadRequest, `OnDemandFeatureView zipcode_ratios is not configured for write_to_online_store.`},
	// An older row never replaces a newer one.
	"read back after older pushed_1": {http.StatusOK, `"values":["Bank A"]`},
	// A number is not a time: Feast takes it as nanoseconds and stores second 1 of 1970.
	"push event time epoch number": {http.StatusBadRequest, `1719828000 is a number, whose unit is unknown`},
	"read back pushed_6":           {http.StatusOK, `"NOT_FOUND"`},
	// Beside a null, Feast stores the lowest integer for a time.
	"read back pushed_8": {http.StatusOK, `"values":[1719824400]`},
	// This server has no offline store. Feast stores the row online before it fails.
	"push to offline":                {http.StatusNotImplemented, `offline`},
	"push to offline, wrong columns": {http.StatusNotImplemented, `offline`},
	"push to both":                   {http.StatusNotImplemented, `offline`},
	"read back pushed_both":          {http.StatusOK, `"NOT_FOUND"`},
}

func TestGoldenWrites(t *testing.T) {
	s := start(t, pushing(fixture{
		project: "credit_scoring_aws", registry: "credit_scoring/registry/4_incremental.db", tables: "credit_scoring/dynamodb/tables/4_incremental",
	}))
	replayRecording(t, s, creditWriteDifferences, "credit_scoring", "http", "writes.jsonl")
}

// The same for the recording with every type.
var allTypesWriteDifferences = map[string]different{
	"read back p1":           {http.StatusOK, `[{"k":"v","n":"1"}]`}, // Feast's maps have no order
	"push json object":       {http.StatusOK, ``},
	"read back p2":           {http.StatusOK, `[1, 2]`},
	"push bad uuid and json": {http.StatusBadRequest, `column d_json, row 0 (label=\"p4\"): the text \"{\" is not JSON`},
	"write scalars":          {http.StatusBadRequest, `column f_bytes, row 0 (driver_id=500): \"aGk=\": JSON has no bytes`},
	// Feast writes it under a key that reads do not use.
	"read back entityless": {http.StatusOK, `"values":["written"]`},
	// Columns may have the names of the view or those of the source.
	"write mapped by feature names": {http.StatusOK, `null`},
	"write mapped by source names":  {http.StatusOK, `null`},
	"read back mapped":              {http.StatusOK, `"values":[1.5,2.5,3.5]`},
}

func TestGoldenWritesOfAllTypes(t *testing.T) {
	s := start(t, pushing(fixture{project: "all_types", registry: "all_types/registry/3_incremental.db", sqlite: "all_types/online/3_incremental.online.db"}))
	replayRecording(t, s, allTypesWriteDifferences, "all_types", "http", "writes.jsonl")
}

// The same for unusual requests.
var unusualDifferences = map[string]different{
	"push to_dict and a list":    {http.StatusBadRequest, `column \"shop_id\" is an object and column \"n\" a list`},
	"push all scalars":           {http.StatusBadRequest, `each column is a single value`},
	"write all scalars":          {http.StatusBadRequest, `each column is a single value`},
	"push unequal":               {http.StatusBadRequest, `column n has 1 rows, column shop_id has 2`},
	"push NaN where an error is": {http.StatusUnprocessableEntity, `"input":"NaN"`},
	"push too large integer":     {http.StatusBadRequest, `column n, row 0 (shop_id=33): Value out of range: 9223372036854775808`},
	"push key null":              {http.StatusBadRequest, `join key shop_id is null`},
	"write key null":             {http.StatusBadRequest, `join key shop_id is null`},
	"push list for an integer":   {http.StatusBadRequest, `column n, row 0 (shop_id=36): [1] is not a value of type INT64`},
	"push object for text":       {http.StatusBadRequest, `column name, row 0 (shop_id=37)`},
	"push event time null":       {http.StatusBadRequest, `column event_timestamp has no event time`},
	"push mixed times":           {http.StatusOK, ``},
	"read back":                  {http.StatusOK, `"values":[2,2,3,2,3,2,2,2,2,null,2,1,null,null,1,null,1,1,null,2,null,9223372036854775807]`},
}

// TestUnusualWrites compares wrong and unusual requests with what Feast's server responds
// to them.
func TestUnusualWrites(t *testing.T) {
	repo := t.TempDir()
	if err := os.Mkdir(filepath.Join(repo, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(golden, "push", "sales.parquet"), filepath.Join(repo, "data", "sales.parquet"))
	f := shop
	f.writing = func(s *served, store stores.Store, o *server.Options) {
		o.Writer = newWriter(s, store, o, parquet.New(repo))
	}
	s := start(t, f)
	replayRecording(t, s, unusualDifferences, "push", "requests.jsonl")
}

// grpcWrite is a recorded call of GrpcFeatureServer.
type grpcWrite struct {
	Name, Method, Code, Details string
	Request                     string `json:"request_base64"`
	Response                    string `json:"response_base64"`
}

// grpcWriteDifferences are the recorded calls whose response differs: its code and a part
// of its text.
var grpcWriteDifferences = map[string]struct {
	code codes.Code
	text string
}{
	"push text features":   {codes.OK, ""}, // text is read as the type of the feature
	"push numbers as text": {codes.OK, ""},
	"push bad target":      {codes.InvalidArgument, " is not a supported push format. Please specify one of these ['online', 'offline', 'online_and_offline']."},
	"write unknown view":   {codes.NotFound, "Feature view nope does not exist in project credit_scoring_aws"},
}

func TestGoldenGRPCWrites(t *testing.T) {
	s := start(t, pushing(fixture{
		project: "credit_scoring_aws", registry: "credit_scoring/registry/4_incremental.db", tables: "credit_scoring/dynamodb/tables/4_incremental",
	}))
	for _, x := range rows[grpcWrite](t, "credit_scoring", "grpc", "feature_server_writes.jsonl") {
		t.Run(x.Name, func(t *testing.T) {
			request, err := base64.StdEncoding.DecodeString(x.Request)
			if err != nil {
				t.Fatal(err)
			}
			var in, out proto.Message
			switch x.Method {
			case "/GrpcFeatureServer/Push":
				in, out = new(feast.PushRequest), new(feast.PushResponse)
			case "/GrpcFeatureServer/WriteToOnlineStore":
				in, out = new(feast.WriteToOnlineStoreRequest), new(feast.WriteToOnlineStoreResponse)
			default:
				in, out = new(feast.GetOnlineFeaturesRequest), new(feast.GetOnlineFeaturesResponse)
			}
			if err := proto.Unmarshal(request, in); err != nil {
				t.Fatal(err)
			}
			err = s.grpc.Invoke(t.Context(), x.Method, in, out)
			if d, ok := grpcWriteDifferences[x.Name]; ok {
				if status.Code(err) != d.code || !strings.Contains(status.Convert(err).Message(), d.text) {
					t.Errorf("%v", err)
				}
				return
			}
			if got := status.Convert(err); strings.ReplaceAll(strings.ToUpper(got.Code().String()), "ARGUMENT", "_ARGUMENT") != x.Code || got.Message() != x.Details {
				t.Errorf("%v %s, Feast %s %s", got.Code(), got.Message(), x.Code, x.Details)
			}
		})
	}
}
