package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Credentials wraps a provider so that its failures have a type of their own, also
// through the SDK.
func Credentials(p aws.CredentialsProvider) aws.CredentialsProvider {
	if p == nil {
		return nil
	}
	return &provider{p}
}

// provider is a provider whose failures are CredentialsErrors.
type provider struct{ aws.CredentialsProvider }

// Retrieve returns the current credentials.
func (p *provider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := p.CredentialsProvider.Retrieve(ctx)
	if err != nil && ctx.Err() == nil {
		err = &CredentialsError{err}
	}
	return c, err
}

// Invalidate makes the next call fetch new credentials.
func (p *provider) Invalidate() {
	if c, ok := p.CredentialsProvider.(interface{ Invalidate() }); ok {
		c.Invalidate()
	}
}
