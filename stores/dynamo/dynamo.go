// Package dynamo is the online store in DynamoDB, in Feast's layout.
//
// A feature view has a table, by default named <project>.<view>, with the hash
// key entity_id (S), the hex MurmurHash3 of the serialized entity key. event_ts
// (S) is the event time as Python prints it, values (M) maps features to
// serialized feast.types.Value messages (B); a null is an empty one.
//
// A read packs the keys of all its tables into as few BatchGetItem calls as
// there are hundreds of keys. Retries are the work of a decorator: what is
// throttled or left unprocessed is reported key by key.
package dynamo

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	sdkretry "github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/awsconf"
	"github.com/banquet-fs/banquet/stores"
)

// The limits of the service.
const (
	maxGet   = 100 // keys of one BatchGetItem
	maxWrite = 25  // items of one BatchWriteItem
	// inFlight bounds the calls that one read or write has under way.
	inFlight = 64
)

// Options configure a Store.
type Options struct {
	AWS awsconf.Config
	// TableTemplate names tables; {project} and {table_name} are replaced.
	TableTemplate string
	// BatchSize bounds the keys of one call, at most 100.
	BatchSize int
	// Consistent asks for strongly consistent reads throughout.
	Consistent bool
	// Tags are put on every table; a view's tag of the same key wins.
	Tags map[string]string
	// SDK has reads and writes made by the AWS SDK too, not by the direct client.
	SDK bool
	// ConnectTime and ReadTime bound a connection attempt and one answer; 0 is
	// 5 s and no bound.
	ConnectTime, ReadTime time.Duration
}

// Store is an online store in DynamoDB.
type Store struct {
	opt      Options
	data     plane            // reads and writes
	client   *dynamodb.Client // what else is asked of items
	admin    *dynamodb.Client // retries by itself: the decorator retries rows only
	names    sync.Map         // stores.Table to *tableName
	readings sync.Pool        // of *reading
	calls    chan struct{}    // bounds the calls of the process
	bad      badTables
	renewal  atomic.Pointer[time.Time] // when credentials were last fetched anew
}

var _ stores.Store = (*Store)(nil)

// Open makes a Store. It calls nothing yet.
func Open(opt Options) *Store {
	if opt.TableTemplate == "" {
		opt.TableTemplate = "{project}.{table_name}"
	}
	if opt.BatchSize <= 0 || opt.BatchSize > maxGet {
		opt.BatchSize = maxGet
	}
	client := opt.AWS.AWS.HTTPClient
	if c, ok := client.(*awshttp.BuildableClient); ok {
		client = newHTTPClient(c)
	}
	plain := func(o *dynamodb.Options) {
		o.HTTPClient = client
		o.Logger = logging.Nop{}
		if opt.AWS.Endpoint != "" {
			o.BaseEndpoint = &opt.AWS.Endpoint
		}
		o.DisableValidateResponseChecksum = true // the body's checksum is verified in read.go, by which a mismatch is an error
		o.APIOptions = append(o.APIOptions, verifyChecksum)
	}
	retrying := func(o *dynamodb.Options) {
		o.Retryer = sdkretry.NewStandard(func(r *sdkretry.StandardOptions) { r.MaxAttempts = 6 })
	}
	s := &Store{
		opt: opt, client: dynamodb.NewFromConfig(opt.AWS.AWS, plain), admin: dynamodb.NewFromConfig(opt.AWS.AWS, plain, retrying),
		calls: make(chan struct{}, 256),
	}
	if o := s.client.Options(); opt.SDK || proxied(o) {
		s.data = &sdk{s.client}
	} else {
		s.data = newDirect(o, opt.ConnectTime, opt.ReadTime)
	}
	return s
}

// Host is where the store is, for people.
func (s *Store) Host() string {
	if s.opt.AWS.Endpoint != "" {
		return s.opt.AWS.Endpoint
	}
	return "dynamodb." + s.opt.AWS.AWS.Region + ".amazonaws.com"
}

// tableName is a table's physical name, as it is and as JSON has it.
type tableName struct{ name, json string }

func (s *Store) tableName(t stores.Table) *tableName {
	if n, ok := s.names.Load(t); ok {
		return n.(*tableName) // the map holds nothing else
	}
	name := strings.NewReplacer("{project}", t.Project, "{table_name}", t.VersionedName()).Replace(s.opt.TableTemplate)
	n := &tableName{name, string(quoted(name))}
	s.names.Store(t, n)
	return n
}

// name is the physical name of a table.
func (s *Store) name(t stores.Table) string { return s.tableName(t).name }

