package dynamo_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/banquet-fs/banquet/stores"
)

// An endpoint with a path is called under the same path as by the SDK, and the
// signature equals that of the SDK's signer.
func TestEndpointsWithAPath(t *testing.T) {
	const hash = "X-Hash" // of the body
	paths := []string{"", "/", "/base", "/base/", "/a b/%2F", "/a%20b", "/%2Fx", "/ü/~x_-.y", "/a+b=c:d@e", "/a%25b", "//two"}
	for _, path := range paths {
		var seen []*http.Request
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			sum := sha256.Sum256(body)
			r.Header.Set(hash, hex.EncodeToString(sum[:]))
			seen = append(seen, r)
			_, _ = w.Write([]byte(`{"Responses":{},"UnprocessedKeys":{}}`))
		}))
		for _, sdk := range []bool{true, false} {
			s := openWith(t, server.URL+path, new(provider), sdk)
			rows, err := s.Read(t.Context(), []stores.Read{{Table: zip, Features: stores.NewSelection("f"), Keys: [][]byte{[]byte("k")}}})
			if err != nil {
				t.Fatalf("%q: %v", path, err)
			}
			rows.Release()
		}
		server.Close()
		if len(seen) != 2 || seen[0].RequestURI != seen[1].RequestURI {
			t.Fatalf("%q: the SDK calls %s, the direct client %s", path, seen[0].RequestURI, seen[len(seen)-1].RequestURI)
		}
		direct := seen[1]
		at, err := time.Parse("20060102T150405Z", direct.Header.Get("X-Amz-Date"))
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		again := (&http.Request{Method: http.MethodPost, URL: u, Host: direct.Host, Header: http.Header{}}).WithContext(t.Context())
		for _, name := range []string{"Content-Type", "X-Amz-Target"} {
			again.Header.Set(name, direct.Header.Get(name))
		}
		creds := aws.Credentials{AccessKeyID: "key1", SecretAccessKey: "secret", SessionToken: "token"}
		if err := v4.NewSigner().SignHTTP(t.Context(), creds, again, direct.Header.Get(hash), "dynamodb", "ap-northeast-2", at); err != nil {
			t.Fatal(err)
		}
		if got, want := direct.Header.Get("Authorization"), again.Header.Get("Authorization"); got != want {
			t.Errorf("%q:\n%s, the SDK's signer makes\n%s", path, got, want)
		}
	}
}
