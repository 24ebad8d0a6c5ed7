package wire

import (
	"bytes"
	"io"
	"net/http"
	"net/url"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// HTTPClient is the SDK's HTTP client with a way to close its connections.
type HTTPClient struct {
	http.Client
	transport *http.Transport
}

// NewHTTPClient makes one from the SDK's client. Redirects are not followed: a
// signature is valid for one address only.
func NewHTTPClient(c *awshttp.BuildableClient) *HTTPClient {
	t := c.GetTransport()
	return &HTTPClient{http.Client{
		Transport: t, Timeout: c.GetTimeout(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, t}
}

// Do sends a request. smithy closes a request's body when the head of a response
// arrives; if net/http is just about to find the end of that body, it then closes
// the connection in the middle of the response. So net/http gets a separate body.
func (c *HTTPClient) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		_ = r.Body.Close()
		r.Body = io.NopCloser(bytes.NewReader(b))
	}
	return c.Client.Do(r)
}

// Proxied reports whether the environment sends requests through a proxy, which
// the direct client does not support.
func Proxied(o dynamodb.Options) bool {
	c, ok := o.HTTPClient.(*HTTPClient)
	if !ok {
		return true // the caller's own client: its routing is unknown
	}
	proxy := c.transport.Proxy
	if proxy == nil {
		return false
	}
	u := &url.URL{Scheme: "https", Host: "dynamodb." + o.Region + ".amazonaws.com"}
	if o.BaseEndpoint != nil {
		var err error
		if u, err = url.Parse(*o.BaseEndpoint); err != nil {
			return true
		}
	}
	p, err := proxy(&http.Request{URL: u, Header: http.Header{}})
	return err != nil || p != nil
}
