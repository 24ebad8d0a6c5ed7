package proto_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	"github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// firstOwn is the first number of what banquet adds to Feast's messages.
const firstOwn = 100

// twins are the messages of banquet.v1 that share Feast's wire format.
func twins() map[protoreflect.FullName][2]protoreflect.MessageDescriptor {
	out := make(map[protoreflect.FullName][2]protoreflect.MessageDescriptor)
	for _, pair := range [][2]proto.Message{
		{new(serving.GetOnlineFeaturesRequest), new(banquetv1.GetOnlineFeaturesRequest)},
		{new(serving.GetOnlineFeaturesResponse), new(banquetv1.GetOnlineFeaturesResponse)},
		{new(serving.GetOnlineFeaturesResponse_FeatureVector), new(banquetv1.GetOnlineFeaturesResponse_FeatureVector)},
		{new(serving.GetOnlineFeaturesResponseMetadata), new(banquetv1.GetOnlineFeaturesResponseMetadata)},
	} {
		feast, own := pair[0].ProtoReflect().Descriptor(), pair[1].ProtoReflect().Descriptor()
		out[own.FullName()] = [2]protoreflect.MessageDescriptor{feast, own}
	}
	return out
}

func TestFieldsAreShared(t *testing.T) {
	t.Parallel()
	pairs := twins()
	for name, pair := range pairs {
		for _, problem := range unshared(pair[0], pair[1], pairs) {
			t.Errorf("%s: %s", name, problem)
		}
	}
}

// unshared says why bytes of one message would not parse as the other.
func unshared(feast, own protoreflect.MessageDescriptor, pairs map[protoreflect.FullName][2]protoreflect.MessageDescriptor) []string {
	var out []string
	for i := range feast.Fields().Len() {
		f := feast.Fields().Get(i)
		o := own.Fields().ByNumber(f.Number())
		if o == nil {
			out = append(out, fmt.Sprintf("field %d, Feast's %s, is missing", f.Number(), f.Name()))
			continue
		}
		if want, got := shape(f, pairs), shape(o, pairs); got != want {
			out = append(out, fmt.Sprintf("field %d is %s, Feast's is %s", f.Number(), got, want))
		}
	}
	for i := range own.Fields().Len() {
		o := own.Fields().Get(i)
		if feast.Fields().ByNumber(o.Number()) == nil && o.Number() < firstOwn {
			out = append(out, fmt.Sprintf("own field %s has number %d, below %d", o.Name(), o.Number(), firstOwn))
		}
	}
	return out
}

// shape is all of a field that shows on the wire, with Feast's names for what
// has a twin.
func shape(f protoreflect.FieldDescriptor, pairs map[protoreflect.FullName][2]protoreflect.MessageDescriptor) string {
	if f.IsMap() {
		return fmt.Sprintf("%s map<%s, %s>", f.Name(), shape(f.MapKey(), pairs), shape(f.MapValue(), pairs))
	}
	of := ""
	switch {
	case f.Enum() != nil:
		of = string(f.Enum().Name())
	case f.Message() != nil:
		of = string(f.Message().FullName())
		if pair, ok := pairs[f.Message().FullName()]; ok {
			of = string(pair[0].FullName())
		}
	}
	oneof := protoreflect.Name("")
	if f.ContainingOneof() != nil {
		oneof = f.ContainingOneof().Name()
	}
	return fmt.Sprintf("%s %s %s %s oneof %q packed %t", f.Cardinality(), f.Kind(), of, f.Name(), oneof, f.IsPacked())
}

