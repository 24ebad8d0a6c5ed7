package dynamo

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding/httpbinding"
	"github.com/valyala/fasthttp"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/dial"
)

// maxIdle is how long an unused connection is kept: less than the far side
// keeps it, so that few requests meet a closed one.
const maxIdle = 15 * time.Second

// maxConns bounds the connections to one host, above the calls in flight.
const maxConns = 512

// direct is the client of the data plane: requests written by hand, signed and
// sent over fasthttp's connections, answers checked and left undecoded. What
// else there is to AWS it has from the SDK: credentials, region, endpoint.
type direct struct {
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

// endpoint is where requests go.
type endpoint struct {
	account string
	host    string // as signed and sent
	path    string // as sent
	signed  string // the path as signed: escaped once more, as SigV4 has it
	pool    *fasthttp.HostClient
}

func newDirect(o dynamodb.Options, dialer *dial.Dialer, readTime time.Duration) *direct {
	d := &direct{options: o, credentials: o.Credentials, hosts: map[string]*endpoint{}, dialer: dialer, readTime: readTime}
	if c, ok := o.HTTPClient.(*httpClient); ok && c.transport.TLSClientConfig != nil {
		d.tls = c.transport.TLSClientConfig.Clone() // AWS_CA_BUNDLE
		d.tls.NextProtos = nil                      // the SDK's names HTTP/2
	}
	return d
}

// httpClient is the SDK's HTTP client in a form whose connections can be closed.
type httpClient struct {
	http.Client
	transport *http.Transport
}

// newHTTPClient makes one of what the SDK has set up. Redirects are not
// followed: a signature is good for one place.
func newHTTPClient(c *awshttp.BuildableClient) *httpClient {
	t := c.GetTransport()
	return &httpClient{http.Client{
		Transport: t, Timeout: c.GetTimeout(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, t}
}

// Do sends a request. smithy closes a request's body once the head of an answer
// is there; net/http, should it be about to find the body's end, then closes the
// connection in the midst of the answer. So it gets a body of its own.
func (c *httpClient) Do(r *http.Request) (*http.Response, error) {
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

// proxied reports whether the environment leads requests through a proxy, which
// the direct client does not speak to.
func proxied(o dynamodb.Options) bool {
	c, ok := o.HTTPClient.(*httpClient)
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

// endpoint resolves where requests of an account go, by the SDK's own rules.
func (d *direct) endpoint(ctx context.Context, account string) (*endpoint, error) {
	if e := d.last.Load(); e != nil && e.account == account {
		return e, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.hosts[account]
	if e == nil {
		u, err := resolve(ctx, d.options, account)
		if err != nil {
			return nil, err
		}
		e = d.newEndpoint(u, account)
		d.hosts[account] = e
	}
	d.last.Store(e)
	return e, nil
}

// resolve asks the SDK for the address of the service.
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
		return nil, fault.New(fault.Invalid, "account_id_endpoint_mode is required, and the AWS credentials name no account id; set AWS_ACCOUNT_ID, or the mode preferred")
	}
	e, err := o.EndpointResolverV2.ResolveEndpoint(ctx, p)
	if err != nil {
		return nil, fault.New(fault.Invalid, "no DynamoDB endpoint can be told for region %s", o.Region).Because(err)
	}
	return &e.URI, nil
}

func (d *direct) newEndpoint(u *url.URL, account string) *endpoint {
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
		Addr: address, IsTLS: u.Scheme == "https", TLSConfig: d.tls, MaxConns: maxConns, MaxConnWaitTimeout: time.Minute,
		MaxIdleConnDuration: maxIdle, MaxResponseBodySize: maxBody, ReadBufferSize: 16 << 10, WriteBufferSize: 16 << 10,
		DialTimeout: func(addr string, timeout time.Duration) (net.Conn, error) {
			ctx := context.Background() // the pool knows nothing of contexts; see within
			if timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, timeout)
				defer cancel()
			}
			return d.dialer.DialContext(ctx, "tcp", addr)
		},
	}
	return e
}

// close lets go of idle connections.
func (d *direct) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.hosts {
		e.pool.CloseIdleConnections()
	}
}

