package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	banquetv1 "github.com/banquet-fs/banquet/gen/banquet/v1"
	feast "github.com/banquet-fs/banquet/gen/feast/serving"
	"github.com/banquet-fs/banquet/gen/feast/types"
)

// servedRepo is a repository with rows, created once.
var servedRepo = sync.OnceValues(func() (string, error) {
	bin, err := built()
	if err != nil {
		return "", err
	}
	repo := filepath.Join(shared, "shop", "feature_repo")
	for _, args := range [][]string{{"init", filepath.Join(shared, "shop")}, {"-c", repo, "apply"}, {"-c", repo, "materialize", "2023-01-01", "2025-01-01"}} {
		if out, err := exec.Command(bin, args...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%v: %w: %s", args, err, out)
		}
	}
	return repo, nil
})

// victim starts a server for an attack.
func victim(t *testing.T) (*exec.Cmd, addresses, *grpc.ClientConn) {
	t.Helper()
	repo, err := servedRepo()
	if err != nil {
		t.Fatal(err)
	}
	cmd, at := startServing(t, repo)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, at, dial(t, at)
}

func dial(t *testing.T, at addresses) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(at.GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1<<30)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// ordinary sends requests to several servers in turn, like ordinary callers, and
// returns for each the second slowest of 100 response times.
func ordinary(t *testing.T, servers ...addresses) []time.Duration {
	t.Helper()
	took := make([][]time.Duration, len(servers))
	for range 100 {
		for i, at := range servers {
			start := time.Now()
			if body := online(t, at.HTTP, `{"feature_service":"credit_model","entities":{"zipcode":[76104],"dob_ssn":["19530219_5179"]}}`); !strings.Contains(body, "FORT WORTH") {
				t.Fatal(body)
			}
			took[i] = append(took[i], time.Since(start))
		}
	}
	var slow []time.Duration
	for _, list := range took {
		slices.Sort(list)
		slow = append(slow, list[98])
	}
	return slow
}

// peak is the maximum resident memory of a process, in bytes.
func peak(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}

