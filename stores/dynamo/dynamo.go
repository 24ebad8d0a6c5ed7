// Package dynamo is the online store in DynamoDB, in Feast's layout.
//
// Each feature view has a table, by default named <project>.<view>, with the hash
// key entity_id (S): the hex MurmurHash3 of the serialized entity key. event_ts
// (S) is the event time as Python prints it; values (M) maps features to
// serialized feast.types.Value messages (B); an empty value is a null.
//
// A read packs the keys of all its tables into as few BatchGetItem calls as
// possible, up to 100 keys each. Retries are the work of a decorator: throttled
// and unprocessed keys are reported one by one.
package dynamo

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	sdkretry "github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/logging"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/awsconf"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo/wire"
)

// The limits of the service.
const (
	maxGet   = 100 // keys per BatchGetItem
	maxWrite = 25  // items per BatchWriteItem
	// inFlight bounds the concurrent calls of one read or write.
	inFlight = 64
)

// Options configure a Store.
type Options struct {
	AWS awsconf.Config
	// TableTemplate names tables; {project} and {table_name} are replaced.
	TableTemplate string
	// BatchSize bounds the keys of one call; the maximum is 100.
	BatchSize int
	// Consistent makes all reads strongly consistent.
	Consistent bool
	// Tags are set on every table; a view's own tag of the same key wins.
	Tags map[string]string
	// SDK makes reads and writes use the AWS SDK instead of the direct client.
	SDK bool
	// ReadTime bounds the wait for one response; 0 means no bound.
	ReadTime time.Duration
}

// Store is an online store in DynamoDB.
type Store struct {
	*stores.Layer // reads by Fetch
	opt           Options
	data          transport        // for reads and writes
	client        *dynamodb.Client // for other requests about items
	admin         *dynamodb.Client // has its own retries: the decorator retries only rows
	names         sync.Map         // stores.Table to *tableName
	readings      sync.Pool        // of *reading
	calls         chan struct{}    // bounds the concurrent calls of the process
	bad           badTables
	renewal       atomic.Pointer[time.Time] // when credentials were last renewed
}

var _ stores.Backend = (*Store)(nil)

// transport makes the calls that move data. A refusal of the service is a
// smithy.APIError; a failed condition is a wire.ConditionError.
type transport interface {
	// batchGet makes one BatchGetItem and stores the response in the call.
	batchGet(ctx context.Context, c *call) error
	batchWrite(ctx context.Context, b *batch) error
	putItem(ctx context.Context, p *put) error
	close()
}

// Open makes a Store. It makes no calls yet.
func Open(opt Options) *Store {
	if opt.TableTemplate == "" {
		opt.TableTemplate = "{project}.{table_name}"
	}
	if opt.BatchSize <= 0 || opt.BatchSize > maxGet {
		opt.BatchSize = maxGet
	}
	client := opt.AWS.AWS.HTTPClient
	if c, ok := client.(*awshttp.BuildableClient); ok {
		client = wire.NewHTTPClient(c)
	}
	plain := func(o *dynamodb.Options) {
		o.HTTPClient, o.Credentials = client, wire.Credentials(o.Credentials)
		o.Logger = logging.Nop{}
		if opt.AWS.Endpoint != "" {
			o.BaseEndpoint = &opt.AWS.Endpoint
		}
		o.DisableValidateResponseChecksum = true // package wire verifies the checksum: there a mismatch is an error
		o.APIOptions = append(o.APIOptions, wire.VerifyChecksum)
	}
	retrying := func(o *dynamodb.Options) {
		o.Retryer = sdkretry.NewStandard(func(r *sdkretry.StandardOptions) { r.MaxAttempts = 6 })
	}
	s := &Store{
		opt: opt, client: dynamodb.NewFromConfig(opt.AWS.AWS, plain), admin: dynamodb.NewFromConfig(opt.AWS.AWS, plain, retrying),
		calls: make(chan struct{}, 256),
	}
	s.Layer = stores.NewLayer(s)
	if o := s.client.Options(); opt.SDK || wire.Proxied(o) {
		s.data = &viaSDK{s.client}
	} else {
		s.data = &viaWire{wire.NewClient(o, opt.AWS.Dialer, opt.ReadTime)}
	}
	return s
}

// Host is the host of the store, for messages.
func (s *Store) Host() string {
	if s.opt.AWS.Endpoint != "" {
		return s.opt.AWS.Endpoint
	}
	return "dynamodb." + s.opt.AWS.AWS.Region + ".amazonaws.com"
}

// Ready reports why no call can be made, for lack of credentials; nil if there are some.
// It calls at most the source of the credentials.
func (s *Store) Ready(ctx context.Context) error {
	source := s.client.Options().Credentials
	if source == nil {
		return nil
	}
	_, err := source.Retrieve(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fault.Store(fault.TimedOut, "the source of the AWS credentials has not answered yet").About("online store", s.Host(), "").Because(err)
	}
	return s.credentialsFault(err)
}

// tableName is a table's physical name, plain and as JSON text.
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

// name returns the physical name of a table.
func (s *Store) name(t stores.Table) string { return s.tableName(t).name }

// Close closes idle connections.
func (s *Store) Close() error {
	s.data.close()
	(&viaSDK{s.client}).close()
	return nil
}

// renewals is the minimum time between two renewals of credentials: calls that
// fail together need new ones once, and a provider whose credentials are always
// rejected is not asked again by every call.
const renewals = time.Second

// renewed reports whether an error says that the credentials have expired; the
// next call then fetches new ones, unless they were just renewed.
func (s *Store) renewed(err error) bool {
	switch errorCode(err) {
	case "ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidClientTokenId":
	default:
		return false
	}
	cache, ok := s.client.Options().Credentials.(interface{ Invalidate() })
	now, last := time.Now(), s.renewal.Load() // with the monotonic clock: the wall clock may be set
	if ok && (last == nil || now.Sub(*last) > renewals) && s.renewal.CompareAndSwap(last, &now) {
		cache.Invalidate()
	}
	return ok
}

// begin waits until the process may make one more call; end must be called after
// it.
func (s *Store) begin(ctx context.Context) (end func(), err error) {
	select {
	case s.calls <- struct{}{}:
		return func() { <-s.calls }, nil
	case <-ctx.Done():
		return nil, fault.Of(ctx.Err())
	}
}