// Close lets go of idle connections.
func (s *Store) Close() error {
	s.data.close()
	(&sdk{s.client}).close()
	return nil
}

// renewals is how far apart credentials are fetched anew: calls that fail
// together need new ones once, and a provider whose credentials are never taken
// is not asked for others by every call.
const renewals = time.Second

// renewed reports whether an error says that the credentials are no longer
// good; they are then fetched anew by the next call, unless they just were.
func (s *Store) renewed(err error) bool {
	switch errorCode(err) {
	case "ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId":
	default:
		return false
	}
	cache, ok := s.client.Options().Credentials.(interface{ Invalidate() })
	now, last := time.Now(), s.renewal.Load() // with a reading of the monotonic clock: the other may be set
	if ok && (last == nil || now.Sub(*last) > renewals) && s.renewal.CompareAndSwap(last, &now) {
		cache.Invalidate()
	}
	return ok
}

// enter waits for a place among the calls of the process.
func (s *Store) enter(ctx context.Context) (leave func(), err error) {
	select {
	case s.calls <- struct{}{}:
		return func() { <-s.calls }, nil
	case <-ctx.Done():
		return nil, fault.Of(ctx.Err())
	}
}

// outOfTime reports whether the caller's time is over. net/http watches the
// deadline itself, and may break off before the context says so.
func outOfTime(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && time.Until(deadline) <= 0
}

// fault says what DynamoDB answered. table may be empty.
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
		return fault.New(kind, "%s %s", where, text).About("table", name, table.Project).Because(err)
	}
	var f *fault.Error
	var broken *damaged
	var missing *types.ResourceNotFoundException
	var api smithy.APIError
	answered := errors.As(err, &api) && api.ErrorCode() != unknownCode
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fault.Of(ctx.Err())
	case outOfTime(ctx) && !answered:
		return refuse(fault.TimedOut, "did not answer in the time allowed for the request")
	case errors.As(err, &broken) && !errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Unavailable, "an answer of %s arrived damaged", where).About("table", name, table.Project).Because(broken.fault.Unwrap())
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

// unanswered says why there is no answer at all.
func (s *Store) unanswered(err error, refuse func(fault.Kind, string) error) error {
	switch {
	case errors.Is(err, errNoAnswer), errors.Is(err, context.DeadlineExceeded):
		return refuse(fault.TimedOut, "did not answer in time")
	case isCredentials(err):
		return fault.New(fault.Denied, "no AWS credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine a role").About("online store", s.Host(), "").Because(err)
	}
	return fault.New(fault.Unavailable, "DynamoDB at %s cannot be reached", s.Host()).About("online store", s.Host(), "").Because(err)
}

func isCredentials(err error) bool {
	var missing *credentialsError
	if errors.As(err, &missing) {
		return true
	}
	text := err.Error()
	return strings.Contains(text, "failed to refresh cached credentials") || strings.Contains(text, "failed to retrieve credentials") || strings.Contains(text, "get credentials")
}

// unknownCode is the SDK's for a refusal whose body tells none.
const unknownCode = "UnknownError"

// statusOf is the HTTP status of an answer that is none of the service's own, 0
// if there was no answer.
func statusOf(err error) int {
	var direct *statusError
	var sdk *smithyhttp.ResponseError
	switch {
	case errors.As(err, &direct):
		return direct.status
	case errors.As(err, &sdk):
		return sdk.HTTPStatusCode()
	}
	return 0
}

// classifyStatus says what something in front of the service answered.
func classifyStatus(status int, refuse func(fault.Kind, string) error) error {
	switch {
	case status == http.StatusTooManyRequests:
		return refuse(fault.Overloaded, "is throttled")
	case status >= http.StatusInternalServerError:
		return refuse(fault.Unavailable, "cannot serve at the moment")
	}
	return refuse(fault.Unavailable, "answers with HTTP status "+strconv.Itoa(status)+" and no error of DynamoDB; is something in between?")
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
		return refuse(fault.Denied, "refuses the credentials: they have expired; see to what renews them")
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

// Event times are text as Python prints a datetime.
const (
	stampSeconds  = "2006-01-02 15:04:05-07:00"
	stampFraction = "2006-01-02 15:04:05.000000-07:00"
)

// stamp writes an event time: UTC, no fraction or six digits.
func stamp(t time.Time) string {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Nanosecond() == 0 {
		return t.Format(stampSeconds)
	}
	return t.Format(stampFraction)
}

// parseStamp reads an event time, of whatever offset; without one it is UTC.
func parseStamp(s string) (time.Time, bool) {
	for _, layout := range [...]string{stampSeconds, "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
