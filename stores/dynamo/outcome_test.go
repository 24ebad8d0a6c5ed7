package dynamo_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/fault"
	"github.com/banquet-fs/banquet/internal/dynamotest"
	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/dynamo"
	"github.com/banquet-fs/banquet/stores/retry"
	"github.com/banquet-fs/banquet/value"
)

// zipItems is the table of zip.
const zipItems = "credit_scoring_aws.zipcode_features"

// loads runs a test with each client, in each mode, with and without retries.
func loads(t *testing.T, faults dynamotest.Faults, test func(t *testing.T, server *dynamotest.Server, s stores.Store, mode stores.Mode)) {
	t.Helper()
	eachClient(t, func(t *testing.T, open func(testing.TB, *dynamotest.Server) *dynamo.Store) {
		for name, mode := range map[string]stores.Mode{"Replace": stores.Replace, "Newer": stores.Newer} {
			t.Run(name, func(t *testing.T) {
				server := dynamotest.Start(t)
				s := open(t, server)
				ready(t, s, zip)
				server.Set(faults)
				test(t, server, s, mode)
			})
			t.Run(name+" with retries", func(t *testing.T) {
				server := dynamotest.Start(t)
				s := open(t, server)
				ready(t, s, zip)
				again := faults
				again.Throttle, again.Error500, again.Unprocessed = 0.1, 0.1, 0.2
				server.Set(again)
				test(t, server, retry.New(s, retry.Options{Attempts: 60, First: time.Microsecond}), mode)
			})
		}
	})
}

// stored checks that exactly the items of the records exist, except the missing
// ones.
func stored(t *testing.T, server *dynamotest.Server, recs []stores.Record, missing ...int) {
	t.Helper()
	items := server.Items(zipItems)
	for i, r := range recs {
		if _, there := items[string(value.AppendEntityID(nil, r.Key))]; there == slices.Contains(missing, i) {
			t.Errorf("record %d is there: %v", i, there)
		}
	}
}

func wantFailed(t *testing.T, w stores.Written, err error, indexes ...int) {
	t.Helper()
	if err != nil || !slices.Equal(w.Failed.Indexes, indexes) || len(w.Older) > 0 {
		t.Fatalf("%v, %v; want only %v to fail", w, err, indexes)
	}
	for _, err := range w.Failed.Errs {
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("a bad record fails as %v: %v", fault.KindOf(err), err)
		}
	}
}

// An item over 400 KB fails alone, and the error says its size and its largest
// feature.
func TestAnItemThatIsTooLargeFailsAlone(t *testing.T) {
	loads(t, dynamotest.Faults{}, func(t *testing.T, server *dynamotest.Server, s stores.Store, mode stores.Mode) {
		recs, _ := records(60)
		for i := range recs {
			recs[i].Values = append(recs[i].Values, []byte("x"))
		}
		recs[33].Values[1] = make([]byte, 500_000)
		w, err := s.Write(t.Context(), zip, stores.NewSelection("f", "embedding"), recs, mode)
		wantFailed(t, w, err, 33)
		stored(t, server, recs, 33)
		for _, part := range []string{"500095 bytes", "409600", "embedding", "500000"} {
			if text := w.Failed.Errs[0].Error(); !strings.Contains(text, part) {
				t.Errorf("%q does not say %q", text, part)
			}
		}
	})
}

// Close to the limit the service decides: what it accepts is stored.
func TestItemsAroundTheLimit(t *testing.T) {
	loads(t, dynamotest.Faults{}, func(t *testing.T, server *dynamotest.Server, s stores.Store, mode stores.Mode) {
		const around = len("entity_id") + 32 + len("event_ts") + len("2024-06-12 06:11:06+00:00") + len("values") + 3 + 1 + len("f")
		recs, _ := records(9)
		for i := range recs {
			recs[i].Values[0] = make([]byte, 400<<10-around+i-2)
		}
		w, err := s.Write(t.Context(), zip, stores.NewSelection("f"), recs, mode)
		wantFailed(t, w, err, 3, 4, 5, 6, 7, 8)
		stored(t, server, recs, 3, 4, 5, 6, 7, 8)
	})
}

// Items that only the service can find invalid do not fail the others in their
// call.
func TestItemsThatAreRefusedFailAlone(t *testing.T) {
	recs, keys := records(80)
	refuse := map[string]bool{}
	bad := []int{0, 30, 31, 49, 79}
	for _, i := range bad {
		refuse[string(value.AppendEntityID(nil, keys[i]))] = true
	}
	loads(t, dynamotest.Faults{Refuse: refuse}, func(t *testing.T, server *dynamotest.Server, s stores.Store, mode stores.Mode) {
		w, err := s.Write(t.Context(), zip, stores.NewSelection("f"), recs, mode)
		wantFailed(t, w, err, bad...)
		stored(t, server, recs, bad...)
	})
}

// When all items are bad, each is named.
func TestEveryItemIsRefused(t *testing.T) {
	recs, keys := records(26)
	refuse, all := map[string]bool{}, make([]int, len(keys))
	for i, k := range keys {
		refuse[string(value.AppendEntityID(nil, k))], all[i] = true, i
	}
	loads(t, dynamotest.Faults{Refuse: refuse}, func(t *testing.T, server *dynamotest.Server, s stores.Store, mode stores.Mode) {
		w, err := s.Write(t.Context(), zip, stores.NewSelection("f"), recs, mode)
		wantFailed(t, w, err, all...)
	})
}