// answer is what came back: the body is valid until release.
type answer struct {
	response fasthttp.Response
	body     []byte
}

var answers = sync.Pool{New: func() any { return new(answer) }}

// keptBody bounds the memory that an unused answer keeps.
const keptBody = 4 << 20

// release gives the body back.
func (a *answer) release() {
	spoil(a.body)
	a.body = nil
	a.response.ReleaseBody(keptBody)
	a.response.Reset()
	answers.Put(a)
}

// do makes one call. Its body is the operation's; a refusal of the service is a
// smithy.APIError, as the SDK's are. A body that is not whole is an error.
func (d *direct) do(ctx context.Context, operation string, body []byte) (*answer, error) {
	used := time.Duration(d.skew.Load())
	a, date, err := d.try(ctx, operation, body)
	var api smithy.APIError
	if errors.As(err, &api) && d.corrected(api.ErrorCode(), date, used) {
		a, _, err = d.try(ctx, operation, body)
	}
	return a, err
}

// corrected takes over the service's clock after it refused a signature for its
// time, made with the skew used; then the call is worth another try.
func (d *direct) corrected(code, date string, used time.Duration) bool {
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
	d.skew.Store(int64(skew))
	return true
}

// try makes one call. date is the service's, of a refusal.
func (d *direct) try(ctx context.Context, operation string, body []byte) (a *answer, date string, err error) {
	creds, err := d.credentials.Retrieve(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, "", fault.Of(ctx.Err())
		}
		return nil, "", &credentialsError{err}
	}
	now := time.Now().Add(time.Duration(d.skew.Load())).UTC()
	key := d.signer(&creds, now)
	if key == nil {
		return nil, "", &credentialsError{errors.New("the AWS credentials hold characters that no header may have")}
	}
	e, err := d.endpoint(ctx, creds.AccountID)
	if err != nil {
		return nil, "", err
	}
	head := heads.Get().(*[]byte) // the pool holds nothing else
	defer heads.Put(head)
	*head = d.appendHead((*head)[:0], e, &creds, key, now, operation, body)
	a, err = d.exchange(ctx, e.pool, *head, body)
	if err != nil {
		return nil, "", err
	}
	if err := a.check(); err != nil {
		date = string(a.response.Header.Peek("Date"))
		a.release()
		return nil, date, err
	}
	return a, "", nil
}

var heads = sync.Pool{New: func() any { return new([]byte) }}

// credentialsError is a failure to come by credentials.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return e.err.Error() }

func (e *credentialsError) Unwrap() error { return e.err }

// check compares the body with its checksum, and turns a refusal into an error.
func (a *answer) check() error {
	a.body = a.response.Body()
	if text := a.response.Header.Peek("X-Amz-Crc32"); len(text) > 0 {
		want, err := strconv.ParseUint(string(text), 10, 32)
		if got := crc32.ChecksumIEEE(a.body); err != nil || got != uint32(want) {
			return damagedBy(errors.New("checksum " + strconv.FormatUint(uint64(got), 10) + ", want " + string(text)))
		}
	}
	if status := a.response.StatusCode(); status != http.StatusOK {
		return refusalOf(status, a.body)
	}
	return nil
}

// looked is for how long a connection may be unused until it is looked at
// before it is used again.
const looked = 5 * time.Millisecond

// exchange sends a request and reads its answer. When a connection of the pool
// turns out to be closed before the first byte of an answer, the next one is
// taken, until a new one was tried.
func (d *direct) exchange(ctx context.Context, pool *fasthttp.HostClient, head, body []byte) (*answer, error) {
	for {
		wait := time.Duration(0)
		if deadline, ok := ctx.Deadline(); ok {
			wait = max(time.Until(deadline), 1)
		}
		if err := ctx.Err(); err != nil {
			return nil, fault.Of(err)
		}
		start := time.Now()
		c, err := within(ctx, pool.IdleConnsCount() > 0, wait, pool.AcquireConn, pool.ReleaseConn)
		if err != nil {
			return nil, d.transportFault(ctx, err)
		}
		fresh := c.CreatedTime().After(start)
		if !fresh && start.Sub(c.LastUseTime()) > looked && !quiet(c.Conn()) {
			pool.CloseConn(c)
			continue
		}
		a, stale, err := d.roundTrip(ctx, pool, c.Conn(), head, body)
		if err == nil && !a.response.ConnectionClose() {
			pool.ReleaseConn(c)
			return a, nil
		}
		pool.CloseConn(c)
		if err == nil {
			return a, nil
		}
		if !stale || fresh {
			return nil, d.transportFault(ctx, err)
		}
	}
}

