package dynamo_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/awsconf"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
)

// Missing credentials are reported as such, whatever the call and whatever the
// provider's error says.
func TestNoCredentials(t *testing.T) {
	byClient(t, func(t *testing.T, sdk bool) {
		c, err := awsconf.Load(t.Context(), awsconf.Options{Region: "ap-northeast-2", Endpoint: dynamotest.Start(t).URL})
		if err != nil {
			t.Fatal(err)
		}
		c.AWS.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, errors.New("the moon is in the wrong place")
		})
		s := dynamo.Open(dynamo.Options{AWS: c, SDK: sdk})
		defer func() { _ = s.Close() }()
		check := func(err error) {
			t.Helper()
			if fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), "no AWS credentials were found") || strings.Contains(err.Error(), "moon") {
				t.Errorf("%v", err)
			}
		}
		rows, err := s.Read(t.Context(), []stores.Read{{Table: zip, Features: stores.NewSelection("f"), Keys: [][]byte{[]byte("k")}}})
		if err == nil {
			err = rows.Reads[0][0].Err
			rows.Release()
		}
		check(err)
		_, err = s.Plan(t.Context(), stores.Tables{})
		check(err)
		check(s.Ready(t.Context()))
	})
}
