// Package wire speaks DynamoDB's protocol over HTTP: connections, signatures,
// checksums, the JSON of responses. It also makes the AWS SDK check its responses
// as carefully. It knows nothing of rows.
package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/dial"
	"github.com/banquet-fs/banquet/stores"
)

// Client is the direct client: it writes, signs and sends requests over
// fasthttp's connections, and checks responses without decoding them.
// Credentials, region and endpoint come from the SDK. It is safe for concurrent
// use.
type Client struct {
	options     dynamodb.Options
	credentials aws.CredentialsProvider
	readTime    time.Duration
	tls         *tls.Config
	dialer      *dial.Dialer

	mu    sync.Mutex
	hosts map[string]*endpoint // by account id
	last  atomic.Pointer[endpoint]
	key   atomic.Pointer[signingKey]
	skew  atomic.Int64 // nanoseconds by which the service's clock is ahead
}

// NewClient makes a client from the SDK's options. readTime bounds the wait for
// one response; 0 means no bound.
func NewClient(o dynamodb.Options, dialer *dial.Dialer, readTime time.Duration) *Client {
	c := &Client{options: o, credentials: o.Credentials, hosts: map[string]*endpoint{}, dialer: dialer, readTime: readTime}
	if h, ok := o.HTTPClient.(*HTTPClient); ok && h.transport.TLSClientConfig != nil {
		c.tls = h.transport.TLSClientConfig.Clone() // AWS_CA_BUNDLE
		c.tls.NextProtos = nil                      // the SDK's list includes HTTP/2
	}
	return c
}

// Close closes idle connections.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.hosts {
		e.pool.CloseIdleConnections()
	}
}

// Call makes one call with a body. A refusal of the service is a smithy.APIError,
// as in the SDK. An incomplete body is an error. The meter, which may be nil,
// counts the bytes of the response before they are read.
func (c *Client) Call(ctx context.Context, operation string, body []byte, meter *stores.Meter) (*Response, error) {
	used := time.Duration(c.skew.Load())
	r, date, err := c.try(ctx, operation, body, meter)
	var api smithy.APIError
	if errors.As(err, &api) && c.corrected(api.ErrorCode(), date, used) {
		r, _, err = c.try(ctx, operation, body, meter)
	}
	return r, err
}

// corrected adopts the service's clock after it refused a signature for its time;
// used is the skew of that signature. It reports whether a retry is worthwhile.
func (c *Client) corrected(code, date string, used time.Duration) bool {
	switch code {
	case "RequestTimeTooSkewed", "RequestExpired", "InvalidSignatureException", "SignatureDoesNotMatch":
	default:
		return false
	}
	there, err := http.ParseTime(date)
	if err != nil {
		return false
	}
	skew := time.Until(there)
	if (skew - used).Abs() < time.Minute {
		return false
	}
	c.skew.Store(int64(skew))
	return true
}

// try makes one call. date is the service's date, set with a refusal.
func (c *Client) try(ctx context.Context, operation string, body []byte, meter *stores.Meter) (r *Response, date string, err error) {
	creds, err := c.credentials.Retrieve(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, "", fault.Of(ctx.Err())
		}
		return nil, "", err
	}
	now := time.Now().Add(time.Duration(c.skew.Load())).UTC()
	key := c.signer(&creds, now)
	if key == nil {
		return nil, "", &CredentialsError{errors.New("the AWS credentials hold characters that are not allowed in an HTTP header")}
	}
	e, err := c.endpoint(ctx, creds.AccountID)
	if err != nil {
		return nil, "", err
	}
	head := heads.Get().(*[]byte) // the pool holds nothing else
	defer heads.Put(head)
	*head = c.appendHead((*head)[:0], e, &creds, key, now, operation, body)
	r, err = c.exchange(ctx, e.pool, message{*head, body}, meter)
	if err != nil {
		return nil, "", err
	}
	if err := r.check(); err != nil {
		date = string(r.http.Header.Peek("Date"))
		r.Release()
		return nil, date, err
	}
	return r, "", nil
}

var heads = sync.Pool{New: func() any { return new([]byte) }}
