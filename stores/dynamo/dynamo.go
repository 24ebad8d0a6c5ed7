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
	// ReadTime bounds the wait for one answer; 0 is no bound.
	ReadTime time.Duration
}

// Store is an online store in DynamoDB.
type Store struct {
	*stores.Layer // reads by Fetch
	opt           Options
	data          transport        // of reads and writes
	client        *dynamodb.Client // what else is asked of items
	admin         *dynamodb.Client // retries by itself: the decorator retries rows only
	names         sync.Map         // stores.Table to *tableName
	readings      sync.Pool        // of *reading
	calls         chan struct{}    // bounds the calls of the process
	bad           badTables
	renewal       atomic.Pointer[time.Time] // when credentials were last fetched anew
}

var _ stores.Backend = (*Store)(nil)

// transport makes the calls that move data. What the service refuses is a
// smithy.APIError, a condition that does not hold a wire.ConditionError.
type transport interface {
	// batchGet makes one BatchGetItem and files what it brings into the call.
	batchGet(ctx context.Context, c *call) error
	batchWrite(ctx context.Context, b *batch) error
	putItem(ctx context.Context, p *put) error
	close()
}

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
		client = wire.NewHTTPClient(c)
	}
	plain := func(o *dynamodb.Options) {
		o.HTTPClient, o.Credentials = client, wire.Credentials(o.Credentials)
		o.Logger = logging.Nop{}
		if opt.AWS.Endpoint != "" {
			o.BaseEndpoint = &opt.AWS.Endpoint
		}
		o.DisableValidateResponseChecksum = true // the body's checksum is verified by package wire, for which a mismatch is an error
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
	(&viaSDK{s.client}).close()
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

// begin waits until the process may make one more call; end says that it is made.
func (s *Store) begin(ctx context.Context) (end func(), err error) {
	select {
	case s.calls <- struct{}{}:
		return func() { <-s.calls }, nil
	case <-ctx.Done():
		return nil, fault.Of(ctx.Err())
	}
}
