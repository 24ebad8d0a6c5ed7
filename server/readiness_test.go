package server_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/server"
)

// A server whose online store cannot be called is not ready, says why, and becomes ready
// when it can be called.
func TestReadinessOfTheStore(t *testing.T) {
	var sealed atomic.Bool
	sealed.Store(true)
	f := credit
	f.change = func(o *server.Options) {
		o.Ready = func(context.Context) error {
			if sealed.Load() {
				return fault.Store(fault.Denied, "the credential_process of the AWS profile failed: exit status 3")
			}
			return nil
		}
	}
	s := start(t, f)
	state := func() (int, string, healthpb.HealthCheckResponse_ServingStatus) {
		code, text := fetch(t, http.MethodGet, "http://"+s.at.Admin+"/readyz", "")
		resp, err := healthpb.NewHealthClient(s.grpc).Check(t.Context(), &healthpb.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return code, text, resp.GetStatus()
	}
	if code, text, status := state(); code != http.StatusServiceUnavailable || !strings.Contains(text, "online store: the credential_process of the AWS profile failed") || status != healthpb.HealthCheckResponse_NOT_SERVING {
		t.Errorf("%d %s %s", code, text, status)
	}
	sealed.Store(false)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-tick.C {
		code, text, status := state()
		if code == http.StatusOK && status == healthpb.HealthCheckResponse_SERVING {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d %s %s", code, text, status)
		}
	}
}
