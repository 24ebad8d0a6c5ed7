//go:build linux

package dynamo_test

import (
	"context"
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/internal/awsconf"
	"github.com/banquet-fs/banquet/internal/dialtest"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
)

// A store whose first address is dead is reached through the second within the
// deadline of the request; later connections do not try the dead address first.
func TestADeadAddressOfTheStore(t *testing.T) {
	byClient(t, func(t *testing.T, sdk bool) {
		server := dynamotest.Start(t)
		ready(t, openClient(t, server, sdk), zip)
		at, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		port, err := strconv.Atoi(at.Port())
		if err != nil {
			t.Fatal(err)
		}
		dialtest.Blackhole(t, port)
		t.Setenv("AWS_ACCESS_KEY_ID", "test")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
		c, err := awsconf.Load(t.Context(), awsconf.Options{
			Region: "ap-northeast-2", Endpoint: "http://" + net.JoinHostPort(dialtest.Host, at.Port()), ConnectTime: 5 * time.Second, Lookup: dialtest.Lookup,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, limit := range []time.Duration{4 * time.Second, 10 * time.Second} {
			s := dynamo.Open(dynamo.Options{AWS: c, SDK: sdk})
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			start := time.Now()
			rows, err := s.Read(ctx, []stores.Read{{Table: zip, Features: stores.NewSelection("f"), Keys: [][]byte{[]byte("k")}}})
			took := time.Since(start)
			cancel()
			_ = s.Close()
			if err != nil {
				t.Fatalf("within %v: %v", limit, err)
			}
			if err := rows.Reads[0][0].Err; err != nil || took > 3*time.Second {
				t.Errorf("within %v: %v after %v", limit, err, took)
			}
			rows.Release()
			t.Logf("within %v: %v", limit, took)
		}
	})
}
