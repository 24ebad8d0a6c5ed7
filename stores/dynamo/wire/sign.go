package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// signingKey is the signing key of one day.
type signingKey struct {
	secret, token string
	day           int
	date          string
	macs          sync.Pool // of hash.Hash keyed with it
}

// signer returns the signing key of credentials for the day of now, nil if the
// credentials are not valid in a header. It is derived once a day.
func (c *Client) signer(creds *aws.Credentials, now time.Time) *signingKey {
	day := now.YearDay() + 1000*now.Year()
	if k := c.key.Load(); k != nil && k.day == day && k.secret == creds.SecretAccessKey && k.token == creds.SessionToken {
		return k
	}
	for _, text := range []string{creds.AccessKeyID, creds.SessionToken} {
		if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return nil
		}
	}
	k := &signingKey{secret: creds.SecretAccessKey, token: creds.SessionToken, day: day, date: now.Format("20060102")}
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	key := mac(mac(mac(mac([]byte("AWS4"+k.secret), k.date), c.options.Region), "dynamodb"), "aws4_request")
	k.macs.New = func() any { return hmac.New(sha256.New, key) }
	c.key.Store(k)
	return k
}

const (
	contentType = "application/x-amz-json-1.0"
	target      = "DynamoDB_20120810."
)

// appendHead appends the head of a request, with its AWS Signature Version 4. now
// is on the day of the key.
func (c *Client) appendHead(dst []byte, e *endpoint, creds *aws.Credentials, k *signingKey, now time.Time, operation string, body []byte) []byte {
	var stamp [16]byte
	now.AppendFormat(stamp[:0], "20060102T150405Z")
	dst = append(dst, "POST "...)
	dst = append(dst, e.path...)
	dst = append(append(dst, " HTTP/1.1\r\nHost: "...), e.host...)
	dst = append(dst, "\r\nUser-Agent: banquet\r\nContent-Type: "+contentType+"\r\nX-Amz-Date: "...)
	dst = append(dst, stamp[:]...)
	dst = append(append(dst, "\r\nX-Amz-Target: "+target...), operation...)
	if creds.SessionToken != "" {
		dst = append(append(dst, "\r\nX-Amz-Security-Token: "...), creds.SessionToken...)
	}
	dst = append(append(dst, "\r\nAuthorization: AWS4-HMAC-SHA256 Credential="...), creds.AccessKeyID...)
	dst = append(append(dst, '/'), k.date...)
	dst = append(append(dst, '/'), c.options.Region...)
	dst = append(dst, "/dynamodb/aws4_request, SignedHeaders=content-type;host;x-amz-date;"...)
	if creds.SessionToken != "" {
		dst = append(dst, "x-amz-security-token;"...)
	}
	dst = append(dst, "x-amz-target, Signature="...)
	dst = c.appendSignature(dst, e, creds, k, operation, stamp, body)
	dst = append(dst, "\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(body)), 10)
	return append(dst, "\r\n\r\n"...)
}

// appendSignature signs a request. It builds the canonical request behind dst and
// cuts it off again.
func (c *Client) appendSignature(dst []byte, e *endpoint, creds *aws.Credentials, k *signingKey, operation string, stamp [16]byte, body []byte) []byte {
	start := len(dst)
	payload := sha256.Sum256(body)
	dst = append(append(dst, "POST\n"...), e.signed...)
	dst = append(append(dst, "\n\ncontent-type:"+contentType+"\nhost:"...), e.host...)
	dst = append(append(dst, "\nx-amz-date:"...), stamp[:]...)
	if creds.SessionToken != "" {
		dst = append(append(dst, "\nx-amz-security-token:"...), creds.SessionToken...)
	}
	dst = append(append(dst, "\nx-amz-target:"+target...), operation...)
	dst = append(dst, "\n\ncontent-type;host;x-amz-date;"...)
	if creds.SessionToken != "" {
		dst = append(dst, "x-amz-security-token;"...)
	}
	dst = append(dst, "x-amz-target\n"...)
	dst = hex.AppendEncode(dst, payload[:])
	canonical := sha256.Sum256(dst[start:])
	dst = append(append(dst[:start], "AWS4-HMAC-SHA256\n"...), stamp[:]...)
	dst = append(append(dst, '\n'), k.date...)
	dst = append(append(dst, '/'), c.options.Region...)
	dst = append(dst, "/dynamodb/aws4_request\n"...)
	dst = hex.AppendEncode(dst, canonical[:])
	mac := k.macs.Get().(hash.Hash) // the pool holds nothing else
	mac.Reset()
	mac.Write(dst[start:])
	var sum [sha256.Size]byte
	dst = hex.AppendEncode(dst[:start], mac.Sum(sum[:0]))
	k.macs.Put(mac)
	return dst
}
