package value_test

import (
	"strings"
	"testing"
	"time"

	"github.com/banquet-fs/banquet/value"
)

func TestParseTimeReads(t *testing.T) {
	for text, want := range map[string]string{
		"2024-01-31":                          "2024-01-31T00:00:00Z",
		"2024-02-29":                          "2024-02-29T00:00:00Z",
		"0001-01-01":                          "0001-01-01T00:00:00Z",
		"9999-12-31 23:59:59.999999999":       "9999-12-31T23:59:59.999999999Z",
		"2024-01-31T05":                       "2024-01-31T05:00:00Z",
		"2024-01-31 05:06":                    "2024-01-31T05:06:00Z",
		"2024-01-31T05:06":                    "2024-01-31T05:06:00Z",
		"2024-01-31 5:06":                     "2024-01-31T05:06:00Z",
		"2024-01-31 05:06:07":                 "2024-01-31T05:06:07Z",
		"2024-01-31T05:06:07.5":               "2024-01-31T05:06:07.5Z",
		"2024-01-31T05:06:07,25":              "2024-01-31T05:06:07.25Z",
		"2024-01-31T05:06:07.123456789":       "2024-01-31T05:06:07.123456789Z",
		"2024-01-31T05:06:07.123456789000":    "2024-01-31T05:06:07.123456789Z",
		"2024-01-31T05:06:07.1234567Z":        "2024-01-31T05:06:07.1234567Z",
		"2024-01-31 05:06:07Z":                "2024-01-31T05:06:07Z",
		"2024-01-31t05:06:07z":                "2024-01-31T05:06:07Z",
		"2024-01-31 05:06:07 UTC":             "2024-01-31T05:06:07Z",
		"2024-01-31 05:06:07UTC":              "2024-01-31T05:06:07Z",
		"2024-01-31 05:06 GMT":                "2024-01-31T05:06:00Z",
		"2024-01-31 05:06 gmt":                "2024-01-31T05:06:00Z",
		"2024-01-31 05:06:07+00":              "2024-01-31T05:06:07Z", // psql in UTC
		"2024-01-31 05:06:07.89+09":           "2024-01-30T20:06:07.89Z",
		"2024-01-31 05:06:07-03:30":           "2024-01-31T08:36:07Z", // psql in St. John's
		"2024-01-31 05:06:07+0530":            "2024-01-30T23:36:07Z",
		"2024-01-31T05:06:07 +05:30":          "2024-01-30T23:36:07Z",
		"2024-01-31 05:06:07.000001+00:00":    "2024-01-31T05:06:07.000001Z", // Feast in DynamoDB
		"2024-01-31 05:06:07-00:00":           "2024-01-31T05:06:07Z",
		"1900-01-01 08:27:52+08:27:52":        "1900-01-01T00:00:00Z", // psql before there were zones
		"1900-01-01 08:27:52+082752":          "1900-01-01T00:00:00Z",
		"2024-01-31T05+09":                    "2024-01-30T20:00:00Z",
		"2024-01-31 05:06-05":                 "2024-01-31T10:06:00Z",
		"  2024-01-31 05:06:07\t\n":           "2024-01-31T05:06:07Z",
		"2024-01-31T05:06:07.999999999+23:59": "2024-01-30T05:07:07.999999999Z",
	} {
		got, err := value.ParseTime(text)
		if err != nil || got.Format(time.RFC3339Nano) != want || got.Location() != time.UTC {
			t.Errorf("%q is %s, %v; want %s", text, got.Format(time.RFC3339Nano), err, want)
		}
	}
}

