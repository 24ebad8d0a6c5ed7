// Package awsconf determines how to reach AWS: region, endpoint, credentials.
// It calls no service.
package awsconf

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/logging"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/dial"
)

// Options are the settings of a configuration file; all may be empty.
type Options struct {
	Region string
	// Endpoint overrides AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL and the
	// profile's endpoint_url, and is used even where those are to be ignored.
	Endpoint string
	// MaxConns bounds the connections; 0 chooses a default.
	MaxConns int
	// ConnectTime and ReadTime bound a connection attempt and one response.
	ConnectTime, ReadTime time.Duration
	// Lookup resolves host names; nil asks the system.
	Lookup dial.Lookup
}

// Config is the SDK's configuration with the endpoint in force.
type Config struct {
	AWS aws.Config
	// Endpoint is empty for AWS's own endpoint.
	Endpoint string
	// Dialer makes the connections of every client.
	Dialer *dial.Dialer
}

// Load determines the configuration. An endpoint on this machine needs neither
// credentials nor a real region, and is reached without a proxy.
func Load(ctx context.Context, opt Options) (Config, error) {
	endpoint := opt.Endpoint
	if endpoint == "" {
		endpoint = configured(ctx)
	}
	local := false
	if endpoint != "" {
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return Config{}, fault.New(fault.Invalid, "endpoint_url %q is not a URL; use one such as http://localhost:8000", endpoint)
		}
		local = loopback(u.Hostname())
	}
	dialer := &dial.Dialer{Timeout: opt.ConnectTime, Lookup: opt.Lookup}
	if dialer.Timeout <= 0 {
		dialer.Timeout = 5 * time.Second
	}
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client(opt, dialer, local)),
		config.WithLogger(logging.Nop{}),                                   // what fails is in the errors
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }), // the store's decorator retries
	}
	if opt.Region != "" {
		load = append(load, config.WithRegion(opt.Region))
	}
	if local && !hasCredentials() {
		load = append(load, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("local", "local", "")))
	}
	c, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return Config{}, fault.New(fault.Invalid, "the AWS configuration cannot be read; check AWS_PROFILE, AWS_CONFIG_FILE and ~/.aws").Because(err)
	}
	if c.Region == "" {
		return Config{}, fault.New(fault.Invalid, "no AWS region is set; set online_store.region or AWS_REGION")
	}
	renewInTime(&c, load)
	return Config{AWS: c, Endpoint: endpoint, Dialer: dialer}, nil
}

// configured is the endpoint of the environment or, after it, of the profile;
// empty where neither names one or both are to be ignored. The SDK, which reads
// them, too, reports their errors.
func configured(ctx context.Context) string {
	env, err := config.NewEnvConfig()
	if err != nil {
		return ""
	}
	profile := env.SharedConfigProfile
	if profile == "" {
		profile = config.DefaultSharedConfigProfile
	}
	shared, err := config.LoadSharedConfigProfile(ctx, profile, func(o *config.LoadSharedConfigOptions) {
		if env.SharedConfigFile != "" {
			o.ConfigFiles = []string{env.SharedConfigFile}
		}
		if env.SharedCredentialsFile != "" {
			o.CredentialsFiles = []string{env.SharedCredentialsFile}
		}
	})
	if err != nil {
		shared = config.SharedConfig{}
	}
	if ignore, _, err := config.GetIgnoreConfiguredEndpoints(ctx, []any{env, shared}); err != nil || ignore {
		return ""
	}
	for _, name := range []string{"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"} {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	if v, ok, err := shared.GetServiceBaseEndpoint(ctx, "DynamoDB"); ok && err == nil {
		return v
	}
	return shared.BaseEndpoint
}

// renewInTime makes the credentials of the SDK's chain be replaced before they
// expire, by a new chain.
func renewInTime(c *aws.Config, load []func(*config.LoadOptions) error) {
	cache, ok := c.Credentials.(*aws.CredentialsCache)
	if !ok {
		return
	}
	c.Credentials = newRenewing(cache, func(ctx context.Context) (*aws.CredentialsCache, error) {
		again, err := config.LoadDefaultConfig(ctx, load...)
		if err != nil {
			return nil, err
		}
		cache, ok := again.Credentials.(*aws.CredentialsCache)
		if !ok {
			return nil, errors.New("the SDK does not cache credentials any more")
		}
		return cache, nil
	})
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// hasCredentials reports whether the environment contains credentials.
func hasCredentials() bool {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

// client makes the HTTP client. It closes idle connections before the other
// side does, so that no request uses a closed one.
func client(opt Options, dialer *dial.Dialer, local bool) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 512, 512
		t.MaxConnsPerHost = opt.MaxConns
		t.IdleConnTimeout = 20 * time.Second
		t.ResponseHeaderTimeout = opt.ReadTime
		t.DialContext = dialer.DialContext
		if local {
			t.Proxy = nil
		}
	})
}