func TestUnsharedFieldsAreFound(t *testing.T) {
	t.Parallel()
	feast := new(serving.GetOnlineFeaturesRequest).ProtoReflect().Descriptor()
	other := new(serving.GetOnlineFeaturesRequestV2).ProtoReflect().Descriptor()
	got := unshared(feast, other, nil)
	want := []string{
		"field 1, Feast's feature_service, is missing",
		`field 2 is repeated message feast.serving.GetOnlineFeaturesRequestV2.EntityRow entity_rows oneof "" packed false, ` +
			`Feast's is optional message feast.serving.FeatureList features oneof "kind" packed false`,
		"field 3, Feast's entities, is missing",
		`field 4 is repeated message feast.serving.FeatureReferenceV2 features oneof "" packed false, ` +
			`Feast's is optional bool  full_feature_names oneof "" packed false`,
		`field 5 is optional string  project oneof "" packed false, ` +
			`Feast's is request_context map<optional string  key oneof "" packed false, ` +
			`optional message feast.types.RepeatedValue value oneof "" packed false>`,
		"field 6, Feast's include_feature_view_version_metadata, is missing",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := unshared(other, feast, nil); len(got) != 6 {
		t.Errorf("the other way round: %q, want 3 differences and 3 numbers below %d", got, firstOwn)
	}
}

// Statuses are written as single bytes, Feast's and ours, so that a column of
// them can be filled without measuring it first.
func TestStatusesAreSharedAndOneByteEach(t *testing.T) {
	t.Parallel()
	own := banquetv1.FieldStatus(0).Descriptor().Values()
	for i := range own.Len() {
		v := own.Get(i)
		if n := protowire.SizeVarint(uint64(v.Number())); n != 1 {
			t.Errorf("%s = %d takes %d bytes", v.Name(), v.Number(), n)
		}
	}
	feast := serving.FieldStatus(0).Descriptor().Values()
	for i := range feast.Len() {
		v := feast.Get(i)
		want := "FIELD_STATUS_" + string(v.Name())
		if v.Number() == 0 {
			want += "_UNSPECIFIED" // the lint rule's name for a zero
		}
		o := own.ByNumber(v.Number())
		if o == nil || string(o.Name()) != want {
			t.Errorf("%d is %v, want %s", v.Number(), o, want)
		}
	}
	for i := range own.Len() {
		if v := own.Get(i); feast.ByNumber(v.Number()) == nil && v.Number() < firstOwn {
			t.Errorf("own status %s has number %d, below %d", v.Name(), v.Number(), firstOwn)
		}
	}
}

func column(values ...*types.Value) *types.RepeatedValue { return &types.RepeatedValue{Val: values} }

func integer(v int64) *types.Value {
	return &types.Value{Val: &types.Value_Int64Val{Int64Val: v}}
}

func feastRequest() *serving.GetOnlineFeaturesRequest {
	return &serving.GetOnlineFeaturesRequest{
		Kind:             &serving.GetOnlineFeaturesRequest_Features{Features: &serving.FeatureList{Val: []string{"a:x", "b@v2:y"}}},
		Entities:         map[string]*types.RepeatedValue{"zipcode": column(integer(1), integer(-2), nil), "dob": column(integer(7), integer(8), integer(9))},
		FullFeatureNames: true, IncludeFeatureViewVersionMetadata: true,
		RequestContext: map[string]*types.RepeatedValue{"amount": column(integer(5), integer(6), integer(7))},
	}
}

func ownRequest() *banquetv1.GetOnlineFeaturesRequest {
	return &banquetv1.GetOnlineFeaturesRequest{
		Kind:             &banquetv1.GetOnlineFeaturesRequest_Features{Features: &serving.FeatureList{Val: []string{"a:x", "b@v2:y"}}},
		Entities:         map[string]*types.RepeatedValue{"zipcode": column(integer(1), integer(-2), nil), "dob": column(integer(7), integer(8), integer(9))},
		FullFeatureNames: true, IncludeFeatureViewVersionMetadata: true,
		RequestContext: map[string]*types.RepeatedValue{"amount": column(integer(5), integer(6), integer(7))},
	}
}

func feastResponse(statuses ...serving.FieldStatus) *serving.GetOnlineFeaturesResponse {
	return &serving.GetOnlineFeaturesResponse{
		Metadata: &serving.GetOnlineFeaturesResponseMetadata{
			FeatureNames:        &serving.FeatureList{Val: []string{"zipcode"}},
			FeatureViewMetadata: []*serving.FeatureViewMetadata{{Name: "a", Version: 3}},
		},
		Results: []*serving.GetOnlineFeaturesResponse_FeatureVector{{
			Values: []*types.Value{integer(1), {}, integer(3)}, Statuses: statuses,
			EventTimestamps: []*timestamppb.Timestamp{{Seconds: 1}, {}, {Seconds: -1, Nanos: 5}},
		}},
		Status: true,
	}
}

func ownResponse(statuses ...banquetv1.FieldStatus) *banquetv1.GetOnlineFeaturesResponse {
	return &banquetv1.GetOnlineFeaturesResponse{
		Metadata: &banquetv1.GetOnlineFeaturesResponseMetadata{
			FeatureNames:        &serving.FeatureList{Val: []string{"zipcode"}},
			FeatureViewMetadata: []*serving.FeatureViewMetadata{{Name: "a", Version: 3}},
		},
		Results: []*banquetv1.GetOnlineFeaturesResponse_FeatureVector{{
			Values: []*types.Value{integer(1), {}, integer(3)}, Statuses: statuses,
			EventTimestamps: []*timestamppb.Timestamp{{Seconds: 1}, {}, {Seconds: -1, Nanos: 5}},
		}},
		Status: true,
	}
}

func TestBytesOfOneParseAsTheOther(t *testing.T) {
	t.Parallel()
	byName := ownRequest()
	byName.Kind = &banquetv1.GetOnlineFeaturesRequest_FeatureService{FeatureService: "s"}
	feastByName := feastRequest()
	feastByName.Kind = &serving.GetOnlineFeaturesRequest_FeatureService{FeatureService: "s"}
	for _, c := range []struct {
		name       string
		feast, own proto.Message
	}{
		{"a request of features", feastRequest(), ownRequest()},
		{"a request of a feature service", feastByName, byName},
		{
			"a response",
			feastResponse(serving.FieldStatus_PRESENT, serving.FieldStatus_NOT_FOUND, serving.FieldStatus_OUTSIDE_MAX_AGE),
			ownResponse(banquetv1.FieldStatus_FIELD_STATUS_PRESENT, banquetv1.FieldStatus_FIELD_STATUS_NOT_FOUND, banquetv1.FieldStatus_FIELD_STATUS_OUTSIDE_MAX_AGE),
		},
		{
			// Feast's enum is open: statuses of ours arrive there as numbers.
			"a partial response",
			feastResponse(100, 101, 103),
			ownResponse(banquetv1.FieldStatus_FIELD_STATUS_TIMED_OUT, banquetv1.FieldStatus_FIELD_STATUS_THROTTLED, banquetv1.FieldStatus_FIELD_STATUS_UNREADABLE),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, way := range []struct{ from, to proto.Message }{{c.feast, c.own}, {c.own, c.feast}} {
				got := way.to.ProtoReflect().New().Interface()
				if err := proto.Unmarshal(marshal(t, way.from), got); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(way.to, got, protocmp.Transform()); diff != "" {
					t.Errorf("%T as %T (-want +got):\n%s", way.from, way.to, diff)
				}
			}
			if feast, own := marshal(t, c.feast), marshal(t, c.own); !bytes.Equal(feast, own) {
				t.Errorf("Feast's bytes are %x, ours %x", feast, own)
			}
		})
	}
}

