package dynamo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/awsconf"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo/wire"
)

// outOfTime reports whether the caller's deadline has passed. net/http watches
// the deadline itself, and may stop before the context says so.
func outOfTime(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && time.Until(deadline) <= 0
}

// fault turns an error of a call into a fault. table may be empty.
func (s *Store) fault(ctx context.Context, err error, table stores.Table) error {
	if err == nil {
		return nil
	}
	name, where := "", "DynamoDB at "+s.Host()
	if table != (stores.Table{}) {
		name = s.name(table)
		where = "DynamoDB table " + name + " of feature view " + table.View
	}
	refuse := func(kind fault.Kind, text string) error {
		return fault.Store(kind, "%s %s", where, text).About("table", name, table.Project).Because(err)
	}
	var f *fault.Error
	var broken *wire.DamagedError
	var missing *types.ResourceNotFoundException
	var api smithy.APIError
	answered := errors.As(err, &api) && api.ErrorCode() != unknownCode
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fault.Of(ctx.Err())
	case outOfTime(ctx) && !answered:
		return refuse(fault.TimedOut, "did not answer in the time allowed for the request")
	case errors.As(err, &broken) && !errors.Is(err, context.DeadlineExceeded):
		return fault.Store(fault.Unavailable, "a response of %s arrived damaged", where).About("table", name, table.Project).Because(broken.Why())
	case broken == nil && errors.As(err, &f):
		return f
	case errors.As(err, &missing):
		return refuse(fault.NotFound, "does not exist; run `banquet apply`")
	case answered:
		return classify(api, refuse)
	case statusOf(err) >= http.StatusMultipleChoices:
		return classifyStatus(statusOf(err), refuse)
	}
	return s.unanswered(err, refuse)
}

// unanswered returns the fault of a call without a response.
func (s *Store) unanswered(err error, refuse func(fault.Kind, string) error) error {
	switch {
	case errors.Is(err, wire.ErrNoAnswer), errors.Is(err, context.DeadlineExceeded):
		return refuse(fault.TimedOut, "did not answer in time")
	case isCredentials(err):
		return s.credentialsFault(err)
	}
	if why := certificateFault(err); why != "" {
		return fault.Store(fault.Unavailable, "DynamoDB at %s is not trusted: %s", s.Host(), why).About("online store", s.Host(), "").Because(err)
	}
	return fault.Store(fault.Unavailable, "DynamoDB at %s cannot be reached", s.Host()).About("online store", s.Host(), "").Because(err)
}

func (s *Store) credentialsFault(err error) error {
	return fault.Store(fault.Denied, "%s", awsconf.CredentialsFault(err)).About("online store", s.Host(), "").Because(awsconf.CredentialsCause(err))
}

// certificateFault returns what is wrong with the service's TLS; empty if nothing
// is.
func certificateFault(err error) string {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var verification *tls.CertificateVerificationError
	switch {
	case errors.As(err, &authority):
		return "no known authority has signed its certificate; name the file of the authority's certificate in AWS_CA_BUNDLE"
	case errors.As(err, &name):
		return "its certificate is for another host; check endpoint_url"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired or is not valid yet; renew it, or check the clock of this machine"
	case errors.As(err, &invalid), errors.As(err, &verification):
		return "its certificate is not valid; check endpoint_url and AWS_CA_BUNDLE"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "it does not speak TLS; check endpoint_url, whose scheme is https"
	}
	return ""
}

func isCredentials(err error) bool {
	var missing *wire.CredentialsError
	return errors.As(err, &missing)
}

// unknownCode is the SDK's code for a refusal whose body holds no code.
const unknownCode = "UnknownError"

// statusOf returns the HTTP status of a response that did not come from the
// service itself, 0 if there was no response.
func statusOf(err error) int {
	var direct *wire.StatusError
	var sdk *smithyhttp.ResponseError
	switch {
	case errors.As(err, &direct):
		return direct.Status
	case errors.As(err, &sdk):
		return sdk.HTTPStatusCode()
	}
	return 0
}

// classifyStatus returns the fault of a response from something in front of the
// service.
func classifyStatus(status int, refuse func(fault.Kind, string) error) error {
	switch {
	case status == http.StatusTooManyRequests:
		return refuse(fault.Overloaded, "is throttled")
	case status >= http.StatusInternalServerError:
		return refuse(fault.Unavailable, "cannot serve at the moment")
	}
	return refuse(fault.Unavailable, "responded with HTTP status "+strconv.Itoa(status)+" and no DynamoDB error; check for a proxy or load balancer in between")
}

func classify(api smithy.APIError, refuse func(fault.Kind, string) error) error {
	switch api.ErrorCode() {
	case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "LimitExceededException", "TooManyRequestsException":
		return refuse(fault.Overloaded, "is throttled")
	case "AccessDeniedException", "AccessDenied":
		return refuse(fault.Denied, "may not be used with these credentials; their policy must allow dynamodb:BatchGetItem, and to write dynamodb:BatchWriteItem and PutItem")
	case "UnrecognizedClientException", "InvalidSignatureException", "MissingAuthenticationTokenException", "InvalidClientTokenId", "OptInRequired":
		return refuse(fault.Denied, "does not know these credentials; check the access key, its secret and the region")
	case "ExpiredTokenException", "ExpiredToken", "RequestExpired":
		return refuse(fault.Denied, "refuses the credentials: they have expired; check what renews them")
	case "ResourceNotFoundException":
		return refuse(fault.NotFound, "does not exist; run `banquet apply`")
	case "InternalServerError", "InternalServerErrorException", "InternalFailure", "ServiceUnavailable", "ServiceUnavailableException", "RequestTimeout", "RequestTimeoutException", "TransactionInProgressException":
		return refuse(fault.Unavailable, "cannot serve at the moment")
	case "ResourceInUseException":
		return refuse(fault.Conflict, "is being changed by somebody else")
	}
	if api.ErrorFault() == smithy.FaultServer {
		return refuse(fault.Unavailable, "cannot serve at the moment")
	}
	return refuse(fault.Invalid, "refuses the request: "+api.ErrorMessage())
}

// errorCode returns the service's error code, empty if the error is not from the
// service.
func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}
