package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// spoilFeature replaces a stored value of every row of a table.
func spoilFeature(t *testing.T, s *served, table, feature string, stored []byte) {
	t.Helper()
	for _, it := range s.dynamo.Items(table) {
		var values struct {
			M map[string]json.RawMessage
		}
		if err := json.Unmarshal(it["values"], &values); err != nil {
			t.Fatal(err)
		}
		if _, ok := values.M[feature]; !ok {
			continue
		}
		values.M[feature] = json.RawMessage(`{"B":"` + base64.StdEncoding.EncodeToString(stored) + `"}`)
		b, err := json.Marshal(values)
		if err != nil {
			t.Fatal(err)
		}
		it["values"] = b
		s.dynamo.Put(table, it)
	}
}

// Stored bytes that are not a Value affect one cell and no other, on every surface.
func TestACorruptStoredValueIsOneInvalidCell(t *testing.T) {
	for name, stored := range map[string][]byte{
		"cut":         {0x12, 0x05, 'D', 'A'},
		"no text":     {0x12, 0x02, 0xff, 0xfe},
		"no field":    {0x00},
		"a varint":    {0x18, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01},
		"end group":   {0x0c},
		"large field": {0x12, 0xff, 0xff, 0xff, 0xff, 0x0f},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, credit)
			spoilFeature(t, s, "credit_scoring_aws.zipcode_features", "city", stored)
			const body = `{"features":["zipcode_features:city","zipcode_features:state"],"entities":{"zipcode":[76104]}}`
			for _, path := range []string{"/get-online-features", "/v1/online-features"} {
				code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+path, body, "Content-Type", "application/json")
				if code != http.StatusOK || !strings.Contains(text, `{"values":[null],"statuses":["INVALID"]`) || !strings.Contains(text, `{"values":["TX"],"statuses":["PRESENT"]`) {
					t.Errorf("%s: %d %s", path, code, text)
				}
			}
			resp, err := feast.NewServingServiceClient(s.grpc).GetOnlineFeatures(t.Context(), &feast.GetOnlineFeaturesRequest{
				Kind:     &feast.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: []string{"zipcode_features:city", "zipcode_features:state"}}},
				Entities: map[string]*types.RepeatedValue{"zipcode": {Val: []*types.Value{{Val: &types.Value_Int64Val{Int64Val: 76104}}}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			city, state := resp.GetResults()[1], resp.GetResults()[2]
			if city.GetStatuses()[0] != feast.FieldStatus_INVALID || city.GetValues()[0].GetVal() != nil || state.GetValues()[0].GetStringVal() != "TX" {
				t.Errorf("gRPC: %v %v", city, state)
			}
			if n := s.counter(t, "banquet_online_invalid_values_total"); n != 3 {
				t.Errorf("%v values are counted as invalid, want 3", n)
			}
		})
	}
}

// counter sums a counter over its labels.
func (s *served) counter(t *testing.T, name string) (sum float64) {
	t.Helper()
	families, err := s.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			for _, m := range f.GetMetric() {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// rawCodec sends and returns bytes unchanged.
type rawCodec struct{}

func (rawCodec) Name() string { return "proto" }

func (rawCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }

func (rawCodec) Unmarshal(b []byte, v any) error {
	*v.(*[]byte) = bytes.Clone(b)
	return nil
}

// zipColumn is an entry of the map of entities with one value.
func zipColumn(stored []byte) []byte {
	list := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), stored)
	entry := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "zipcode")
	entry = protowire.AppendBytes(protowire.AppendTag(entry, 2, protowire.BytesType), list)
	return protowire.AppendBytes(protowire.AppendTag(nil, 3, protowire.BytesType), entry)
}

// Keys may be encoded in every way that protobuf allows. An invalid key is refused,
// and the error names column and row.
func TestKeysInOtherEncodings(t *testing.T) {
	s := start(t, credit)
	features := protowire.AppendBytes(protowire.AppendTag(nil, 2, protowire.BytesType),
		protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), "zipcode_features:city"))
	zip := protowire.AppendVarint(protowire.AppendTag(nil, 4, protowire.VarintType), 76104)
	other := protowire.AppendVarint(protowire.AppendTag(nil, 4, protowire.VarintType), 1)
	unknown := protowire.AppendVarint(protowire.AppendTag(nil, 1000, protowire.VarintType), 7)
	long := append(append([]byte{}, zip[:len(zip)-1]...), zip[len(zip)-1]|0x80, 0x80, 0x00) // the same number in more bytes
	for name, c := range map[string]struct {
		columns [][]byte
		city    string
		fault   string
	}{
		"plain":                   {[][]byte{zipColumn(zip)}, "DALLAS", ""},
		"the last of two":         {[][]byte{zipColumn(append(append([]byte{}, other...), zip...))}, "DALLAS", ""},
		"an unknown field":        {[][]byte{zipColumn(append(append([]byte{}, unknown...), zip...))}, "DALLAS", ""},
		"more bytes than needed":  {[][]byte{zipColumn(long)}, "DALLAS", ""},
		"the last of two columns": {[][]byte{zipColumn(other), zipColumn(zip)}, "DALLAS", ""},
		"no value":                {[][]byte{zipColumn([]byte{0x12, 0x05, 'x'})}, "", `entity column "zipcode", row 0: the value cannot be read`},
		"null":                    {[][]byte{zipColumn(nil)}, "", `entity column "zipcode", row 0: the value is null`},
	} {
		t.Run(name, func(t *testing.T) {
			request := append([]byte{}, features...)
			for _, b := range c.columns {
				request = append(request, b...)
			}
			var response []byte
			err := s.grpc.Invoke(t.Context(), feast.ServingService_GetOnlineFeatures_FullMethodName, &request, &response, grpc.ForceCodec(rawCodec{}))
			if c.fault != "" {
				if status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("%v, want %q", err, c.fault)
				}
				return
			}
			if err != nil || !strings.Contains(string(response), c.city) {
				t.Errorf("%v %q", err, response)
			}
		})
	}
}

// Feast writes null times as the lowest number, and its clients know that; on
// banquet's own surfaces null is null, in lists too.
func TestNullTimes(t *testing.T) {
	s := start(t, credit)
	lowest := []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}
	list := append(append([]byte{18<<3&0x7f | 2 | 0x80, 1, 13, 1<<3 | 2, 11}, lowest...), 7)
	spoilFeature(t, s, "credit_scoring_aws.zipcode_features", "city", append([]byte{8 << 3}, lowest...))
	spoilFeature(t, s, "credit_scoring_aws.zipcode_features", "state", list)
	const body = `{"features":["zipcode_features:city","zipcode_features:state"],"entities":{"zipcode":[76104]}}`
	const number = "-9223372036854775808"
	for path, want := range map[string][]string{
		"/get-online-features":       {`{"values":[` + number + `],"statuses":["PRESENT"]`, `{"values":[[` + number + `,7]],"statuses":["PRESENT"]`},
		"/v1/online-features":        {`{"values":[null],"statuses":["PRESENT"]`, `{"values":[[null,7]],"statuses":["PRESENT"]`},
		"/v1/online-features:stream": {`{"values":[null],"statuses":["PRESENT"]`, `{"values":[[null,7]],"statuses":["PRESENT"]`},
	} {
		code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+path, body, "Content-Type", "application/json")
		if code != http.StatusOK || !strings.Contains(text, want[0]) || !strings.Contains(text, want[1]) {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
}