// within gets a connection; when one has to be dialed it does not wait for it
// longer than ctx does, since dialing knows nothing of contexts.
func within[C any](ctx context.Context, idle bool, wait time.Duration, get func(time.Duration, bool) (C, error), put func(C)) (C, error) {
	if idle {
		return get(wait, false)
	}
	type got struct {
		c   C
		err error
	}
	done := make(chan got, 1)
	go func() {
		c, err := get(wait, false)
		done <- got{c, err}
	}()
	select {
	case g := <-done:
		return g.c, g.err
	case <-ctx.Done():
		go func() {
			if g := <-done; g.err == nil {
				put(g.c)
			}
		}()
		var none C
		return none, ctx.Err()
	}
}

// roundTrip sends a request on a connection and reads its answer. stale means
// that the connection broke before anything of an answer came; an answer that
// does not come in time is no broken connection. Memory for the answer is taken
// only when one comes: those who wait hold none.
func (d *direct) roundTrip(ctx context.Context, pool *fasthttp.HostClient, c net.Conn, head, body []byte) (a *answer, stale bool, err error) {
	interrupt := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		// An interruption that has begun may hit the connection at any time.
		if !interrupt() && err == nil {
			a.response.SetConnectionClose()
		}
	}()
	if deadline, ok := ctx.Deadline(); d.readTime > 0 && (!ok || time.Until(deadline) > d.readTime) {
		_ = c.SetReadDeadline(time.Now().Add(d.readTime))
		defer func() { _ = c.SetReadDeadline(time.Time{}) }()
	}
	w := pool.AcquireWriter(c)
	_, _ = w.Write(head) // an error stays with the writer
	_, _ = w.Write(body)
	err = w.Flush()
	pool.ReleaseWriter(w)
	if err != nil {
		return nil, !timedOut(err), err
	}
	r := pool.AcquireReader(c)
	defer pool.ReleaseReader(r)
	if _, err := r.Peek(1); err != nil {
		return nil, !timedOut(err), err
	}
	a = answers.Get().(*answer) // the pool holds nothing else
	a.response.KeepBodyBuffer = true
	if err := a.response.ReadLimitBody(r, maxBody); err != nil {
		a.release()
		return nil, false, brokenAnswer(err)
	}
	if r.Buffered() > 0 { // what comes after the answer belongs to no call
		a.response.SetConnectionClose()
	}
	return a, false, nil
}

// timedOut reports whether an error of the network says that time ran out.
func timedOut(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.As(err, &timeout) && timeout.Timeout()
}

// brokenAnswer keeps of an error whether time ran out.
func brokenAnswer(err error) error {
	if timedOut(err) {
		return errNoAnswer
	}
	return errBroken
}

// transportFault is a failure of the network. fasthttp's own texts may quote
// what was answered, so that they are told to nobody.
func (d *direct) transportFault(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return fault.Of(ctx.Err())
	case errors.Is(err, errNoAnswer), timedOut(err), errors.Is(err, fasthttp.ErrNoFreeConns):
		return errNoAnswer
	case errors.Is(err, errBroken):
		return damagedBy(errBroken)
	}
	return &unreachableError{err}
}

// unreachableError is a connection that could not be made or that broke.
type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return "the connection failed: " + e.err.Error() }

func (e *unreachableError) Unwrap() error { return e.err }

var (
	errNoAnswer = errors.New("no answer in time")
	errBroken   = errors.New("the answer is cut or is no HTTP")
)