// Callers that hold streams or half-sent requests block nobody.
func TestSilentCallersBlockNobody(t *testing.T) {
	_, at, _ := victim(t)
	_, calm, _ := victim(t)
	hold := map[string]func(i int){}
	conns := []*grpc.ClientConn{dial(t, at), dial(t, at)}
	hold["1,200 streams of reflection"] = func(i int) {
		if i < 1200 {
			if _, err := reflectionpb.NewServerReflectionClient(conns[i%2]).ServerReflectionInfo(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	silent := []*grpc.ClientConn{dial(t, at), dial(t, at)}
	hold["1,200 streams of features"] = func(i int) {
		if i < 1200 {
			desc := &grpc.StreamDesc{StreamName: "StreamOnlineFeatures", ServerStreams: true, ClientStreams: true}
			if _, err := silent[i%2].NewStream(t.Context(), desc, banquetv1.FeatureService_StreamOnlineFeatures_FullMethodName); err != nil {
				t.Fatal(err)
			}
		}
	}
	calls := []*grpc.ClientConn{dial(t, at), dial(t, at)}
	hold["1,200 calls without a message"] = func(i int) {
		if i < 1200 {
			desc := &grpc.StreamDesc{StreamName: "GetOnlineFeatures", ClientStreams: true}
			if _, err := calls[i%2].NewStream(t.Context(), desc, feast.ServingService_GetOnlineFeatures_FullMethodName); err != nil {
				t.Fatal(err)
			}
		}
	}
	hold["600 half-sent requests"] = func(i int) {
		if i < 600 {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", at.HTTP)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			fmt.Fprintf(conn, "POST /get-online-features HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{\"entities\":")
		}
	}
	for name, one := range hold {
		for i := range 1200 {
			one(i)
		}
		var with, without time.Duration
		for range 4 { // the machine may be busy
			slow := ordinary(t, at, calm)
			if with, without = slow[0], slow[1]; with <= without*3/2 {
				break
			}
		}
		t.Logf("with %s an ordinary caller waits %v, without %v", name, with, without)
		if with > without*3/2+5*time.Millisecond {
			t.Errorf("with %s an ordinary caller waits %v, without %v", name, with, without)
		}
	}
}

// Refused requests cost little memory.
func TestRefusalsAreCheap(t *testing.T) {
	t.Run("four large requests at once", func(t *testing.T) {
		cmd, at, conn := victim(t)
		var text bytes.Buffer
		text.WriteString(`{"features":["zipcode_features:city"],"entities":{"zipcode":[`)
		keys := &types.RepeatedValue{}
		for text.Len() < 15<<20 {
			text.WriteString("7,")
		}
		text.WriteString("7]}}")
		for len(keys.Val) < 4<<20 {
			keys.Val = append(keys.Val, &types.Value{Val: &types.Value_Int64Val{Int64Val: 7}})
		}
		var group sync.WaitGroup
		for i := range 4 {
			group.Go(func() {
				if i%2 == 0 {
					if code := status.Code(getFeatures(t.Context(), conn, keys)); code != codes.InvalidArgument {
						t.Errorf("gRPC: %v", code)
					}
					return
				}
				if body := online(t, at.HTTP, text.String()); !strings.Contains(body, "banquet.limits.rows") {
					t.Error(body)
				}
			})
		}
		group.Wait()
		checkPeak(t, cmd, 200<<20)
	})
	t.Run("text that is not JSON", func(t *testing.T) {
		cmd, at, _ := victim(t)
		body := strings.Repeat("x", 15<<20)
		for range 2 {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+at.HTTP+"/get-online-features", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "text/plain")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != http.StatusUnprocessableEntity || resp.ContentLength > 4<<10 {
				t.Errorf("%s, %d bytes", resp.Status, resp.ContentLength)
			}
		}
		checkPeak(t, cmd, 200<<20)
	})
	t.Run("a large message, compressed", func(t *testing.T) {
		cmd, _, conn := victim(t)
		keys := &types.RepeatedValue{Val: []*types.Value{{Val: &types.Value_StringVal{StringVal: strings.Repeat("7", 120<<20)}}}}
		if code := status.Code(getFeatures(t.Context(), conn, keys, grpc.UseCompressor(gzip.Name))); code != codes.ResourceExhausted {
			t.Errorf("%v", code)
		}
		checkPeak(t, cmd, 150<<20)
	})
	t.Run("request shapes that are never repeated", func(t *testing.T) {
		cmd, at, _ := victim(t)
		names := []string{"city", "state", "location_type", "tax_returns_filed", "population", "total_wages"}
		for i := range 2500 {
			var refs []string
			for n := i; len(refs) < 4; n /= 6 {
				refs = append(refs, fmt.Sprintf(`"zipcode_features:%s"`, names[(n+len(refs))%6]))
			}
			online(t, at.HTTP, `{"features":[`+strings.Join(refs, ",")+`],"entities":{"zipcode":[76104]},"full_feature_names":`+strconv.FormatBool(i%2 == 0)+`}`)
		}
		checkPeak(t, cmd, 150<<20)
	})
}

func getFeatures(ctx context.Context, conn *grpc.ClientConn, keys *types.RepeatedValue, opts ...grpc.CallOption) error {
	_, err := feast.NewServingServiceClient(conn).GetOnlineFeatures(ctx, &feast.GetOnlineFeaturesRequest{
		Kind:     &feast.GetOnlineFeaturesRequest_Features{Features: &feast.FeatureList{Val: []string{"zipcode_features:city"}}},
		Entities: map[string]*types.RepeatedValue{"zipcode": keys},
	}, opts...)
	return err
}

func checkPeak(t *testing.T, cmd *exec.Cmd, limit int) {
	t.Helper()
	if got := peak(t, cmd); got > limit {
		t.Errorf("the process had %d MB, the limit is %d", got>>20, limit>>20)
	} else {
		t.Logf("the process had %d MB", got>>20)
	}
}
