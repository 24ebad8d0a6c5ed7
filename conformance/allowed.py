"""How banquet's responses differ from Feast's on purpose: one list, each entry with its reason."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Callable

import calls
from repos import COMPUTED

# One word for each kind of status, code and exception class.
WORDS = {
    "200": "OK", "ok": "OK", "500": "FAULT", "UNKNOWN": "FAULT", "INTERNAL": "FAULT", "RetryError": "FAULT", "400": "CALLER", "INVALID_ARGUMENT": "CALLER", "FAILED_PRECONDITION": "CALLER",
    "FeatureNameCollisionError": "CALLER", "FeatureViewNotFoundException": "ABSENT", "FeatureViewVersionNotFound": "ABSENT", "RequestDataNotFoundInEntityRowsException": "ABSENT", "404": "ABSENT", "NOT_FOUND": "ABSENT", "501": "UNBUILT", "UNIMPLEMENTED": "UNBUILT",
}


def said(case: Any, answer: Any) -> str:
    """A response as a word and a message, without the surface's wrapping."""
    status, text = answer.status, answer.text.removeprefix("Exception calling application: ")
    if case.surface == "sdk" and (m := re.fullmatch(r"Failed to get online features: (\d+) (.*)", text, re.DOTALL)):
        status, text = m.groups()
    word = WORDS.get(status, status)
    if word == "FAULT" and answer is case.got and case.served.seed.feast_status:
        word = "CALLER"  # the request asked for Feast's own status
    if word == "OK":
        return "OK"
    for _ in range(2):  # JSON, and an exception as JSON in it
        try:
            inner = json.loads(text)
        except ValueError:
            break
        text = inner.get("message", text) if isinstance(inner, dict) else str(inner)
    if case.surface == "grpc" and (m := re.fullmatch(r"(['\"])(.*)\1", text, re.DOTALL)):
        text = m.group(2)  # Python's quotes around the argument of a KeyError
    return f"{word} {text}"


@dataclass
class Allowed:
    """A difference that is allowed.

    `feast` must match all of Feast's response and `banquet` all of banquet's, in the form that said returns;
    {0}, {1} in `banquet` stand for what the groups of `feast` matched.
    """

    reason: str
    feast: str
    banquet: str
    when: Callable[[Any], bool] = lambda case: True
    uses: int = 0

    def fits(self, case: Any, want: str, got: str) -> bool:
        m = re.fullmatch(self.feast, want, re.DOTALL)
        if not m or not self.when(case):
            return False
        pattern = re.sub(r"\{(\d)\}", lambda g: re.escape(m.group(int(g.group(1)) + 1) or ""), self.banquet)
        return re.fullmatch(pattern, got, re.DOTALL) is not None


def views(case: Any) -> set[str]:
    """The views that a request reads."""
    repo, ask = case.served.repo, case.ask
    if ask.service:
        return {v.name for s in repo.services if s.name == ask.service for _, v, _, _ in s.projections} | {"computed_service": {"framed", "computed"}, "ratio_service": {"framed_ratio"}}.get(ask.service, set())
    return {ref.partition(":")[0].partition("@")[0] for ref in ask.features}


def reads(*names: str) -> Callable[[Any], bool]:
    return lambda case: case.ask is not None and bool(views(case) & set(names))


def mistakes(case: Any) -> int:
    """How many mistakes a request contains."""
    ask, names = case.ask, [n for group in case.groups for n in group]
    if ask is None:
        return 0
    found = len(ask.wrong) + len(views(case) & {"disabled", "no_key", "offline_only", "odd", "view_1", *COMPUTED})
    if not case.served.repo.versioned:  # a service that names a version is refused
        found += "pinned" in views(case) or (ask.service or "").startswith("text_")
    return found + (len(set(names)) < len(names)) + any(ask.kinds.get(n) == "bytes_val" for n in ask.columns)


def words(pattern: str) -> Callable[[Any], bool]:
    """Equal except for the order of a list's words, which come from a set or map."""
    def when(case: Any) -> bool:
        lists = [sorted(re.findall(r"[^\s,\[\]']+", m.group(1))) if (m := re.search(pattern, said(case, a), re.DOTALL)) else [] for a in (case.want, case.got)]
        return lists[0] == lists[1] != []
    return when


def columns_of(case: Any, answer: Any) -> list[tuple[str, str]]:
    """The columns of a response, without the event times if a view of the request has rows with several."""
    patched = any(v.patched for v in case.served.repo.views if v.name in views(case))
    strip = lambda c: re.sub(r'"event_timestamps": \[[^]]*\]|event_timestamps \{[^}]*\}\n', "", c) if patched else c
    return sorted((n, strip(c)) for n, c in zip(answer.names, answer.columns))