func TestParseTimeRefuses(t *testing.T) {
	const (
		names  = "zone names mean different offsets"
		begin  = "does not begin with a date"
		day    = "the calendar has no such day"
		after  = "the date must be followed by a blank or a T"
		number = "a number may count seconds or milliseconds"
		order  = "which number is the day and which the month"
		years  = "only the years 0001 to 9999"
		offset = "the offset must be written as +09:00"
		form   = "the ISO 8601 form with - and :"
	)
	for text, why := range map[string]string{
		"":                                "it is empty",
		"  ":                              "it is empty",
		"2024-01-01 20:00 EST":            names,
		"2024-01-01 20:00:00 Asia/Seoul":  names,
		"2024-01-01T20:00:00[Asia/Seoul]": names,
		"2024-01-01 20:00:00 UTC+9":       names,
		"2024-01-01 20:00:00 PM":          names,
		"2024-01-01 20:00:00Zulu":         names,
		"2024-01-01 00:00:00 +0000 UTC":   offset,
		"2024-01-01 00:00:00+00:00 UTC":   offset,
		"2024-01-01 00:00:00+5":           offset,
		"2024-01-01 00:00:00+5:30":        offset,
		"2024-01-01 00:00:00+24:00":       offset,
		"2024-01-01 00:00:00+05:60":       offset,
		"2024-01-01 00:00:00+05:3":        offset,
		"2024-01-01 00:00:00+05:30:00:00": offset,
		"2024-01-01 00:00:00 + 05:30":     offset,
		"2024-01-01 00:00:00\u221205:30":  "more than an offset",
		"2024-01-01 00:00:00 00:00":       "more than an offset",
		"31/01/2024":                      order,
		"01/02/2024 10:00":                order,
		"1-2-2024":                        order,
		"31.01.2024":                      order,
		"2024/01/31":                      "year, month and day must be separated by -",
		"1700000000":                      number,
		"1700000000000":                   number,
		"-1":                              number,
		"1.7e9":                           number,
		"20240131":                        number,
		"20240131T000000":                 form,
		"2024-W01-1":                      form,
		"2024-1-2":                        begin,
		"2024-01":                         begin,
		"24-01-31":                        order,
		"yesterday":                       begin,
		"NA":                              begin,
		"infinity":                        begin,
		"-infinity":                       begin,
		"2024-00-10":                      day,
		"2024-13-10":                      day,
		"2024-01-00":                      day,
		"2023-02-29":                      day,
		"1900-02-29":                      day,
		"0000-01-01":                      day,
		"10000-01-01":                     years,
		"+12024-01-01":                    years,
		"0044-03-15 BC":                   years,
		"0044-03-15 00:00:00+00 BC":       years,
		"0001-01-01T00:00:00+01:00":       years,
		"9999-12-31T23:00:00-01:00":       years,
		"2024-01-01Z":                     after,
		"2024-01-01+00:00":                after,
		"2024-01-01 UTC":                  after,
		"2024-01-011":                     after,
		"2024-01-01  00:00:00":            after,
		"2024-01-01T":                     after,
		"2024-01-01 05":                   after,
		"2024-01-01 05+09":                after,
		"2024-01-01T5":                    after,
		"2024-01-01T5+09":                 after,
		"2024-01-01T05:6":                 after,
		"2024-01-01T05:06:7":              after,
		"2024-01-01T05:06:":               after,
		"2024-01-01T050607":               "more than an offset",
		"2024-01-01T05:06.5":              "more than an offset",
		"2024-01-01T05:06:07.":            "digits of the fraction are missing",
		"2024-01-01T05:06:07.Z":           "digits of the fraction are missing",
		"2024-01-01T05:06:07.1234567891":  "is not rounded",
		"2024-01-01 24:00":                "no hour 24",
		"2024-01-01 24:00:00":             "no hour 24",
		"2024-01-01 23:59:60":             "no second 60",
		"2024-01-01 25:00:00":             "no such hour",
		"2024-01-01 05:60:00":             "no such hour",
		"2024-01-01 05:06:61":             "no such hour",
	} {
		got, err := value.ParseTime(text)
		if err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), "use a form such as 2024-01-31T00:00:00") {
			t.Errorf("%q is %s, %v; want a refusal that says %q", text, got, err, why)
		}
	}
	if _, err := value.ParseTime(strings.Repeat("x", 1<<20)); err == nil || len(err.Error()) > 200 {
		t.Errorf("a long text gives %d letters of error", len(err.Error()))
	}
}

// FuzzParseTime checks that what is read says the same instant when it is
// written in the usual form, and that what Go reads of RFC 3339 is read alike.
func FuzzParseTime(f *testing.F) {
	for _, s := range []string{
		"2024-01-31", "2024-01-31 05:06:07+00", "2024-01-31T05:06:07.5Z", "2024-01-31 05:06:07-03:30", "1900-01-01 08:27:52+08:27:52",
		"2024-01-01 20:00 EST", "31/01/2024", "1700000000", "0044-03-15 BC", "2024-01-01 23:59:60", "9999-12-31T23:59:59-23:59", "-", "+",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := value.ParseTime(s)
		if other, wrong := time.Parse(time.RFC3339Nano, s); wrong == nil && err == nil && !other.Equal(at) {
			t.Errorf("%q is %s, by RFC 3339 %s", s, at, other)
		}
		if err != nil {
			return
		}
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999 UTC", "2006-01-02 15:04:05.999999999-07"} {
			again, err := value.ParseTime(at.Format(layout))
			if err != nil || !again.Equal(at) {
				t.Errorf("%q is %s, which written as %q is %s, %v", s, at, layout, again, err)
			}
		}
	})
}
