package dynamo

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/aws/smithy-go"
)

// refusalOf is what the service says instead of an answer.
func refusalOf(status int, body []byte) error {
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
		return &statusError{status}
	}
	api.Code, api.Message = refusal.Type[strings.LastIndexByte(refusal.Type, '#')+1:], refusal.Message
	if api.Message == "" {
		api.Message = refusal.Capital
	}
	if api.Code == "ConditionalCheckFailedException" {
		failed := &conditionError{told: refusal.Item != nil}
		if failed.told {
			failed.event = refusal.Item.Event.S
		}
		return failed
	}
	return api
}

// statusError is an answer that is none of the service's own: that of a proxy or
// a load balancer in front of it.
type statusError struct{ status int }

func (e *statusError) Error() string {
	return "it answers with HTTP status " + strconv.Itoa(e.status)
}

// errorCode is the service's code of an error, empty if it is none of its own.
func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}
