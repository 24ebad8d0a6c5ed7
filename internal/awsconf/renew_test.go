package awsconf_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/internal/awsconf"
)

// sts responds to AssumeRoleWithWebIdentity, each time with new credentials that are valid
// for a time. before is called with the number of the call before it is answered.
func sts(t *testing.T, good time.Duration, before func(call int32)) *atomic.Int32 {
	t.Helper()
	asked := new(atomic.Int32)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := asked.Add(1)
		before(n)
		_, _ = fmt.Fprintf(w, `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>`+
			`<AccessKeyId>key%d</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>%s</Expiration>`+
			`</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`, n, time.Now().Add(good).UTC().Format(time.RFC3339))
	}))
	t.Cleanup(h.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("jwt"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]string{
		"AWS_ENDPOINT_URL_STS": h.URL, "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_PROFILE": "", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, v)
	}
	return asked
}

// Credentials of a role are replaced before they expire, and no request waits
// for the new ones.
func TestCredentialsAreRenewedWhileRequestsGoOn(t *testing.T) {
	called, release := make(chan struct{}), make(chan struct{})
	asked := sts(t, 2*time.Minute, func(call int32) {
		if call == 2 {
			close(called)
			<-release
		}
	})
	c, err := awsconf.Load(t.Context(), awsconf.Options{Region: "ap-northeast-2"})
	if err != nil {
		t.Fatal(err)
	}
	retrieve := func() string {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		creds, err := c.AWS.Credentials.Retrieve(ctx)
		if err != nil {
			t.Error(err)
		}
		return creds.AccessKeyID
	}
	if key := retrieve(); key != "key1" { // this one has to wait
		t.Error(key)
	}
	<-called
	for range 10 {
		if key := retrieve(); key != "key1" {
			t.Errorf("while the new ones are on their way: %q", key)
		}
	}
	close(release)
	for end := time.Now().Add(10 * time.Second); retrieve() != "key2"; <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the credentials are not replaced")
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("%d calls, want 2", n)
	}
}

// Credentials that are valid for long are fetched once.
func TestCredentialsThatAreGoodAreKept(t *testing.T) {
	asked := sts(t, time.Hour, func(int32) {})
	c, err := awsconf.Load(t.Context(), awsconf.Options{Region: "ap-northeast-2"})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := c.AWS.Credentials.Retrieve(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}