def undated(case: Any) -> bool:
    """Equal except for the event times of views whose rows have several."""
    return case.difference == "columns" and columns_of(case, case.want) == columns_of(case, case.got)


def both_keys(case: Any) -> bool:
    """The request has a projection's join key both under the caller's name and under its own or its entity's."""
    entities = {k.name: k.entity.name for k in case.served.repo.keys}
    services = [s for s in case.served.repo.services if s.name == case.ask.service]
    names = set(case.ask.columns)
    return any(m in names and names & {k, entities[k]} for s in services for _, _, _, mapped in s.projections for k, m in mapped.items())


def by_entity(case: Any) -> bool:
    """The request names a join key by its entity, and Feast would guess another type from its values."""
    odd = any(w != "rename" for w in case.ask.wrong)
    return any(k.entity.name in case.ask.columns and k.entity.name != k.name and (odd or k.value not in ("string_val", "int64_val")) for k in case.served.repo.keys)


def inexact_keys(case: Any) -> bool:
    """Integers that are written 1.0, which Feast reads as floats: large ones lose digits, and times become null."""
    numbers = [v for name, c in case.ask.columns.items() if case.ask.kinds.get(name) in ("int64_val", "int32_val", "unix_timestamp_val") for v in c]
    return any(isinstance(v, (float, calls.Raw)) for v in numbers)


def inexact(case: Any) -> bool:
    return case.difference == "columns" and inexact_keys(case)


def nameless(case: Any) -> bool:
    """The responses differ only in outputs of a function of mode python, with full names."""
    if case.ask is None or case.got.names is None or case.want.names is None:
        return False
    rest = [(n, c) for n, c in columns_of(case, case.got) if not n.startswith("computed__")]
    return case.ask.full and rest == columns_of(case, case.want)


def doubled(case: Any) -> bool:
    """Without full names, Feast also returns the inputs that have the name of a requested feature of another view."""
    if case.ask is None or case.ask.full or case.got.names is None or case.want.names is None or not reads(*COMPUTED)(case):
        return False
    asked = {n for group in case.groups for n in group}
    inputs = {"amount", "city", "score", "f1", "f2", "f3", "word"} & asked
    if "word" in inputs:  # the function got the feature in place of request data
        inputs |= set(COMPUTED["spoken_word"][0])
    rest = lambda a: [(n, c) for n, c in columns_of(case, a) if n not in inputs]
    return case.difference == "columns" and bool(inputs) and rest(case.got) == rest(case.want)


def unread(case: Any) -> bool:
    """NaN and the infinities are only in columns that no view of the request reads."""
    names = views(case) | ({"framed"} if views(case) & set(COMPUTED) else set())
    keys = [k for v in case.served.repo.views if v.name in names for k in v.keys]
    needed = {n for k in keys for n in (k.name, k.entity.name)} | {m for s in case.served.repo.services if s.name == case.ask.service for p in s.projections for m in p[3].values()}
    return not any(isinstance(v, calls.Raw) for n in needed for v in case.ask.columns.get(n, []))


def unfit(case: Any) -> bool:
    """The request has a cell that no key can have, and goes to a banquet with Feast's statuses through the SDK, which loses the error of a 500."""
    cells = [v for c in case.ask.columns.values() for v in c]
    return case.surface == "sdk" and case.served.seed.feast_status and any(v is None or isinstance(v, (list, dict)) or isinstance(v, float) and v % 1 != 0 for v in cells)


def untyped(case: Any) -> bool:
    """The columns are equal but for 2.0 in place of 2 in computed features with full names."""
    if case.ask is None or not case.ask.full or case.got.names is None or case.want.names is None:
        return False
    plain = lambda a: [(n, re.sub(r"(\d)\.0\b", r"\1", c).replace("double_val", "int64_val") if n == "spoken_word__length" else c) for n, c in columns_of(case, a)]
    return plain(case.got) == plain(case.want)


