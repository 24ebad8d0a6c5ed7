package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/banquet-fs/banquet/fault"
)

// outcome is the code of a kind of fault on each surface.
type outcome struct {
	grpc codes.Code
	http int
}

// outcomes is the only table from kinds of faults to gRPC codes and HTTP statuses.
func outcomes(k fault.Kind) outcome {
	switch k {
	case fault.Invalid:
		return outcome{codes.InvalidArgument, http.StatusBadRequest}
	case fault.NotFound:
		return outcome{codes.NotFound, http.StatusNotFound}
	case fault.Unauthenticated:
		return outcome{codes.Unauthenticated, http.StatusUnauthorized}
	case fault.Denied:
		return outcome{codes.PermissionDenied, http.StatusForbidden}
	case fault.Disabled:
		return outcome{codes.FailedPrecondition, http.StatusBadRequest}
	case fault.Conflict:
		return outcome{codes.Aborted, http.StatusConflict}
	case fault.Unavailable:
		return outcome{codes.Unavailable, http.StatusServiceUnavailable}
	case fault.TimedOut:
		return outcome{codes.DeadlineExceeded, http.StatusGatewayTimeout}
	case fault.Canceled:
		return outcome{codes.Canceled, 499}
	case fault.Overloaded:
		return outcome{codes.ResourceExhausted, http.StatusTooManyRequests}
	case fault.TooLarge:
		return outcome{codes.ResourceExhausted, http.StatusRequestEntityTooLarge}
	case fault.Unimplemented:
		return outcome{codes.Unimplemented, http.StatusNotImplemented}
	default:
		return outcome{codes.Internal, http.StatusInternalServerError}
	}
}

// serverSide changes the kind of faults of the store, which are not the caller's
// mistakes: a missing table is an outage, not an unknown name, and a store that
// throttles does not mean that the caller sends too much.
func serverSide(err error) *fault.Error {
	f := fault.Of(err)
	if f.Whose == fault.Request {
		return f
	}
	switch f.Kind {
	case fault.NotFound, fault.Denied, fault.Invalid, fault.Overloaded:
		out := *f
		out.Kind = fault.Unavailable
		return out.Because(err)
	}
	return f
}

// toStatus turns any error into a gRPC status; a status stays as it is.
func toStatus(err error) error {
	if err == nil {
		return nil
	}
	if s, ok := status.FromError(err); ok {
		return s.Err()
	}
	f := serverSide(err)
	return status.Error(outcomes(f.Kind).grpc, bounded(f.Text, maxStatusText))
}

// maxStatusText bounds the text of a status, which is sent in a header: other
// implementations of gRPC refuse headers of more than 8 KB, and escaping may triple
// its length.
const maxStatusText = 2 << 10

// bounded truncates a long text between two characters.
func bounded(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := limit
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + " …"
}

// innermost is the fault that was the cause of all others. The errors of writes name rows by
// their join keys, which may be personal data and do not belong in a log.
func innermost(f *fault.Error) *fault.Error {
	for {
		var inner *fault.Error
		if !errors.As(f.Unwrap(), &inner) {
			return f
		}
		f = inner
	}
}

// maxLinesPerSecond bounds the log: in an outage every request fails for the same
// reason, and a line for each would cost more than the requests.
const maxLinesPerSecond = 20

// faultLog logs failed requests with the cause, which the caller does not see.
type faultLog struct {
	mu      sync.Mutex
	second  int64
	lines   int
	skipped int
}

// allow reports whether a line may be written, and how many were skipped before it.
func (l *faultLog) allow(now time.Time) (skipped int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s := now.Unix(); s != l.second {
		l.second, l.lines = s, 0
	}
	if l.lines >= maxLinesPerSecond {
		l.skipped++
		return 0, false
	}
	l.lines++
	skipped, l.skipped = l.skipped, 0
	return skipped, true
}

func (l *faultLog) log(ctx context.Context, log *slog.Logger, method string, err error) {
	f := fault.Of(err)
	level := slog.LevelDebug
	switch f.Kind {
	case fault.Internal:
		level = slog.LevelError
	case fault.Unavailable, fault.TimedOut, fault.Overloaded, fault.Denied:
		level = slog.LevelWarn
	}
	if !log.Enabled(ctx, level) {
		return
	}
	skipped, ok := l.allow(time.Now())
	if !ok {
		return
	}
	if writes(method) {
		f = innermost(f)
		err = f
	}
	attrs := []slog.Attr{
		slog.String("method", method), slog.String("kind", f.Kind.String()),
		slog.String("reason", f.Text), slog.Any("cause", fault.Cause(err)),
	}
	if skipped > 0 {
		attrs = append(attrs, slog.Int("not_logged", skipped))
	}
	log.LogAttrs(ctx, level, "request failed", attrs...)
}
