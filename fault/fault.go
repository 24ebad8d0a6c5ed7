// Package fault is the one error type of banquet.
//
// A backend or a use case makes a fault where it knows what went wrong; two
// tables, one in server and one in cmd, turn its kind into gRPC codes, HTTP
// statuses and exit codes. Nobody reads error texts to find out what happened.
package fault

import (
	"context"
	"errors"
	"fmt"
)

// Kind says what sort of failure an error is. The zero Kind is Internal: an
// error that nobody classified is a bug of ours.
type Kind uint8

// The kinds of failure.
const (
	Internal        Kind = iota // a bug of ours; the text stays in the log
	Invalid                     // the caller's request or file is wrong
	NotFound                    // the named thing does not exist
	Unauthenticated             // nobody knows who is calling
	Denied                      // the caller may not do this
	Disabled                    // the thing exists and is switched off
	Conflict                    // somebody else changed the same thing
	Unavailable                 // a part we depend on cannot be reached or refuses work
	TimedOut                    // the time allowed ran out
	Canceled                    // the caller has gone
	Overloaded                  // too much work at once, ours or the store's
	TooLarge                    // a request of more bytes than are taken
	Unimplemented               // a known request that banquet does not serve
)

var kindNames = [...]string{
	Internal: "internal", Invalid: "invalid", NotFound: "not found", Unauthenticated: "unauthenticated",
	Denied: "denied", Disabled: "disabled", Conflict: "conflict", Unavailable: "unavailable",
	TimedOut: "timed out", Canceled: "canceled", Overloaded: "overloaded",
	TooLarge: "too large", Unimplemented: "unimplemented",
}

// String names the kind in lower case, as logs and metrics show it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Owner says in whose part a failure lies, whatever its kind.
type Owner uint8

// The owners of failures.
const (
	Request    Owner = iota // the caller's request or file, or banquet itself
	Stored                  // a store of features, online or offline
	Registered              // the registry
)

// Object names what an error is about. Kind is one of the field's words in
// lower case ("feature view", "entity", "table"); Project may be empty.
type Object struct {
	Kind, Name, Project string
}

// Reason narrows an Invalid or NotFound fault where a surface must tell it
// from its siblings, because a client has a class of its own for it.
type Reason uint8

// The reasons that some surface answers in its own way.
const (
	NoReason         Reason = iota
	Collision               // two requested features have the same name
	RequestDataUnset        // request data of an on-demand feature view is missing
	VersionUnknown          // the feature view exists, the version does not
	Lookup                  // a name or key is not among those that there are
)

// Error is a failure with its kind, the thing it is about, one line for the
// user and the cause for the log.
type Error struct {
	Kind   Kind
	Whose  Owner
	Reason Reason
	Object Object
	// Text is one line for the user: what, where, remedy. It holds no secret,
	// no stack and no text of a library that may quote either.
	Text  string
	cause error
}

// New makes a fault whose text is formatted like fmt.Sprintf.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...)}
}

// Store makes a fault of a store: what it lacks or refuses is no mistake of the
// caller, who may know nothing of it.
func Store(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Whose: Stored, Text: fmt.Sprintf(format, args...)}
}

// Registry makes a fault of the registry.
func Registry(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Whose: Registered, Text: fmt.Sprintf(format, args...)}
}

// About says what the fault is about and returns it.
func (e *Error) About(kind, name, project string) *Error {
	e.Object = Object{Kind: kind, Name: name, Project: project}
	return e
}

// For narrows the fault to a reason and returns it.
func (e *Error) For(reason Reason) *Error {
	e.Reason = reason
	return e
}

// Because keeps err as the cause, for the log only, and returns the fault.
func (e *Error) Because(err error) *Error {
	e.cause = err
	return e
}

// Error is the text for the user; the cause is not part of it.
func (e *Error) Error() string { return e.Text }

// Unwrap gives the cause, so that errors.Is finds what a driver reported.
func (e *Error) Unwrap() error { return e.cause }

// KindOf classifies any error: the kind of the outermost fault in its chain,
// TimedOut and Canceled for context errors, else Internal.
func KindOf(err error) Kind {
	var f *Error
	switch {
	case errors.As(err, &f):
		return f.Kind
	case errors.Is(err, context.DeadlineExceeded):
		return TimedOut
	case errors.Is(err, context.Canceled):
		return Canceled
	}
	return Internal
}

// Of gives the outermost fault of an error's chain. A context error becomes a
// fault of its kind, anything else an Internal fault with a fixed text.
func Of(err error) *Error {
	var f *Error
	if errors.As(err, &f) {
		return f
	}
	switch kind := KindOf(err); kind {
	case TimedOut:
		return New(kind, "the time allowed for the request ran out").Because(err)
	case Canceled:
		return New(kind, "the caller went away").Because(err)
	default:
		return New(Internal, "internal error; the cause is in the log").Because(err)
	}
}

// Cause gives what the log should show: the deepest known reason, or the
// error itself.
func Cause(err error) error {
	var f *Error
	if errors.As(err, &f) && f.cause != nil {
		return f.cause
	}
	return err
}