BESIDE = "a function can be computed beside values that Arrow cannot hold in one column"
COLUMN = r'CALLER entity column ".*", row \d+: '
ROWS = [
    Allowed("the caller's mistakes are 400 and INVALID_ARGUMENT", r"FAULT (.*)", "CALLER {0}"),
    Allowed("unknown names are NOT_FOUND over gRPC, too", r"FAULT ((?:Feature view|Feature service|Version v).* does not exist in project .*)", "ABSENT {0}"),
    Allowed("the names of a collision come out of a set", r"FAULT (Duplicate features named ).* found\.\n(.*)", r"CALLER {0}.* found\.\n{1}", words(r"named (.*) found\.")),
    Allowed("columns of a gRPC request come out of a map", r"FAULT (Missing join key values .*)Provided join_key_values: (.*)", "CALLER {0}Provided .*", words(r"Provided join_key_values: \[(.*)\]")),
    Allowed("a bad key is named with its column and row", r"FAULT (invalid literal for int\(\) with base 10: .*|Value out of range: .*)", COLUMN + "{0}"),
    Allowed("null, a list and an object cannot be a key", r"FAULT (?:attribute name must be string, not 'NoneType'|must assign iterable|int\(\) argument must be .* not '(?:list|dict|NoneType)'|Couldn't infer value type from empty value)", COLUMN + "the value is (null|a list|an object); a key needs .*"),
    Allowed("null, a list and an object cannot be a key", r"OK", COLUMN + "the value is (null|a list|an object); a key needs .*"),
    Allowed("NaN and the infinities cannot be a key", r"FAULT (?:cannot convert float (?:NaN|infinity) to integer|attribute name must be string, not 'NoneType')", COLUMN + r"(the value is NaN; a key needs .*|-?Infinity is not a value of type .*|Value out of range: .*)"),
    Allowed("integers are exact, also when they are written 1.0", "OK", "OK", inexact),
    Allowed("NaN and the infinities cannot be a key", r"OK", COLUMN + r"(the value is NaN; a key needs .*|-?Infinity is not a value of type .*|Value out of range: 1e400)"),
    Allowed("half of a surrogate pair is not text", r"FAULT ('utf-8' codec can't encode character .*|invalid literal for int\(\) .*)", COLUMN + ".* holds half of a surrogate pair"),
    Allowed("a number with a fraction is not an integer key", r"OK|FAULT (?:Value out of range|invalid literal for int\(\)|'?values'?).*", COLUMN + ".* has a fraction, which a value of type .* cannot have"),
    Allowed("a number with a fraction is not an integer key", r"TypeError Couldn't infer value type from empty value", COLUMN + ".* has a fraction, which a value of type .* cannot have", lambda c: c.surface == "sdk"),
    Allowed("integers are exact, also when they are written 1.0", r"FAULT Value out of range: .*", "OK"),
    Allowed("JSON has no bytes", r"FAULT Type `<class '.*'>` not in {<class 'bytes'>}", COLUMN + "a value of type BYTES cannot be given as an entity value"),
    Allowed("a value of another type is named with its column and row", r"FAULT (?:Type `<class '.*'>` not in {.*}|'float' object cannot be interpreted as an integer)", COLUMN + ".* is not a value of type .*"),
    Allowed("a type that cannot be a key is named with its join key", r"FAULT Value type not supported for feast feature store: .*", r"CALLER row \d+ of the entity columns: join key .*: a value of type .* cannot be a key"),
    Allowed("columns of unequal length are named", r"FAULT (All entity rows must have the same columns\.)", r"CALLER {0} Column .* has \d+ values, column .* has \d+\."),
    Allowed("the error for a request without columns says what is missing", r"FAULT 'pop from an empty set'|FAULT pop from an empty set", "CALLER the request has no entity columns; .*"),
    Allowed("a stale feature service is named", r"FAULT (The projection for .* cannot be applied because it contains .*)", "CALLER {0} Apply feature service .* again\\."),
    Allowed("a view with online=False has no table: NOT_FOUND", r"FAULT (?:no such table: .*_offline_only|.*ResourceNotFoundException.*)", "OK", reads("offline_only")),
    Allowed("NaN and the infinities are texts in JSON", r"FAULT Out of range float values are not JSON compliant", "OK", lambda c: re.search(r'"(NaN|-?Infinity)"', str(c.got.columns)) is not None),
    Allowed("an item without any requested feature is NOT_FOUND", r"FAULT '?values'?", "OK", lambda c: c.served.seed.dynamo),
    Allowed("a view that is being refreshed continues to serve", r"FAULT Feature view '.*' is in state 'MATERIALIZING' and cannot serve features.*", "OK"),
    Allowed("Feast drops an input of a function if another view of the request has a feature of its name", r"FAULT '?(?:amount|city|score)'?", "OK", reads(*COMPUTED)),
    Allowed("request data has the type of its schema", r"OK|FAULT .*", r'CALLER request data ".*", row \d+: .*', reads(*COMPUTED)),
    Allowed("request data has the type of its schema", r"FAULT (?:unsupported operand|can't multiply|Can only use \.str accessor|can only concatenate|must be real number).*", "OK", reads(*COMPUTED)),
    Allowed("the error of a function names view and line", r"FAULT (?:unsupported operand|can't multiply|float division|Value out of range).*", r'CALLER on-demand feature view ".*" cannot be computed: line \d+ of its function: .*', reads(*COMPUTED)),
    Allowed("Feast returns an input that has the name of a requested feature of another view", "OK", "OK", doubled),
    Allowed(BESIDE, r"FAULT (?:Expected bytes|cannot mix|Could not convert|tried to convert|.* object is not iterable|The string '.*' is not a valid decimal128 number|badly formed hexadecimal UUID string|Expected dict key of type str or bytes, got 'int'|Integer value .* is outside of the range exactly representable).*", "OK", reads(*COMPUTED)),
    Allowed("Feast fails on NaN and the infinities in a column that no view of the request uses", r"FAULT cannot convert float (?:NaN|infinity) to integer", "OK", unread),
    Allowed("a function can be computed beside a time that no Python datetime holds", r"FAULT (?:year -?\d+ is out of range|date value out of range|.* out of range.*|\[Errno 75\] Value too large .*)", "OK", reads(*COMPUTED)),
    Allowed("with full names, Feast guesses the types of computed features", "OK", "OK", untyped),
    Allowed("with full names, Feast loses the outputs of functions of mode python", "OK", "OK", nameless),
    Allowed("Feast's gRPC server fails on columns that no view of the request uses, and on most types of keys",
            r"FAULT (?:Value with native type value cannot be converted .*|int\(\) argument must be .* not 'Value'|Type `<class 'feast.types.Value_pb2.Value'>` not in .*|float\(\) argument must be .* not 'Value')", "(OK|CALLER .*)", lambda c: c.surface == "grpc"),
    Allowed("Feast's gRPC server fails on a column of several types", r"FAULT '?<' not supported between instances of .*", "(OK|CALLER .*)", lambda c: c.surface == "grpc"),
    Allowed("a key that is sent in two types is one key", r"FAULT An error occurred \(ValidationException\) when calling the BatchGetItem operation: Provided list of item keys contains duplicates", "OK", lambda c: c.surface == "grpc" and c.served.seed.dynamo),
    Allowed("an empty name is not a feature service", r"FAULT Feature service  does not exist in project .*", "CALLER No features specified for retrieval", lambda c: c.surface == "grpc"),
    Allowed("a feature that an on-demand view lacks is refused", r"OK|FAULT '?values'?", r"CALLER '?Feature .* not found in projection written'?", reads("written")),
    Allowed("a feature service reads its view's own version", r"(OK|TypeError .*|ValueError .*|FAULT Out of range float.*|FAULT .*Max retries exceeded.*)", "(OK|TypeError .*|ValueError .*)", lambda c: c.served.repo.versioned and c.ask.service is not None and reads("view_0")(c)),
    Allowed("SQLite: the time of a row is that of the requested features", r"OK", "OK", undated),
    Allowed("a projection prefers the caller's name of a join key to the key's own", r"OK|FAULT Out of range float values are not JSON compliant|FAULT '?values'?|TypeError .*|ValueError .*", "OK|TypeError .*|ValueError .*", both_keys),
    Allowed("under the name of its entity a join key has its own type, too", r"OK|FAULT Value type not supported for feast feature store: .*", rf"OK|CALLER .* cannot be a key|{COLUMN}a value of type BYTES cannot be given as an entity value", by_entity),
    Allowed("digits of other scripts are not an integer", r"OK|FAULT invalid literal for int\(\) .*", COLUMN + "invalid literal for int\\(\\) with base 10: '\u0663'"),
    Allowed("if there are two mistakes, the errors may name different ones", r"(?:FAULT|ABSENT) .*", "(CALLER|ABSENT) .*", lambda c: mistakes(c) > 1 and "Max retries" not in str(c.want)),
    Allowed("a body must be UTF-8", r"ABSENT .*", 'CALLER {"detail":"There was an error parsing the body"}', lambda c: c.what == "utf-16"),
    Allowed("the SDK guesses types from the first value, and maps have no order", "(?:ValueError|TypeError) .*", "(ValueError|TypeError) .*", lambda c: c.surface == "sdk"),
    Allowed("the SDK retries after 500 and loses the error", r"FAULT .*Max retries exceeded.*", "(CALLER|ABSENT|UNBUILT) .*", lambda c: c.surface == "sdk"),
    Allowed("the SDK retries after 500 and loses the error", "OK", "CALLER .*Max retries exceeded.*", unfit),
    Allowed("the SDK reads what Feast's server fails on", r"FAULT .*Max retries exceeded.*", "OK|TypeError .*|ValueError .*", lambda c: c.surface == "sdk" and (c.served.seed.dynamo or reads("odd", "offline_only", "view_1", *COMPUTED)(c))),
]


def count(why: str) -> bool:
    """Counts a use of a reason."""
    next(row for row in ROWS if row.reason == why).uses += 1
    return True


def reason(case: Any) -> Allowed | None:
    """Finds the entry that allows a difference, and counts it."""
    want, got = said(case, case.want), said(case, case.got)
    for row in ROWS:
        if row.fits(case, want, got):
            row.uses += 1
            return row
    return None
