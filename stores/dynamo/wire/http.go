package wire

import (
	"bytes"
	"io"
	"net/http"
	"net/url"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// HTTPClient is the SDK's HTTP client in a form whose connections can be closed.
type HTTPClient struct {
	http.Client
	transport *http.Transport
}

// NewHTTPClient makes one of what the SDK has set up. Redirects are not
// followed: a signature is good for one place.
func NewHTTPClient(c *awshttp.BuildableClient) *HTTPClient {
	t := c.GetTransport()
	return &HTTPClient{http.Client{
		Transport: t, Timeout: c.GetTimeout(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, t}
}

// Do sends a request. smithy closes a request's body once the head of a response
// is there; net/http, should it be about to find the body's end, then closes the
// connection in the midst of the response. So it gets a body of its own.
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

// Proxied reports whether the environment leads requests through a proxy, which
// the direct client does not speak to.
func Proxied(o dynamodb.Options) bool {
	c, ok := o.HTTPClient.(*HTTPClient)
	if !ok {
		return true // a client of the caller's own: it knows how to get there
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
