package awsconf_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/banquet-fs/banquet/internal/awsconf"
)

// reason loads the configuration of a profile and says why it has no credentials.
func reason(t *testing.T, profile string, env map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "config")
	if err := os.WriteFile(file, []byte("[default]\n"+profile+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ENDPOINT_URL",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_ENDPOINT_URL_STS",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", file)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("HOME", dir)
	for k, v := range env {
		t.Setenv(k, v)
	}
	c, err := awsconf.Load(t.Context(), awsconf.Options{Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.AWS.Credentials.Retrieve(context.Background())
	if err == nil {
		t.Fatal("there are credentials")
	}
	if cause := awsconf.CredentialsCause(err); strings.Contains(cause.Error(), "hunter2") && strings.Contains(profile, "process") {
		t.Errorf("the log has the secret: %v", cause)
	}
	return awsconf.CredentialsFault(err)
}

// Every source of credentials that fails is named with the reason; what it printed, which
// may be a secret, is not.
func TestCredentialsFaults(t *testing.T) {
	denied := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`<ErrorResponse><Error><Code>AccessDenied</Code><Message>hunter2</Message></Error></ErrorResponse>`))
	}))
	defer denied.Close()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	role := map[string]string{"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r", "AWS_ENDPOINT_URL_STS": denied.URL}
	with := func(more ...string) map[string]string {
		m := map[string]string{}
		for k, v := range role {
			m[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	for _, c := range []struct {
		name, profile string
		env           map[string]string
		want          string
	}{
		{"none", "", nil, "no AWS credentials were found; set AWS_ACCESS_KEY_ID"},
		{"a program that fails", `credential_process = /bin/sh -c "echo hunter2; exit 3"`, nil, "the credential_process of the AWS profile failed: exit status 3"},
		{"a program that is not there", "credential_process = /nowhere/vault hunter2", nil, "the credential_process of the AWS profile failed: exit status 127"},
		{"no JSON", "credential_process = echo hunter2", nil, "its output is not JSON"},
		{"no key", `credential_process = echo '{"Version": 1, "SecretAccessKey": "hunter2"}'`, nil, "its output is not JSON with Version 1, AccessKeyId and SecretAccessKey"},
		{"a role that is refused", "", with("AWS_WEB_IDENTITY_TOKEN_FILE", token), "AWS STS gave no credentials (AssumeRoleWithWebIdentity: AccessDenied)"},
		{"no token", "", with("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/hunter2"), "the file of AWS_WEB_IDENTITY_TOKEN_FILE"},
		{"a session that has expired", "sso_start_url = https://x.awsapps.com/start\nsso_region = eu-west-1\nsso_account_id = 123456789012\nsso_role_name = hunter2", nil, "the SSO session of the AWS profile has expired or is missing; run aws sso login"},
		{"a container's endpoint", "", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": denied.URL}, "AWS_CONTAINER_CREDENTIALS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := reason(t, c.profile, c.env); !strings.Contains(got, c.want) || strings.Contains(got, "hunter2") || strings.Contains(got, "\n") {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