// What banquet adds is unknown to Feast and changes nothing of the rest.
func TestOwnFieldsAreUnknownToFeast(t *testing.T) {
	t.Parallel()
	own := ownRequest()
	own.Project, own.Consistent, own.Partial = "credit", true, true
	got := new(serving.GetOnlineFeaturesRequest)
	if err := proto.Unmarshal(marshal(t, own), got); err != nil {
		t.Fatal(err)
	}
	var numbers []protowire.Number
	for rest := got.ProtoReflect().GetUnknown(); len(rest) > 0; {
		number, _, n := protowire.ConsumeField(rest)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		numbers, rest = append(numbers, number), rest[n:]
	}
	if diff := cmp.Diff([]protowire.Number{100, 101, 102}, numbers); diff != "" {
		t.Errorf("unknown fields (-want +got):\n%s", diff)
	}
	got.ProtoReflect().SetUnknown(nil)
	if diff := cmp.Diff(feastRequest(), got, protocmp.Transform()); diff != "" {
		t.Errorf("the rest (-want +got):\n%s", diff)
	}
}

// marshal gives the one form of a message that is the same at every call.
func marshal(tb testing.TB, m proto.Message) []byte {
	tb.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// Whatever parses as a message of ours parses as Feast's, to the same content.
func FuzzOwnBytesParseAsFeasts(f *testing.F) {
	own := ownRequest()
	own.Project = "credit"
	f.Add(marshal(f, own))
	f.Add(marshal(f, feastRequest()))
	f.Add(marshal(f, feastResponse(1, 3, 101)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		agree(t, data, new(serving.GetOnlineFeaturesRequest), new(banquetv1.GetOnlineFeaturesRequest))
		agree(t, data, new(serving.GetOnlineFeaturesResponse), new(banquetv1.GetOnlineFeaturesResponse))
	})
}

func agree(t *testing.T, data []byte, feast, own proto.Message) {
	t.Helper()
	if proto.Unmarshal(data, own) != nil {
		return
	}
	if err := proto.Unmarshal(data, feast); err != nil {
		t.Fatalf("%T parses, %T does not: %v", own, feast, err)
	}
	fields := own.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if fields.Get(i).Number() >= firstOwn {
			own.ProtoReflect().Clear(fields.Get(i))
		}
	}
	own.ProtoReflect().SetUnknown(nil)
	feast.ProtoReflect().SetUnknown(nil)
	if a, b := marshal(t, feast), marshal(t, own); !bytes.Equal(a, b) {
		t.Fatalf("as Feast's %x, as ours %x", a, b)
	}
}
