package dynamotest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func refused(kind, text string) error {
	return &refusal{status: 400, kind: "com.amazon.coral.service#" + kind, text: text}
}

// verify checks the credentials of a call if the faults require it: AWS
// Signature Version 4, recomputed from the headers that the call signed.
func verify(r *http.Request, body []byte, f Faults) error {
	if f.ValidKey == "" && f.Secret == "" && f.Ahead == 0 {
		return nil
	}
	fields := map[string]string{}
	auth, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return refused("MissingAuthenticationTokenException", "Request is missing Authentication Token")
	}
	for part := range strings.SplitSeq(auth, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[k] = v
	}
	scope := strings.Split(fields["Credential"], "/") // key, day, region, service, aws4_request
	if len(scope) != 5 {
		return refused("IncompleteSignatureException", "Credential is not a scope")
	}
	if f.ValidKey != "" && scope[0] != f.ValidKey {
		return refused("ExpiredTokenException", "The security token included in the request is expired")
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return refused("IncompleteSignatureException", "X-Amz-Date is not a time")
	}
	if time.Since(at.Add(-f.Ahead)).Abs() > 5*time.Minute {
		return refused("InvalidSignatureException", "Signature expired, or not yet current")
	}
	if f.Secret == "" {
		return nil
	}
	if signature(r, body, fields["SignedHeaders"], scope, f.Secret) != fields["Signature"] {
		return refused("InvalidSignatureException", "The request signature we calculated does not match the signature you provided")
	}
	return nil
}

// signature computes what the signature of a call should be.
func signature(r *http.Request, body []byte, signed string, scope []string, secret string) string {
	payload := sha256.Sum256(body)
	canonical := r.Method + "\n" + r.URL.EscapedPath() + "\n" + r.URL.RawQuery + "\n"
	for name := range strings.SplitSeq(signed, ";") {
		v := r.Header.Get(name)
		switch name {
		case "host":
			v = r.Host
		case "content-length":
			v = strconv.FormatInt(r.ContentLength, 10)
		}
		canonical += name + ":" + strings.TrimSpace(v) + "\n"
	}
	canonical += "\n" + signed + "\n" + hex.EncodeToString(payload[:])
	sum := sha256.Sum256([]byte(canonical))
	text := "AWS4-HMAC-SHA256\n" + r.Header.Get("X-Amz-Date") + "\n" + strings.Join(scope[1:], "/") + "\n" + hex.EncodeToString(sum[:])
	key := []byte("AWS4" + secret)
	for _, part := range append(scope[1:5:5], text) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return hex.EncodeToString(key)
}
