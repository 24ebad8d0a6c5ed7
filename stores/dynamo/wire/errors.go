package wire

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/banquet-fs/banquet/fault"
)

// ErrNoAnswer says that no response came within the time limit.
var ErrNoAnswer = errors.New("no response in time")

var errBroken = errors.New("the response is incomplete or not HTTP")

// DamagedError is a response that arrived damaged; a retry may succeed.
type DamagedError struct{ fault *fault.Error }

// Damaged makes a DamagedError. Its cause goes to the log only.
func Damaged(why error) error {
	return &DamagedError{fault.Store(fault.Unavailable, "a response of DynamoDB arrived damaged").Because(why)}
}

// Error says that the response is damaged.
func (d *DamagedError) Error() string { return d.fault.Error() }

// Unwrap returns the fault.
func (d *DamagedError) Unwrap() error { return d.fault }

// Why returns what is wrong with the response.
func (d *DamagedError) Why() error { return d.fault.Unwrap() }

// RetryableError tells the SDK's retryer to retry.
func (d *DamagedError) RetryableError() bool { return true }

// CredentialsError is a failure to get credentials.
type CredentialsError struct{ err error }

// Error returns the text of the credentials provider.
func (e *CredentialsError) Error() string { return e.err.Error() }

// Unwrap returns the provider's error.
func (e *CredentialsError) Unwrap() error { return e.err }

// UnreachableError is a connection that could not be made or that broke.
type UnreachableError struct{ err error }

// Error says why.
func (e *UnreachableError) Error() string { return "the connection failed: " + e.err.Error() }

// Unwrap returns the network error.
func (e *UnreachableError) Unwrap() error { return e.err }

// StatusError is a response that did not come from the service itself, but from a
// proxy or load balancer in front of it.
type StatusError struct{ Status int }

// Error names the status.
func (e *StatusError) Error() string {
	return "it responded with HTTP status " + strconv.Itoa(e.Status)
}

// ConditionError says that the condition of a PutItem does not hold, and what is
// stored, if the server returns it.
type ConditionError struct {
	Told  bool
	Event string // event_ts of what is stored; empty if it has none
}

// Error says that the condition does not hold.
func (*ConditionError) Error() string { return "the condition of a write does not hold" }

// Refusal returns the service's refusal as an error.
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
