package sqlite_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/stores"
	"github.com/banquet-fs/banquet/stores/sqlite"
	"github.com/banquet-fs/banquet/stores/storetest"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// zones are in UTC, with and without summer time, east and west of it, with
// offsets that are not whole hours, and one zone that once skipped a day.
var zones = [...]string{"UTC", "Africa/Abidjan", "Europe/London", "Asia/Seoul", "Asia/Kolkata", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe"}

func moments() []time.Time {
	out := []time.Time{
		time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Unix(-1, 5e8), time.Unix(0, 0), time.Unix(1, 999999999),
		time.Date(2011, 12, 30, 12, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
	for _, day := range []time.Time{
		time.Date(2024, 3, 10, 0, 0, 0, 0, time.UTC), time.Date(2024, 3, 31, 0, 0, 0, 0, time.UTC), time.Date(2024, 4, 7, 0, 0, 0, 0, time.UTC),
		time.Date(2024, 10, 6, 0, 0, 0, 0, time.UTC), time.Date(2024, 10, 27, 0, 0, 0, 0, time.UTC), time.Date(2024, 11, 3, 0, 0, 0, 0, time.UTC),
	} {
		for at := range 192 { // includes the skipped and repeated hours of all zones
			out = append(out, day.Add(time.Duration(at-48)*15*time.Minute))
		}
	}
	return out
}

// A time written in any zone is read in any zone as the same second, in the same
// file, whoever wrote first.
func TestEventTimesDoNotDependOnTheZone(t *testing.T) {
	type reader struct {
		zone  string
		noted bool
		read  func(any) (int64, bool)
	}
	var readers []reader
	for _, name := range zones {
		for _, noted := range []bool{false, true} {
			readers = append(readers, reader{name, noted, sqlite.Reading(zone(t, name), noted)})
		}
	}
	for _, writer := range zones {
		write := sqlite.Writing(zone(t, writer))
		for _, at := range moments() {
			stored := write(at)
			_, plain := stored.(int64)
			if utc := writer == "UTC" || writer == "Africa/Abidjan"; plain != utc {
				t.Fatalf("%s writes %T", writer, stored)
			}
			want := at.Unix()
			if want < 0 && at.Nanosecond() > 0 {
				want++ // cut towards 1970, as Feast does
			}
			for _, r := range readers {
				if plain && !r.noted {
					continue // the writer has left the note
				}
				if got, ok := r.read(stored); !ok || got != want {
					t.Fatalf("%s, written in %s as %q, is %s in %s", at, writer, stored, time.Unix(got, 0).UTC(), r.zone)
				}
			}
		}
	}
}

// The numbers before the marks equal those of Feast 0.66: Python's
// int(datetime.timestamp()) of a time without a zone.
func TestFeastsNumbersInEachZone(t *testing.T) {
	for _, c := range []struct {
		zone, at string
		want     int64
	}{
		{"UTC", "2024-03-10T02:30:00Z", 1710037800},
		{"UTC", "1969-12-31T23:59:59.5Z", 0},
		{"Asia/Seoul", "1969-12-31T23:59:59.5Z", -32400},
		{"America/St_Johns", "1969-12-31T23:59:59.5Z", 12599},
		{"Asia/Seoul", "2024-03-10T02:30:00Z", 1710005400},
		{"Asia/Seoul", "1900-01-01T00:00:00Z", -2209019272},
		{"America/St_Johns", "2024-03-10T01:59:59Z", 1710048599},
		{"America/St_Johns", "2024-03-10T02:30:00Z", 1710050400}, // skipped
		{"America/St_Johns", "2024-03-10T03:30:00Z", 1710050400},
		{"America/St_Johns", "2024-11-03T01:30:00Z", 1730606400}, // occurs twice
		{"America/St_Johns", "2024-11-03T02:30:00Z", 1730613600},
		{"America/St_Johns", "1900-01-01T00:00:00Z", -2208976148},
	} {
		at, err := time.Parse(time.RFC3339Nano, c.at)
		if err != nil {
			t.Fatal(err)
		}
		got := sqlite.Writing(zone(t, c.zone))(at)
		if b, marked := got.([]byte); marked {
			got = strings.TrimRight(string(b), " \t")
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s in %s is stored as %v, by Feast as %d", c.at, c.zone, got, c.want)
		}
	}
}

// Values of others in the column: Feast's numbers mean this machine's clock, as
// always; what is not a time has none.
func TestEventTimesOfOthers(t *testing.T) {
	seoul, newfoundland := zone(t, "Asia/Seoul"), zone(t, "America/St_Johns")
	for _, c := range []struct {
		zone   *time.Location
		noted  bool
		stored any
		want   int64
		ok     bool
	}{
		{seoul, false, int64(1710005400), 1710037800, true},
		{seoul, true, int64(1710037800), 1710037800, true},
		{newfoundland, false, int64(1730606400), 1730597400, true},
		{time.UTC, false, int64(1710037800), 1710037800, true},
		{time.UTC, false, 1710037800.9, 1710037800, true},
		{time.UTC, false, []byte("1710037800"), 1710037800, true},
		{time.UTC, false, []byte("1710037800 "), 1710037800, true},
		{seoul, false, []byte("1710005400"), 1710037800, true},
		{seoul, false, "2024-03-10 02:30:00", 1710037800, true},
		{seoul, false, "soon", 0, false},
		{seoul, false, []byte("soon"), 0, false},
		{seoul, false, []byte(strings.Repeat(" ", 40)), 0, false},
		{seoul, false, []byte{}, 0, false},
		{seoul, false, nil, 0, false},
	} {
		if got, ok := sqlite.Reading(c.zone, c.noted)(c.stored); ok != c.ok || ok && got != c.want {
			t.Errorf("%q in %s, noted %v: %d %v, want %d %v", c.stored, c.zone, c.noted, got, ok, c.want, c.ok)
		}
	}
}

// One file is written and read in turn by processes in many zones; Newer compares
// the times, not their stored forms.
func TestOneFileInManyZones(t *testing.T) {
	path := filepath.Join(t.TempDir(), "online.db")
	opened := map[string]stores.Store{}
	open := func(name string) stores.Store {
		t.Helper()
		if s := opened[name]; s != nil {
			return s
		}
		s, err := sqlite.OpenIn(path, zone(t, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		opened[name] = s
		return s
	}
	table, features := stores.Table{Project: "p", View: "v"}, stores.NewSelection("a")
	if _, err := storetest.Update(t.Context(), open("Asia/Seoul"), stores.Tables{Keep: []stores.TableSpec{{Table: table}}}); err != nil {
		t.Fatal(err)
	}
	read := func(name string, key string) stores.Row {
		t.Helper()
		rows, err := open(name).Read(t.Context(), []stores.Read{
			{Table: table, Features: features, Keys: [][]byte{[]byte(key)}},
			{Table: table, Features: stores.NewSelection("other"), Keys: [][]byte{[]byte(key)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Release()
		row, without := rows.Reads[0][0], rows.Reads[1][0]
		if !row.Found || !without.Found || !row.Event.Equal(without.Event) {
			t.Fatalf("%s in %s: %+v; without a wanted feature %+v", key, name, row, without)
		}
		return stores.Row{Event: row.Event, Values: [][]byte{append([]byte{}, row.Values[0]...)}}
	}
	last := time.Date(2024, 3, 10, 2, 30, 0, 0, time.UTC)
	// Each writer's record is a second newer than the last one's, then a second older.
	for round := range 2 {
		for i, name := range append(zones[3:], zones[:]...) {
			s := open(name)
			newer, older := []byte{4 << 3, byte(2*i + 1)}, []byte{4 << 3, byte(2*i + 2)}
			last = last.Add(time.Second)
			for _, r := range []stores.Record{{Key: []byte("k"), Event: last, Values: [][]byte{newer}}, {Key: []byte("k"), Event: last.Add(-time.Second), Values: [][]byte{older}}} {
				if _, err := s.Write(t.Context(), table, features, []stores.Record{r}, stores.Newer); err != nil {
					t.Fatal(err)
				}
			}
			for _, reader := range zones {
				if got := read(reader, "k"); !got.Event.Equal(last) || string(got.Values[0]) != string(newer) {
					t.Fatalf("round %d: after %s wrote %s, %s reads %s %x, want %x", round, name, last, reader, got.Event, got.Values[0], newer)
				}
			}
		}
	}
}

// A number that another program stored in the file stays.
func TestTheNoteLeavesOthersNumbers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "online.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := sqlite.OpenIn(path, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	table := stores.Table{Project: "p", View: "v"}
	if _, err := storetest.Update(t.Context(), s, stores.Tables{Keep: []stores.TableSpec{{Table: table}}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ before, after int }{{0, 0x62717475}, {7, 7}} {
		if _, err := db.ExecContext(t.Context(), fmt.Sprint("PRAGMA user_version = ", c.before)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(t.Context(), table, stores.NewSelection("a"), []stores.Record{{Key: []byte("k"), Event: time.Unix(1, 0), Values: [][]byte{{}}}}, stores.Replace); err != nil {
			t.Fatal(err)
		}
		var got int
		if err := db.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&got); err != nil || got != c.after {
			t.Errorf("the number %d becomes %d, %v; want %d", c.before, got, err, c.after)
		}
	}
}
