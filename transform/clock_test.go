package transform

import (
	"testing"
	"testing/synctest"

	"github.com/banquet-fs/banquet/gen/feast/types"
)

// TestThePresentTime holds that functions of the present time have that of the run, not of
// the compilation; a bubble begins at midnight of 2000-01-01 UTC.
func TestThePresentTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, expr := range []string{
			"int(datetime.now(timezone.utc).timestamp())", "int(datetime.now(tz=timezone.utc).timestamp())", "int(time.time())", "int(pd.Timestamp.now(tz='UTC').timestamp())",
			"int(pd.Timestamp.utcnow().timestamp())", "int((datetime.utcnow() - datetime(1970, 1, 1)).total_seconds())", "int(pd.to_datetime('now', utc=True).timestamp())",
		} {
			p, err := singleton("def fn(i):\n    import time\n    from datetime import datetime, timezone\n    return {'o': i['a'] + "+expr+"}\n", []Field{{"a", types.ValueType_INT64}})
			if err != nil {
				t.Errorf("%s: %v", expr, err)
				continue
			}
			if got := runOne(t, p, 0); got != 946684800 {
				t.Errorf("%s is %d", expr, got)
			}
		}
		for _, expr := range []string{"datetime.now().year", "date.today().year", "datetime.today().year", "pd.Timestamp.now().year", "pd.Timestamp.today().year", "pd.to_datetime('today').year"} {
			p, err := singleton("def fn(i):\n    from datetime import date, datetime\n    return {'o': i['a'] + "+expr+"}\n", []Field{{"a", types.ValueType_INT64}})
			if err != nil {
				t.Errorf("%s: %v", expr, err)
				continue
			}
			if got := runOne(t, p, 0); got != 1999 && got != 2000 { // by the zone of the machine
				t.Errorf("%s is %d", expr, got)
			}
		}
	})
}

// TestTimesThatAreRefused holds that a time of which banquet would give other parts than
// Python is refused.
func TestTimesThatAreRefused(t *testing.T) {
	for made, want := range map[string]string{
		"pd.to_datetime('2024-01-02T03:04:05+02:00').hour":         "a time of a zone other than UTC",
		"pd.Timestamp('2024-01-02T03:04:05+02:00').hour":           "a time of a zone other than UTC",
		"datetime.fromisoformat('2024-01-02T03:04:05+02:00').hour": "a time of a zone other than UTC",
		"datetime.fromisoformat('2024-W01-1').day":                 "not supported",
		"datetime.strptime('2024-1-2', '%Y-%m-%d').day":            "numbers need all their digits",
		"datetime.strptime('x', '%Y-%m-%d').day":                   "does not match the format",
		"datetime.strptime('2024-02-30', '%Y-%m-%d').day":          "does not match the format",
		"datetime.strptime('a', '%A').day":                         "the directive \"%A\" of a format",
		"datetime.now(5).day":                                      "a zone other than UTC",
		"datetime.fromtimestamp(5).day":                            "depends on the zone of the machine",
		"datetime(2024, 1, 1).timestamp()":                         "depends on the zone of the machine",
		"datetime(2024, 2, 30).day":                                "the calendar has no such time",
		"timezone.utc()":                                           "a timezone is not callable",
		"date(2024, 1, 2).hour":                                    "attribute 'hour' of a",
		"i['t'] - date(2024, 1, 2)":                                "not supported",
		"i['t'] == date(2024, 1, 2)":                               "not supported",
		"pd.Series([date(2024, 1, 2)] * len(i))":                   "a column of dates is not supported",
		"i['t'].dt.tz_convert('Nowhere/Land').dt.hour":             "the time zone 'Nowhere/Land' is not known",
		"i['t'].dt.tz_convert('../etc').dt.hour":                   "is not known",
		"i['t'].dt.tz_convert('Asia/Seoul')":                       "of a zone other than UTC as the feature",
		"i['t'].dt.tz_convert('Asia/Seoul') - i['t']":              "operator - of a Series of type datetime64 of a zone",
		"i['t'].dt.tz_convert('Asia/Seoul').dt.normalize()":        "not supported",
		"i['t'].dt.tz_convert('Asia/Seoul').dt.strftime('%Z')":     "the name of a zone",
		"i['t'].dt.strftime('%c')":                                 "the directive \"%c\"",
		"pd.to_datetime(i['a'], unit='Y')":                         "with unit='Y' is not supported",
		"pd.to_datetime(i['a'])":                                   "with these arguments is not supported",
	} {
		text := "def fn(i):\n    import datetime as dt\n    from datetime import datetime, date, timezone\n    return pd.DataFrame({'o': " + made + ", 'a': i['a']})\n"
		p, err := Compile(view("pandas", text, corpusInputs, nil, []Field{{"o", types.ValueType_INT64}}), nil)
		if err == nil {
			b := p.Acquire(1)
			for i, in := range p.Inputs() {
				if err := b.SetValue(i, 0, sample(in.Type, 0)); err != nil {
					t.Fatal(err)
				}
			}
			err = p.Run(t.Context(), b)
			p.Release(b)
		}
		wantError(t, err, want)
	}
}
