# mode: singleton
# refuses: not supported
# outputs: o:INT64 r:STRING z:INT64 n:STRING k:INT64
def py_datetimes(inputs):
    import datetime as dt
    from datetime import date, datetime, timedelta, timezone
    n = (inputs["a"] or 0) % 28 + 1
    day = datetime.strptime(f"2024-02-{n:02d}", "%Y-%m-%d")
    born = dt.date(1990, 2, 14)
    today = day.date()
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    later = day + timedelta(days=3, hours=n)
    t = inputs["t"]
    out = {"o": age, "r": later.strftime("%d.%m.%Y %H:%M"), "z": (today - born).days + later.isoweekday(), "n": day.isoformat() + str(today), "k": 0}
    if t is not None:
        out["k"] = int((t - datetime(2020, 1, 1, tzinfo=timezone.utc)).total_seconds()) + t.replace(hour=3, tzinfo=None).hour
        out["n"] = t.date().isoformat() + " " + datetime.fromisoformat("2024-01-02T03:04:05").replace(year=2025).isoformat()
        out["z"] = datetime.fromtimestamp(t.timestamp(), tz=timezone.utc).day + datetime.utcfromtimestamp(0).year
    return out
