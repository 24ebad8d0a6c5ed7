package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/arrowipc"
	"github.com/banquet-fs/banquet/internal/dial"
	"github.com/banquet-fs/banquet/transform"
)

const (
	// raised begins the message of a status for an exception in a server in Python.
	raised = "Exception calling application: "
	// received begins the message of gRPC itself for an answer over the limit of a client;
	// the limit ends it. Servers in Go have the same message, with their limit.
	received = "grpc: received message"
	// shown bounds what is repeated of a message of the service.
	shown = 300

	setting = "feature_server.transformation_service_endpoint"
)

func dialTCP(d *dial.Dialer) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, address string) (net.Conn, error) { return d.DialContext(ctx, "tcp", address) }
}

// ended is the error of a call whose time ran out, or whose caller has gone. limited is ctx
// with the bound of a call. A service may notice the end of the time before ctx does.
func (c *Client) ended(ctx, limited context.Context, call *transform.Call, cause error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return fault.Of(ctx.Err())
	}
	within := "within " + c.opt.CallTime.String()
	bound, _ := limited.Deadline()
	if d, ok := ctx.Deadline(); ok && d.Equal(bound) {
		within = "within the time allowed for the request"
	}
	return c.outage(fault.TimedOut, call, cause, "did not respond "+within+"; send fewer rows, or look at the service")
}

// outage is a failure of the service, which is never the caller's mistake.
func (c *Client) outage(kind fault.Kind, call *transform.Call, cause error, text string) error {
	return fault.Store(kind, "on-demand feature view %q cannot be computed: the transformation service at %s %s", call.View, c.opt.Address, text).
		About("on-demand feature view", call.View, call.Project).Because(cause)
}

// wrong is a failure of the function, or of the rows.
func (c *Client) wrong(kind fault.Kind, call *transform.Call, cause error, text string) error {
	return fault.New(kind, "on-demand feature view %q cannot be computed: %s (transformation service at %s)", call.View, text, c.opt.Address).
		About("on-demand feature view", call.View, call.Project).Because(cause)
}

// refused is the error of a call that the service, or the connection, did not answer.
func (c *Client) refused(ctx, limited context.Context, call *transform.Call, err error) error {
	s := status.Convert(err)
	text := oneLine(s.Message())
	switch s.Code() {
	case codes.DeadlineExceeded:
		return c.ended(ctx, limited, call, err)
	case codes.Canceled:
		if ctx.Err() != nil {
			return c.ended(ctx, limited, call, err)
		}
	case codes.Unavailable:
		return c.outage(fault.Unavailable, call, err, "cannot be reached; start it with `feast serve_transformations`, or correct "+setting)
	case codes.Unimplemented:
		return c.outage(fault.Unavailable, call, err, "has no feast.serving.TransformationService; correct "+setting)
	case codes.ResourceExhausted:
		return c.exhausted(call, err, s.Message())
	case codes.InvalidArgument:
		return c.wrong(fault.Invalid, call, err, text)
	case codes.Unknown:
		if exception, ok := strings.CutPrefix(text, raised); ok {
			return c.exception(call, err, exception)
		}
	}
	return c.outage(fault.Unavailable, call, err, "failed with "+s.Code().String()+": "+text)
}

// exhausted tells a message that is too large from a service that has too much to do.
func (c *Client) exhausted(call *transform.Call, err error, text string) error {
	switch {
	case strings.HasPrefix(text, received) && strings.HasSuffix(text, fmt.Sprintf("vs. %d)", c.opt.AnswerBytes)):
		return c.wrong(fault.TooLarge, call, err, "the features have more bytes than banquet.limits.store_bytes; send fewer rows or shorten its results")
	case strings.Contains(text, "larger than max"):
		return c.wrong(fault.TooLarge, call, err, "the inputs are more bytes than the service takes at once; send fewer rows")
	}
	return c.outage(fault.Unavailable, call, err, "has too much to do: "+oneLine(text))
}

// exception is the error of an exception in Feast's service: its own, or one of the
// function.
func (c *Client) exception(call *transform.Call, err error, text string) error {
	switch {
	case strings.HasPrefix(text, "Feature view "+call.View+" does not exist in project "):
		return c.outage(fault.Unavailable, call, err, "does not know this view; run it with the same registry, and restart it after an apply")
	case strings.HasSuffix(text, "not supported by TransformationServer."):
		return c.outage(fault.Unavailable, call, err, "has another definition of it ("+text+"); run it with the same registry, and restart it after an apply")
	}
	return c.wrong(fault.Invalid, call, err, "its function failed: "+text)
}

// unreadable is the error of an answer that is not what a transformation service sends.
func (c *Client) unreadable(call *transform.Call, err error) error {
	text := "returned what is no file of Arrow"
	var r *arrowipc.RefusalError
	if errors.As(err, &r) {
		text = "returned a table that cannot be read: " + r.Text
	}
	return c.outage(fault.Unavailable, call, err, text+"; check that "+setting+" is Feast's transformation service")
}

// oneLine shortens a text to a line.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029 }), " ")
	if r := []rune(text); len(r) > shown {
		text = string(r[:shown]) + " …"
	}
	return text
}
