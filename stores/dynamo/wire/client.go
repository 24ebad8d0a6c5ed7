// Package wire speaks DynamoDB's protocol over HTTP: connections, signatures,
// checksums, the JSON of responses, and what makes the AWS SDK do the same with as
// much care. It knows nothing of rows.
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

// Client is the direct client: requests written by hand, signed and sent over
// fasthttp's connections, responses checked and left undecoded. What else there
// is to AWS it has from the SDK: credentials, region, endpoint. It is safe for
// concurrent use.
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
	skew  atomic.Int64 // nanoseconds that the service's clock is ahead
}

// NewClient makes a client of what the SDK has set up. readTime bounds the wait
// for one response; 0 is no bound.
func NewClient(o dynamodb.Options, dialer *dial.Dialer, readTime time.Duration) *Client {
	c := &Client{options: o, credentials: o.Credentials, hosts: map[string]*endpoint{}, dialer: dialer, readTime: readTime}
	if h, ok := o.HTTPClient.(*HTTPClient); ok && h.transport.TLSClientConfig != nil {
		c.tls = h.transport.TLSClientConfig.Clone() // AWS_CA_BUNDLE
		c.tls.NextProtos = nil                      // the SDK's names HTTP/2
	}
	return c
}

// Close lets go of idle connections.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.hosts {
		e.pool.CloseIdleConnections()
	}
}

// Call makes one call with a body. A refusal of the service is a smithy.APIError,
// as the SDK's are. A body that is not whole is an error. The meter, which may be
// nil, counts the bytes of the response before they are read.
func (c *Client) Call(ctx context.Context, operation string, body []byte, meter *stores.Meter) (*Response, error) {
	used := time.Duration(c.skew.Load())
	r, date, err := c.try(ctx, operation, body, meter)
	var api smithy.APIError
	if errors.As(err, &api) && c.corrected(api.ErrorCode(), date, used) {
		r, _, err = c.try(ctx, operation, body, meter)
	}
	return r, err
}

// corrected takes over the service's clock after it refused a signature for its
// time, made with the skew used; then the call is worth another try.
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

// try makes one call. date is the service's, of a refusal.
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
		return nil, "", &CredentialsError{errors.New("the AWS credentials hold characters that no header may have")}
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
