package wire

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/banquet-fs/banquet/fault"
)

// ErrNoAnswer says that nothing came in the time allowed for one response.
var ErrNoAnswer = errors.New("no answer in time")

var errBroken = errors.New("the answer is cut or is no HTTP")

// DamagedError is a response that arrived broken; asking again may bring a good
// one.
type DamagedError struct{ fault *fault.Error }

// Damaged makes a DamagedError. Its cause is for the log.
func Damaged(why error) error {
	return &DamagedError{fault.Store(fault.Unavailable, "an answer of DynamoDB arrived damaged").Because(why)}
}

// Error says that the response is damaged.
func (d *DamagedError) Error() string { return d.fault.Error() }

// Unwrap gives the fault that it is.
func (d *DamagedError) Unwrap() error { return d.fault }

// Why is what is wrong with the response.
func (d *DamagedError) Why() error { return d.fault.Unwrap() }

// RetryableError tells the SDK's retryer.
func (d *DamagedError) RetryableError() bool { return true }

// CredentialsError is a failure to come by credentials.
type CredentialsError struct{ err error }

// Error is what the provider of credentials says.
func (e *CredentialsError) Error() string { return e.err.Error() }

// Unwrap gives the provider's error.
func (e *CredentialsError) Unwrap() error { return e.err }

// UnreachableError is a connection that could not be made or that broke.
type UnreachableError struct{ err error }

// Error says why.
func (e *UnreachableError) Error() string { return "the connection failed: " + e.err.Error() }

// Unwrap gives the error of the network.
func (e *UnreachableError) Unwrap() error { return e.err }

// StatusError is a response that is none of the service's own: that of a proxy or
// a load balancer in front of it.
type StatusError struct{ Status int }

// Error names the status.
func (e *StatusError) Error() string {
	return "it answers with HTTP status " + strconv.Itoa(e.Status)
}

// ConditionError says that the condition of a PutItem does not hold, and what is
// stored, where the server tells it.
type ConditionError struct {
	Told  bool
	Event string // event_ts of what is stored; empty if it has none
}

// Error says that the condition does not hold.
func (*ConditionError) Error() string { return "the condition of a write does not hold" }

// Refusal is what the service says instead of an answer, as an error.
func Refusal(status int, body []byte) error {
	var refusal struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
		Capital string `json:"Message"`
		Item    *struct {
			Event struct{ S string } `json:"event_ts"`
		}
	}
	api := &smithy.GenericAPIError{Fault: smithy.FaultClient}
	if status >= 500 {
		api.Fault = smithy.FaultServer
	}
	if err := json.Unmarshal(body, &refusal); err != nil || refusal.Type == "" {
		return &StatusError{status}
	}
	api.Code, api.Message = refusal.Type[strings.LastIndexByte(refusal.Type, '#')+1:], refusal.Message
	if api.Message == "" {
		api.Message = refusal.Capital
	}
	if api.Code == "ConditionalCheckFailedException" {
		failed := &ConditionError{Told: refusal.Item != nil}
		if failed.Told {
			failed.Event = refusal.Item.Event.S
		}
		return failed
	}
	return api
}
