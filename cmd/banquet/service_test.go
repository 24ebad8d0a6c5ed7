package main

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/banquet-fs/banquet/gen/feast/serving"
)

// rolling is a transformation service that knows one view, and returns its items as x.
type rolling struct {
	serving.UnimplementedTransformationServiceServer
}

func (rolling) TransformFeatures(_ context.Context, req *serving.TransformFeaturesRequest) (*serving.TransformFeaturesResponse, error) {
	name := req.GetOnDemandFeatureViewName()
	if name != "rolled" {
		return nil, status.Errorf(codes.Unknown, "Exception calling application: Feature view %s does not exist in project %s", name, req.GetProject())
	}
	in, err := ipc.NewFileReader(bytes.NewReader(req.GetTransformationInput().GetArrowValue()))
	if err != nil {
		return nil, err
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "rolled__x", Type: arrow.PrimitiveTypes.Float64}}, nil))
	for i := range in.NumRecords() {
		batch, err := in.RecordBatch(i)
		if err != nil {
			return nil, err
		}
		items := batch.Column(batch.Schema().FieldIndices("items")[0]).(*array.Int64)
		for row := range items.Len() {
			b.Field(0).(*array.Float64Builder).Append(float64(items.Value(row)) + 0.5)
		}
	}
	var out bytes.Buffer
	w, err := ipc.NewFileWriter(&out, ipc.WithSchema(b.Schema()))
	if err != nil {
		return nil, err
	}
	if err := w.Write(b.NewRecordBatch()); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return &serving.TransformFeaturesResponse{TransformationOutput: &serving.ValueType{Value: &serving.ValueType_ArrowValue{ArrowValue: out.Bytes()}}}, nil
}

// startRolling starts the service.
func startRolling(t *testing.T) (address string, stop func()) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	serving.RegisterTransformationServiceServer(s, rolling{})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String(), s.Stop
}

// With feature_server.transformation_service_endpoint, Feast's service computes what
// banquet does not, in every command; without it nothing changes.
func TestATransformationService(t *testing.T) {
	address, stop := startRolling(t)
	dir := newRepo(t, cartYAML+"feature_server: {transformation_service_endpoint: '"+address+"'}\n", cartFunctions("rolled"))
	writeFile(t, filepath.Join(dir, "carts.csv"), "shopper,items,note,at\n7,3,a,2024-01-15T00:00:00Z\n")
	warning := `warning: features.py:14: on-demand feature view "rolled" is computed by the transformation service at ` + address + `: method .rolling() is not supported` + "\n"
	for _, verb := range []string{"plan", "validate", "apply"} {
		if code, out, errText := command(t, nil, "-c", dir, verb); code != 0 || strings.Count(out+errText, warning) != 1 || strings.Contains(out+errText, "UNIMPLEMENTED") {
			t.Errorf("%s: exit %d\n%s%s", verb, code, out, errText)
		}
	}
	if code, _, errText := command(t, nil, "-c", dir, "materialize", "2024-01-01", "2024-02-01"); code != 0 {
		t.Fatal(errText)
	}
	rows := filepath.Join(dir, "rows.csv")
	writeFile(t, rows, "shopper,event_timestamp\n7,2024-01-20T00:00:00Z\n")
	inputs := filepath.Join(dir, "inputs.json")
	writeFile(t, inputs, `[{"items": 3, "note": "a"}]`)
	commands := map[string][]string{
		"online":   {"get-online-features", "-e", "shopper=7", "-f", "rolled:x"},
		"training": {"get-historical-features", "--entity-df", rows, "-f", "rolled:x"},
		"by hand":  {"transform", "test", "rolled", "-i", inputs, "-o", "json"},
	}
	for name, args := range commands {
		if code, out, errText := command(t, nil, append([]string{"-c", dir}, args...)...); code != 0 || !strings.Contains(out, "3.5") {
			t.Errorf("%s: exit %d\n%s%s", name, code, out, errText)
		}
	}
	stop()
	for name, args := range commands {
		code, _, errText := command(t, nil, append([]string{"-c", dir}, args...)...)
		if code != 1 || !strings.Contains(errText, `on-demand feature view "rolled" cannot be computed: the transformation service at `+address+" cannot be reached; start it with `feast serve_transformations`") {
			t.Errorf("%s: exit %d\n%s", name, code, errText)
		}
	}
	if code, _, errText := command(t, nil, "-c", dir, "validate"); code != 0 {
		t.Errorf("a service that is down is no fault of the repository: %s", errText)
	}
}

func TestEndpointsThatAreNone(t *testing.T) {
	for _, endpoint := range []string{"localhost", "localhost:0", "http://localhost:6569", "localhost:port", ":6569", "user:secret@host:1"} {
		dir := newRepo(t, cartYAML+"feature_server: {transformation_service_endpoint: '"+endpoint+"'}\n", "")
		code, _, errText := command(t, nil, "-c", dir, "apply")
		if code != 1 || !strings.Contains(errText, "feature_server.transformation_service_endpoint: want host:port, such as localhost:6569, not ") || strings.Contains(errText, "secret") {
			t.Errorf("%s: exit %d\n%s", endpoint, code, errText)
		}
	}
}
