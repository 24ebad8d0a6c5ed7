package fake

import (
	"fmt"
	"strings"
	"testing"
)

// puts is a BatchWriteItem of numbered keys.
func puts(table string, keys ...int) string {
	var all []string
	for _, k := range keys {
		all = append(all, fmt.Sprintf(`{"PutRequest": {"Item": {"event_ts": {"S": "2026-10-01 00:00:00+00:00"}, "values": {"M": {"entity_id": {"B": "IAE="}}}, "entity_id": {"S": "%032x"}}}}`, k))
	}
	return `{"RequestItems": {"` + table + `": [` + strings.Join(all, ", ") + `]}}`
}

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestBatchWriteCountsItems(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range []string{puts("credit_bench.account_balance", 1, 2, 3), strings.ReplaceAll(puts("credit_bench.account_balance", 3, 4), " ", "")} {
		if _, err := s.batchWrite([]byte(request)); err != nil {
			t.Fatalf("%v: %s", err, request)
		}
	}
	if w := s.written.Load().result(); w.Puts != 5 || w.Items != 4 {
		t.Errorf("%d puts of %d items, want 5 of 4", w.Puts, w.Items)
	}
	for from := 100; from < 20_000; from += 25 {
		var keys []int
		for k := range 25 {
			keys = append(keys, from+k)
		}
		if _, err := s.batchWrite([]byte(puts("credit_bench.account_balance", keys...))); err != nil {
			t.Fatal(err)
		}
	}
	w := s.written.Load().result()
	if len(w.Sample) < 5 || len(w.Sample) > 60 {
		t.Fatalf("%d of 20,000 items are kept, want about 20", len(w.Sample))
	}
	if item := string(w.Sample[0]); !strings.HasPrefix(item, `{"event_ts"`) || !strings.HasSuffix(item, `"}}`) {
		t.Errorf("kept %s, not a whole item", item)
	}
}

func TestBatchWriteRefuses(t *testing.T) {
	for name, request := range map[string]string{
		"an unknown table":  puts("credit_bench.other", 1),
		"repeated keys":     puts("credit_bench.account_balance", 1, 2, 1),
		"26 requests":       puts("credit_bench.account_balance", numbers(26)...),
		"no request":        puts("credit_bench.account_balance"),
		"a delete":          `{"RequestItems":{"credit_bench.account_balance":[{"DeleteRequest":{"Key":{"entity_id":{"S":"00"}}}}]}}`,
		"a short key":       strings.Replace(puts("credit_bench.account_balance", 1), `"S": "0000`, `"S": "`, 1),
		"a cut-off request": strings.TrimSuffix(puts("credit_bench.account_balance", 1), `]}}`),
		"a cut-off item":    puts("credit_bench.account_balance", 1)[:120],
		"two tables":        strings.TrimSuffix(puts("credit_bench.account_balance", 1), `}}`) + `, "other": []}}`,
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New()
			if err != nil {
				t.Fatal(err)
			}
			if out, err := s.batchWrite([]byte(request)); err == nil {
				t.Errorf("%s is accepted: %s", request, out)
			}
		})
	}
}

func TestPutItem(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	const good = `{"TableName":"credit_bench.credit_history","Item":{"entity_id":{"S":"000000000000000000000000000000ab"},"event_ts":{"S":"2026-10-01 00:00:00+00:00"},"values":{"M":{}}},"ConditionExpression":"x"}`
	for range 2 {
		if body, err := s.put([]byte(good)); err != nil || string(body) != "{}" {
			t.Fatalf("%s, %v", body, err)
		}
	}
	if w := s.written.Load().result(); w.Puts != 2 || w.Items != 1 {
		t.Errorf("%d puts of %d items", w.Puts, w.Items)
	}
	for name, request := range map[string]string{
		"an unknown table": strings.Replace(good, "credit_history", "other", 1),
		"no condition":     strings.Replace(good, `,"ConditionExpression":"x"`, "", 1),
		"no item":          `{"TableName":"credit_bench.credit_history"}`,
		"a short key":      strings.Replace(good, "000000000000000000000000000000ab", "ab", 1),
		"nothing":          "",
	} {
		if _, err := s.put([]byte(request)); err == nil {
			t.Errorf("%s was stored", name)
		}
	}
}
