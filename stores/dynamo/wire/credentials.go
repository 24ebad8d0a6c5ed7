package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Credentials has a provider's failures told by their type, through the SDK, too.
func Credentials(p aws.CredentialsProvider) aws.CredentialsProvider {
	if p == nil {
		return nil
	}
	return &provider{p}
}

// provider is a provider whose failures are CredentialsErrors.
type provider struct{ aws.CredentialsProvider }

// Retrieve gives the credentials in force.
func (p *provider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := p.CredentialsProvider.Retrieve(ctx)
	if err != nil && ctx.Err() == nil {
		err = &CredentialsError{err}
	}
	return c, err
}

// Invalidate has the next call fetch new ones.
func (p *provider) Invalidate() {
	if c, ok := p.CredentialsProvider.(interface{ Invalidate() }); ok {
		c.Invalidate()
	}
}
