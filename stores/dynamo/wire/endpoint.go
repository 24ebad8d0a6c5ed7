package wire

import (
	"context"
	"net"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/encoding/httpbinding"
	"github.com/valyala/fasthttp"

	"github.com/banquet-fs/banquet/fault"
)

// maxIdle is how long an idle connection is kept: shorter than the server keeps
// it, so that few requests meet a closed connection.
const maxIdle = 15 * time.Second

// maxConns bounds the connections to one host; it is above the number of concurrent
// calls.
const maxConns = 512

// endpoint is the address of requests.
type endpoint struct {
	account string
	host    string // as signed and sent
	path    string // as sent
	signed  string // the path as signed: escaped twice, as SigV4 requires
	pool    *fasthttp.HostClient
}

// endpoint resolves the address for an account's requests, by the SDK's rules.
func (c *Client) endpoint(ctx context.Context, account string) (*endpoint, error) {
	if e := c.last.Load(); e != nil && e.account == account {
		return e, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.hosts[account]
	if e == nil {
		u, err := resolve(ctx, c.options, account)
		if err != nil {
			return nil, err
		}
		e = c.newEndpoint(u, account)
		c.hosts[account] = e
	}
	c.last.Store(e)
	return e, nil
}

// resolve gets the address of the service from the SDK.
func resolve(ctx context.Context, o dynamodb.Options, account string) (*url.URL, error) {
	p := dynamodb.EndpointParameters{
		Region: &o.Region, Endpoint: o.BaseEndpoint, AccountIdEndpointMode: aws.String(string(o.AccountIDEndpointMode)),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
	}
	switch {
	case account != "" && o.AccountIDEndpointMode != aws.AccountIDEndpointModeDisabled:
		p.AccountId = &account
	case o.AccountIDEndpointMode == aws.AccountIDEndpointModeRequired:
		return nil, fault.Store(fault.Invalid, "account_id_endpoint_mode is required, but the AWS credentials hold no account id; set AWS_ACCOUNT_ID, or the mode preferred")
	}
	e, err := o.EndpointResolverV2.ResolveEndpoint(ctx, p)
	if err != nil {
		return nil, fault.Store(fault.Invalid, "no DynamoDB endpoint is known for region %s", o.Region).Because(err)
	}
	return &e.URI, nil
}

func (c *Client) newEndpoint(u *url.URL, account string) *endpoint {
	e := &endpoint{account: account, host: u.Host, path: u.EscapedPath()}
	if e.path == "" {
		e.path = "/"
	}
	e.signed = httpbinding.EscapePath(e.path, false)
	address, port := u.Host, "80"
	if u.Scheme == "https" {
		port = "443"
	}
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), port)
	}
	e.pool = &fasthttp.HostClient{
		Addr: address, IsTLS: u.Scheme == "https", TLSConfig: c.tls, MaxConns: maxConns, MaxConnWaitTimeout: time.Minute,
		MaxIdleConnDuration: maxIdle, MaxResponseBodySize: maxBody, ReadBufferSize: 16 << 10, WriteBufferSize: 16 << 10,
		DialTimeout: c.dial,
	}
	return e
}

// dial makes a connection for the pool, which does not know contexts: see within.
func (c *Client) dial(address string, timeout time.Duration) (net.Conn, error) {
	ctx := context.Background()
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	return c.dialer.DialContext(ctx, "tcp", address)
}
