package awsconf

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	// ahead is how long before their expiry credentials are replaced: early
	// enough, but after the services that issue them have new ones.
	ahead = 6 * time.Minute
	// renewEvery is the interval between attempts, renewTime bounds one
	// attempt.
	renewEvery, renewTime = 20 * time.Second, 20 * time.Second
)

// renewing provides credentials that are replaced before they expire, while
// requests use the present ones. With the SDK's own cache, the first request
// after the expiry waits for new credentials, and all others wait with it.
type renewing struct {
	// chain makes the chain of providers anew.
	chain func(context.Context) (*aws.CredentialsCache, error)
	cache atomic.Pointer[aws.CredentialsCache]
	busy  atomic.Bool
	tried atomic.Pointer[time.Time]
}

func newRenewing(cache *aws.CredentialsCache, chain func(context.Context) (*aws.CredentialsCache, error)) *renewing {
	r := &renewing{chain: chain}
	r.cache.Store(cache)
	return r
}

// Retrieve returns the present credentials.
func (r *renewing) Retrieve(ctx context.Context) (aws.Credentials, error) {
	cache := r.cache.Load()
	creds, err := cache.Retrieve(ctx)
	if err == nil && creds.CanExpire && time.Until(creds.Expires) < ahead {
		r.renew(cache, creds)
	}
	return creds, err
}

// Invalidate makes the next request fetch new credentials.
func (r *renewing) Invalidate() { r.cache.Load().Invalidate() }

// renew fetches new credentials in the background unless an attempt was just
// made. When it fails, the present ones are still valid for a while.
func (r *renewing) renew(cache *aws.CredentialsCache, old aws.Credentials) {
	if last := r.tried.Load(); last != nil && time.Since(*last) < renewEvery || !r.busy.CompareAndSwap(false, true) {
		return
	}
	now := time.Now()
	r.tried.Store(&now)
	go func() {
		defer r.busy.Store(false)
		ctx, cancel := context.WithTimeout(context.Background(), renewTime)
		defer cancel()
		fresh, err := r.chain(ctx)
		if err != nil {
			return
		}
		creds, err := fresh.Retrieve(ctx)
		if err == nil && creds.AccessKeyID != old.AccessKeyID && !creds.Expires.Before(old.Expires) {
			r.cache.CompareAndSwap(cache, fresh)
		}
	}()
}
