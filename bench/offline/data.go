// Package offline measures training sets and materialize from outside: it starts a
// PostgreSQL, fills it, runs each contender as a process, compares every cell of the
// results with the data, and prints one table.
package offline

import (
	"fmt"
	"time"
)

// keys is how many entities each joined view has. Row i is of entity i modulo keys.
const keys = 10_000

// year is the range of the event times of the joined views, in seconds; step spreads the
// times of consecutive rows over it. The two have no common factor, so no two rows of a
// view have one time.
const (
	year = 31_536_000
	step = 7_919
)

var (
	firstRow     = time.Date(2025, 11, 20, 0, 0, 0, 0, time.UTC)
	firstEntity  = time.Date(2025, 12, 1, 0, 0, 0, 0, time.UTC)
	firstBalance = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
)

// column is one column of a table. A cell is int64, float64, float32, string, bool,
// time.Time or nil.
type column struct {
	name string
	sql  string
	at   func(i int) any
}

// table is a data source, calculated row by row. Its first column is the join key, its
// second and third are event_timestamp and created_timestamp.
type table struct {
	name    string
	view    string
	index   string
	columns []column
}

func (t *table) key() string          { return t.columns[0].name }
func (t *table) features() []column   { return t.columns[3:] }
func (t *table) time(i int) time.Time { return t.columns[1].at(i).(time.Time) }

func integer(name string, at func(i int) int) column {
	return column{name, "bigint", func(i int) any { return int64(at(i)) }}
}

func double(name string, at func(i int) float64) column {
	return column{name, "double precision", func(i int) any { return at(i) }}
}

func text(name string, of ...string) column {
	return column{name, "text", func(i int) any { return of[i%len(of)] }}
}

// times are the columns of event and created time.
func times(at func(i int) time.Time, created time.Duration) []column {
	return []column{
		{"event_timestamp", "timestamptz", func(i int) any { return at(i) }},
		{"created_timestamp", "timestamptz", func(i int) any { return at(i).Add(created) }},
	}
}

func spread(i int) time.Time { return firstRow.Add(time.Duration(i*step%year) * time.Second) }

// zipcode and ssn are the join keys of entity k.
func zipcode(k int) int { return 10_000 + k }
func ssn(k int) string  { return fmt.Sprintf("%08d_%04d", 19_300_101+k, k) }

func zipcodes() *table {
	return &table{
		name: "bench_zipcode_features", view: "zipcode_features", index: "(zipcode, event_timestamp DESC)",
		columns: append(append([]column{integer("zipcode", func(i int) int { return zipcode(i % keys) })}, times(spread, time.Minute)...),
			text("city", "DALLAS", "AUSTIN", "NEWARK", "SAN DIEGO"),
			text("state", "TX", "CA", "NJ"),
			text("location_type", "PRIMARY", "PO BOX"),
			integer("tax_returns_filed", func(i int) int { return i * 31 % 100_000 }),
			integer("population", func(i int) int { return i * 17 % 1_000_000 }),
			integer("total_wages", func(i int) int { return i * 101 % 100_000_000 }),
			double("median_income", func(i int) float64 { return float64(i*13%1_000_000) / 10 }),
			column{"unemployment_rate", "real", func(i int) any { return float32(i*7%10_000) / 10_000 }}),
	}
}

func credits() *table {
	return &table{
		name: "bench_credit_history", view: "credit_history", index: "(dob_ssn, event_timestamp DESC)",
		columns: append(append([]column{{"dob_ssn", "text", func(i int) any { return ssn(i % keys) }}}, times(spread, time.Minute)...),
			integer("credit_card_due", func(i int) int { return i * 3 % 9_000 }),
			integer("mortgage_due", func(i int) int { return i * 97 % 900_000 }),
			integer("student_loan_due", func(i int) int { return i * 11 % 90_000 }),
			integer("vehicle_loan_due", func(i int) int { return i * 19 % 50_000 }),
			integer("hard_pulls", func(i int) int { return i % 10 }),
			integer("missed_payments_2y", func(i int) int { return i % 7 }),
			integer("missed_payments_1y", func(i int) int { return i % 5 }),
			integer("missed_payments_6m", func(i int) int { return i % 3 }),
			integer("bankruptcies", func(i int) int { return i % 2 }),
			column{"credit_utilization", "double precision", func(i int) any {
				if i%50 == 0 {
					return nil
				}
				return float64(i%1_000) / 1_000
			}},
			integer("oldest_account_days", func(i int) int { return i * 23 % 20_000 }),
			text("risk_grade", "A1", "B2", "C3")),
	}
}

// balances has one row per account, 10 ms apart, so that a window of n times 10 ms
// materializes n accounts.
func balances() *table {
	at := func(i int) time.Time { return firstBalance.Add(time.Duration(i) * 10 * time.Millisecond) }
	return &table{
		name: "bench_account_balance", view: "account_balance", index: "(event_timestamp)",
		columns: append(append([]column{integer("account_id", func(i int) int { return 5_000_000 + i })}, times(at, time.Hour)...),
			integer("open_accounts", func(i int) int { return i % 9 }),
			integer("closed_accounts", func(i int) int { return i % 4 }),
			double("balance_total", func(i int) float64 { return float64(i%1_000_003) / 100 }),
			double("balance_avg_30d", func(i int) float64 { return float64(i%999_983) / 100 }),
			double("balance_avg_90d", func(i int) float64 { return float64(i%999_979) / 100 }),
			integer("overdrafts_12m", func(i int) int { return i % 5 }),
			text("segment", "retail", "private", "business"),
			column{"branch", "text", func(i int) any { return fmt.Sprint("branch_", i%500) }},
			text("currency", "EUR", "USD", "GBP"),
			integer("days_since_login", func(i int) int { return i % 365 }),
			column{"churn_score", "real", func(i int) any { return float32(i%10_000) / 10_000 }},
			column{"is_premium", "boolean", func(i int) any { return i%2 == 0 }}),
	}
}

// entity is entity row i: an entity of each view and a time. Times are in the year of the
// rows, so that the first rows of some entities are later.
type entity struct {
	zip, ssn int
	at       time.Time
}

func entityOf(i int) entity {
	h := uint64(i+1) * 0x9e3779b97f4a7c15
	h ^= h >> 29
	h *= 0xbf58476d1ce4e5b9
	h ^= h >> 32
	return entity{int(h % keys), int((h >> 16) % keys), firstEntity.Add(time.Duration((h>>24)%(350*86_400)) * time.Second)}
}

// entities are the entity rows as a table: join keys, time, and the number of the row,
// by which results are compared in any order.
func entities() *table {
	return &table{name: "bench_entities", columns: []column{
		integer("zipcode", func(i int) int { return zipcode(entityOf(i).zip) }),
		{"dob_ssn", "text", func(i int) any { return ssn(entityOf(i).ssn) }},
		{"event_timestamp", "timestamptz", func(i int) any { return entityOf(i).at }},
		integer("entity_row", func(i int) int { return i }),
	}}
}

// newest is the row of an entity that a point-in-time join chooses for a time, of a
// joined view with the given number of rows; -1 if there is none.
func newest(rows, k int, at time.Time) int {
	found, best := -1, time.Time{}
	for i := k; i < rows; i += keys {
		if t := spread(i); !t.After(at) && (found < 0 || t.After(best)) {
			found, best = i, t
		}
	}
	return found
}