// When the deciding record of a repeated key is bad, the next one decides.
func TestARefusedRepeatLeavesTheOthers(t *testing.T) {
	loads(t, dynamotest.Faults{}, func(t *testing.T, server *dynamotest.Server, s stores.Store, mode stores.Mode) {
		recs, _ := records(4)
		recs[1].Key, recs[2].Key = recs[0].Key, recs[0].Key
		// The service counts four bytes more than banquet does.
		recs[1].Values[0] = make([]byte, 400<<10-len("entity_id")-32-len("event_ts")-25-len("values")-len("f"))
		recs[2].Values[0] = make([]byte, 400<<10)
		w, err := s.Write(t.Context(), zip, stores.NewSelection("f"), recs, mode)
		wantFailed(t, w, err, 1, 2)
		stored(t, server, recs)
	})
}

// A call is never larger than the service accepts, whatever the names.
func TestCallsOfManyBytes(t *testing.T) {
	loads(t, dynamotest.Faults{}, func(t *testing.T, server *dynamotest.Server, s stores.Store, mode stores.Mode) {
		n := 30
		if mode == stores.Newer {
			n = 4 // each is a call of its own
		}
		recs, _ := records(n)
		var names []string
		for f := range 3 {
			names = append(names, strings.Repeat("\n<", 60_000)+fmt.Sprint(f)) // six bytes each in JSON
		}
		for i := range recs {
			recs[i].Values = [][]byte{{1}, {2}, {3}}
		}
		w, err := s.Write(t.Context(), zip, stores.NewSelection(names...), recs, mode)
		wantFailed(t, w, err)
		stored(t, server, recs)
		if n := server.Count("BatchWriteItem"); mode == stores.Replace && n < 4 {
			t.Errorf("%d calls", n)
		}
	})
}

// A canceled write returns the outcome of each record: a record that is not
// listed is stored.
func TestAWriteThatIsCanceledTellsWhatIsStored(t *testing.T) {
	loads(t, dynamotest.Faults{}, func(t *testing.T, server *dynamotest.Server, s stores.Store, mode stores.Mode) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		recs, _ := records(5000)
		var calls atomic.Int64
		server.Set(dynamotest.Faults{Latency: func() time.Duration {
			if calls.Add(1) == 100 {
				cancel()
			}
			return 0
		}})
		w, err := s.Write(ctx, zip, stores.NewSelection("f"), recs, mode)
		if err != nil {
			t.Fatal(err)
		}
		if n := w.Stored(len(recs)); n == 0 || n == len(recs) {
			t.Fatalf("%d records are stored", n)
		}
		items := server.Items(zipItems)
		for i, r := range recs {
			if _, there := items[string(value.AppendEntityID(nil, r.Key))]; !there && !slices.Contains(w.Failed.Indexes, i) {
				t.Errorf("record %d is neither stored nor named", i)
			}
		}
		for _, err := range w.Failed.Errs {
			if fault.KindOf(err) != fault.Canceled {
				t.Fatalf("%v: %v", fault.KindOf(err), err)
			}
		}
	})
}

// Lost responses to completed writes are retried; a record is not older than
// itself.
func TestLostResponsesChangeNothing(t *testing.T) {
	loads(t, dynamotest.Faults{Cut: 0.3}, func(t *testing.T, server *dynamotest.Server, s stores.Store, mode stores.Mode) {
		recs, _ := records(200)
		w, err := retry.New(s, retry.Options{Attempts: 60, First: time.Microsecond}).Write(t.Context(), zip, stores.NewSelection("f"), recs, mode)
		wantFailed(t, w, err)
		stored(t, server, recs)
	})
}

// Items that Feast wrote with another UTC offset are compared by their time.
func TestOlderThanWhatFeastWrote(t *testing.T) {
	loads(t, dynamotest.Faults{}, func(t *testing.T, server *dynamotest.Server, s stores.Store, mode stores.Mode) {
		recs, _ := records(4)
		for i, stamp := range []string{"2024-06-12 15:11:07+09:00", "2024-06-12 15:11:06+09:00", "2024-06-12 15:11:05+09:00", "2024-06-12 06:11:07+00:00"} {
			server.Put(zipItems, map[string]json.RawMessage{
				"entity_id": json.RawMessage(`{"S":"` + string(value.AppendEntityID(nil, recs[i].Key)) + `"}`),
				"event_ts":  json.RawMessage(`{"S":"` + stamp + `"}`),
				"values":    json.RawMessage(`{"M":{}}`),
			})
		}
		w, err := s.Write(t.Context(), zip, stores.NewSelection("f"), recs, mode)
		want := []int{0, 3}
		if mode == stores.Replace {
			want = nil
		}
		if err != nil || len(w.Failed.Indexes) > 0 || !slices.Equal(w.Older, want) {
			t.Errorf("%v, %v; want %v to be older", w, err, want)
		}
	})
}
