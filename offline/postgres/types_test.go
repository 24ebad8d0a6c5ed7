package postgres

import (
	"encoding/json"
	"os"
	"strconv"
	"testing"
)

// TestTypesOfPostgreSQL holds every type of PostgreSQL to the value type that
// Feast gives it; those that Feast does not know are INVALID.
func TestTypesOfPostgreSQL(t *testing.T) {
	raw, err := os.ReadFile("../testdata/postgres.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]string
	if err := json.Unmarshal(raw, &want); err != nil || len(want) < 30 {
		t.Fatal(err, len(want))
	}
	for oid := range uint32(10000) {
		// 199 is json[], which Feast calls by that number, too.
		name, ok := want[strconv.Itoa(int(oid))]
		if !ok {
			name = "INVALID"
		}
		if got := valueType(oid).String(); got != name {
			t.Errorf("type %d is %s, Feast says %s", oid, got, name)
		}
	}
}
