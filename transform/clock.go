package transform

import "time"

// utcName is the name of the value datetime.timezone.utc.
const utcName = "datetime.timezone.utc"

func notCalled(*machine, *args) (val, error) { return val{}, typeError("a timezone is not callable") }

// now is the present time: one of UTC, or the local time of the machine without a zone.
func (m *machine) now(utc bool) val {
	t := time.Now()
	v := val{k: kTime, w: dTime, i: t.UnixMicro()}
	if !utc {
		_, offset := t.Zone()
		v.w, v.i = dNone, v.i+int64(offset)*1_000_000
	}
	return v
}

// pyNow is now() and the like with a zone as its argument.
func pyNow(fn string) function1 {
	return func(m *machine, a *args) (val, error) {
		if err := a.known(fn+"()", 1, "tz"); err != nil {
			return val{}, err
		}
		tz, ok := a.get(0, "tz")
		if ok && tz.k != kNone && !isUTC(tz) {
			return val{}, outside("%s() with a zone other than UTC is not supported", fn)
		}
		return m.now(ok && tz.k != kNone), nil
	}
}

// pyUTCNow is utcnow(), which is aware in pandas and not in Python.
func pyUTCNow(fn string, aware bool) function1 {
	return func(m *machine, a *args) (val, error) {
		v := m.now(true)
		if !aware {
			v.w = dNone
		}
		return v, a.known(fn+"()", 0)
	}
}

// pyToday is date.today().
func pyToday(m *machine, a *args) (val, error) {
	v := m.now(false)
	return dateOf(v), a.known("date.today()", 0)
}

// pyTime is time.time().
func pyTime(_ *machine, a *args) (val, error) {
	return floatVal(float64(time.Now().UnixMicro()) / 1e6), a.known("time.time()", 0)
}
