package server_test

import (
	"net/http"
	"strings"
	"testing"
)

// Odd requests, and the responses of the real Feast.
func TestOddRequests(t *testing.T) {
	types := fixture{project: "all_types", registry: "all_types/registry/3_incremental.db", sqlite: "all_types/online/3_incremental.online.db"}
	versioned := fixture{project: "credit_scoring_aws", registry: "versioned/registry/4_v0_rematerialized.db", tables: "versioned/tables/4_v0_rematerialized", versioned: true}
	for _, c := range []struct {
		name, body string
		fixture    fixture
		code       int
		text       string
	}{
		{"a join key of another view comes back as it came", `{"features":["zipcode_features:city"],"entities":{"zipcode":[76104,10001],"dob_ssn":[5,null]}}`, credit, 200, `{"values":[5,null],"statuses":["PRESENT","PRESENT"]`},
		{"an unknown view counts more than an unknown feature", `{"features":["zipcode_features:nope","nowhere:f"],"entities":{"zipcode":[1]}}`, credit, 404, "Feature view nowhere does not exist"},
		{"a reference that is none counts more than an unknown view", `{"features":["nowhere:f","f"],"entities":{"zipcode":[1]}}`, credit, 400, "Invalid feature reference 'f'"},
		{"a collision counts more than an unknown feature", `{"features":["zipcode_features:nope","zipcode_features:nope"],"entities":{"zipcode":[1]}}`, credit, 400, "Duplicate features named nope found"},
		{"a version beyond all numbers", `{"features":["zipcode_features@v99999999999999999999:city"],"entities":{"zipcode":[1]}}`, credit, 400, "online versioning is disabled"},
		{
			"missing keys under the caller's names", `{"feature_service":"renamed","full_feature_names":true,"entities":{"label":["x"]}}`, types, 400,
			`Missing join key values for keys: ['Account', 'driver_id', 'first_driver', 'label', 'moment_at', 'second_driver']. ` +
				`No values provided for keys: ['Account', 'driver_id', 'first_driver', 'label', 'moment_at', 'second_driver']. Provided join_key_values: ['label', '__dummy_id']`,
		},
		{
			"no rows for a view without entities", `{"features":["overall:total"],"entities":{"label":[]}}`, types, 400,
			`Missing join key values for keys: ['Account', 'driver_id', 'label', 'moment_at']. ` +
				`No values provided for keys: ['Account', 'driver_id', 'label', 'moment_at']. Provided join_key_values: ['label', '__dummy_id']`,
		},
		{"of two columns of one key the last counts", `{"features":["scalars:f_int32"],"entities":{"driver":[1],"label":["x"],"driver_id":[2]}}`, types, 200, `{"results":[{"values":[2],"statuses":["PRESENT"],"event_timestamps":["1970-01-01T00:00:00Z"]},{"values":["x"]`},
		{"NaN as a text key", `{"features":["arrays:a_int32"],"entities":{"label":[NaN]}}`, types, 400, `row 0: the value is NaN`},
		{"half of a surrogate pair", `{"features":["arrays:a_int32"],"entities":{"label":["x\ud800"]}}`, types, 400, `row 0: \"x\\ud800\" holds half of a surrogate pair`},
		{"NaN in a column of another view", `{"features":["overall:total"],"entities":{"moment_at":[1.5,NaN]}}`, types, 200, `{"results":[{"values":[1.5,null]`},
		{"a version of an unknown view", `{"features":["nowhere@v1:f"],"entities":{"zipcode":[1]}}`, versioned, 404, `FeatureViewVersionNotFound\", \"message\": \"Version v1 of feature view nowhere does not exist`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.fixture)
			code, text := fetch(t, http.MethodPost, "http://"+s.at.HTTP+"/get-online-features", c.body, "Content-Type", "application/json")
			if code != c.code || !strings.Contains(text, c.text) {
				t.Errorf("%d %s\nwant %d %s", code, text, c.code, c.text)
			}
		})
	}
}
