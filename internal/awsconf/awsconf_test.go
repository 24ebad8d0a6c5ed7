package awsconf_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/banquet-fs/banquet/internal/awsconf"
)

// The endpoint is the one that the SDK would use; configured endpoints are
// ignored where the user says so.
func TestConfiguredEndpoints(t *testing.T) {
	const (
		profile  = "[default]\nendpoint_url = http://profile:1\n"
		services = "[default]\nservices = s\nendpoint_url = http://profile:1\n[services s]\ndynamodb =\n  endpoint_url = http://service:1\n"
		ignoring = profile + "ignore_configured_endpoint_urls = true\n"
	)
	for name, c := range map[string]struct {
		env      map[string]string
		profile  string
		explicit string
		want     string
	}{
		"none":                       {},
		"of all services":            {env: map[string]string{"AWS_ENDPOINT_URL": "http://all:1"}, want: "http://all:1"},
		"of the service":             {env: map[string]string{"AWS_ENDPOINT_URL": "http://all:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://one:1"}, want: "http://one:1"},
		"of the profile":             {profile: profile, want: "http://profile:1"},
		"of the profile's service":   {profile: services, want: "http://service:1"},
		"environment before profile": {env: map[string]string{"AWS_ENDPOINT_URL": "http://all:1"}, profile: services, want: "http://all:1"},
		"ignored by the environment": {env: map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": "http://one:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}},
		"profile ignored":            {env: map[string]string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, profile: services},
		"ignored by the profile":     {env: map[string]string{"AWS_ENDPOINT_URL": "http://all:1"}, profile: ignoring},
		"environment says not to":    {env: map[string]string{"AWS_ENDPOINT_URL": "http://all:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"}, profile: ignoring, want: "http://all:1"},
		"explicit, others ignored":   {env: map[string]string{"AWS_ENDPOINT_URL": "http://all:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, explicit: "http://mine:1", want: "http://mine:1"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config")
			if err := os.WriteFile(file, []byte(c.profile), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_PROFILE"} {
				t.Setenv(name, "") // restores it
				if err := os.Unsetenv(name); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("AWS_CONFIG_FILE", file)
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
			for name, v := range c.env {
				t.Setenv(name, v)
			}
			got, err := awsconf.Load(t.Context(), awsconf.Options{Region: "eu-west-1", Endpoint: c.explicit})
			if err != nil {
				t.Fatal(err)
			}
			if got.Endpoint != c.want {
				t.Errorf("%q, want %q", got.Endpoint, c.want)
			}
			if base := dynamodb.NewFromConfig(got.AWS).Options().BaseEndpoint; c.explicit == "" && (base == nil) != (c.want == "") || base != nil && c.explicit == "" && *base != c.want {
				t.Errorf("the SDK uses %v, want %q", base, c.want)
			}
		})
	}
}
