#!/usr/bin/env python3
"""Compares the responses of banquet with those of the real Feast, on random repositories and requests.

Feast applies and writes each repository, then both serve it: Feast's HTTP and gRPC servers and
banquet get the same requests, and the unmodified SDK reads through both. A difference is an error
unless allowed.py lists it. The same seed makes the same repositories, requests and order.
"""

from __future__ import annotations

import argparse
import http.client
import json
import logging
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator

warnings.simplefilter("ignore")

import allowed
import calls
import repos
import servers

SQLITE = "  type: sqlite\n  path: ../online.db\n"
DYNAMO = "  type: dynamodb\n  region: eu-west-1\n  endpoint_url: {endpoint}\n"


@dataclass
class Seed:
    """A number, from which two repositories are made, and how they are stored and served."""

    number: int
    versioned: bool
    key_version: int
    dynamo: bool
    feast_status: bool


def seed_of(n: int) -> Seed:
    """Four seeds in a row have all settings."""
    return Seed(n, versioned=n % 2 == 0, key_version=2 if n % 4 == 3 else 3, dynamo=n % 4 == 0, feast_status=n % 4 == 3)


SEEDS = range(1, 11)  # twenty repositories
ENV = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-west-1", "FEAST_USAGE": "False", "NO_COLOR": "1"}

# Feast's servers are forked children with Feast already loaded: loading it again takes seconds.
fork = multiprocessing.get_context("fork")


def feast_command(repo: Path, args: list[str]) -> None:
    """Runs Feast's own command line; the body of a child."""
    with open(repo / f"{args[0]}.log", "w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.chdir(repo)
    from feast.cli.cli import cli
    cli(args)


@contextmanager
def feast(repo: Path, *args: str) -> Iterator[None]:
    child = fork.Process(target=feast_command, args=(repo, list(args)))
    child.start()
    try:
        yield
    finally:
        child.terminate()
        child.join(10)
        if child.is_alive():
            child.kill()


@contextmanager
def banquet(program: str, repo: Path) -> Iterator[dict[str, str]]:
    """Runs banquet serve; returns its addresses."""
    with open(repo / "banquet.log", "w") as log:
        p = subprocess.Popen([program, "serve", "--port", "0", "--grpc-port", "0", "--admin-port", "0"], cwd=repo, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield json.loads(p.stdout.readline())
        finally:
            p.terminate()
            assert p.wait(20) == 0, "banquet serve did not stop cleanly"


@dataclass
class Served:
    """A repository, and Feast and banquet at it: addresses of HTTP and gRPC."""

    seed: Seed
    repo: repos.Repo
    http: tuple[str, str]
    grpc: tuple[str, str]


@contextmanager
def serving(program: str, seed: Seed, work: Path, endpoint: str) -> Iterator[list[Served]]:
    made = repos.build(seed.number, work / str(seed.number), DYNAMO.format(endpoint=endpoint) if seed.dynamo else SQLITE, seed.versioned, seed.key_version, seed.feast_status)
    with ExitStack() as stack:
        ports = [(servers.free_port(), servers.free_port()) for _ in made]
        for r, (web, rpc) in zip(made, ports):
            stack.enter_context(feast(r.path, "serve", "-h", "127.0.0.1", "-p", str(web), "--no-access-log"))
            stack.enter_context(feast(r.path, "listen", "-a", f"127.0.0.1:{rpc}"))
        ours = [stack.enter_context(banquet(program, r.path)) for r in made]
        for port in (p for pair in ports for p in pair):
            servers.wait_for(port, None)
        yield [Served(seed, r, (f"127.0.0.1:{web}", at["http"]), (f"127.0.0.1:{rpc}", at["grpc"])) for r, (web, rpc), at in zip(made, ports, ours)]


@dataclass
class Answer:
    """A server's response: a status, and text or named columns."""

    status: str
    text: str = ""
    names: list[str] | None = None
    columns: list[str] | None = None  # each as text that is equal for equal columns
    keys: str = ""  # keys of the response other than its columns

    def __str__(self) -> str:
        return f"{self.status} {self.text}" if self.names is None else f"{self.status} {list(zip(self.names, self.columns))} {self.keys}"

    def beside(self, other: Answer) -> str:
        """The response without the columns that the other one has, too; the names stay in order."""
        if self.names is None or other.names is None:
            return str(self)
        theirs = set(zip(other.names, other.columns))
        return f"{self.status} {self.names} {[c for c in zip(self.names, self.columns) if c not in theirs]} {self.keys}"


class Web:
    """A connection that is reused."""

    def __init__(self, address: str):
        self.conn = http.client.HTTPConnection(address, timeout=120)

    def ask(self, c: calls.Call) -> Answer:
        for last in (False, True):
            try:
                self.conn.request(c.method, c.path, c.body, c.headers)
                r = self.conn.getresponse()
                return web_answer(r.status, r.read().decode())
            except (http.client.HTTPException, ConnectionError):
                self.conn.close()
                if last:
                    raise
        raise AssertionError


def web_answer(status: int, body: str) -> Answer:
    if status != 200 or not body.startswith('{"results"'):
        return Answer(str(status), body)
    a = json.loads(body)
    names, results = a["metadata"].pop("feature_names"), a.pop("results")
    if not repos.REFERENCES:  # Feast 0.66 accepts the option and never tells versions
        a["metadata"].pop("feature_view_metadata", None)
    assert len(names) == len(results), f"{len(names)} names, {len(results)} columns"
    return Answer("200", "", names, [json.dumps({**r, "keys": list(r)}, sort_keys=True) for r in results], json.dumps(a))


def same(c: Case) -> str:
    """Compares two responses; returns the difference. Feast's order of features inside a view is arbitrary."""
    want, got = c.want, c.got
    if want.names is None or got.names is None or str(want) == str(got):
        return "" if str(want) == str(got) else "answers"
    if want.keys != got.keys:
        return "keys"
    if sorted(zip(want.names, want.columns)) != sorted(zip(got.names, got.columns)):
        return "columns"
    names = [n for group in c.groups for n in group]
    first = len(got.names) - len(names)
    if got.names[first:] != names:
        return "order of features"
    if got.names[:first] != want.names[:first]:
        return "order of entities"
    for group in c.groups:
        if sorted(want.names[first:first + len(group)]) != sorted(group):
            return "order of views"
        first += len(group)
    return ""


class Remote:
    """An unmodified SDK whose online store is one of the servers."""

    def __init__(self, s: Served, address: str):
        from feast import FeatureStore, RepoConfig
        from feast.permissions.client.http_auth_requests_wrapper import HttpSessionManager
        self.sessions = HttpSessionManager
        registry = str(s.repo.path.parent / "registry.db")
        self.store = FeatureStore(config=RepoConfig(project=s.repo.project, provider="local", registry=registry, entity_key_serialization_version=s.seed.key_version,
                                                    online_store={"type": "remote", "path": f"http://{address}", "connection_retries": 0}, offline_store={"type": "file"}))

    def ask(self, a: calls.Ask) -> Answer:
        rows = [dict(zip(a.columns, row)) for row in zip(*a.columns.values())]
        try:
            features = self.store.get_feature_service(a.service) if a.service else a.features
            out = self.store.get_online_features(features=features, entity_rows=rows, full_feature_names=a.full).to_dict()
        except Exception as e:  # noqa: BLE001: what the caller sees is what is compared
            self.sessions.close_session()  # Feast's server closes a connection after 500, and the SDK would fail on it
            return Answer(type(e).__name__, str(e))
        return Answer("ok", "", list(out), [shown(v) for v in out.values()])


def shown(v: object) -> str:
    """A value as text; maps have no order."""
    if isinstance(v, dict):
        return "{" + ", ".join(sorted(f"{k!r}: {shown(x)}" for k, x in v.items())) + "}"
    return f"[{', '.join(map(shown, v))}]" if isinstance(v, list) else repr(v)


class Rpc:
    """GetOnlineFeatures over gRPC."""

    def __init__(self, address: str):
        import grpc
        from feast.protos.feast.serving import GrpcServer_pb2_grpc
        self.error, self.channel = grpc.RpcError, grpc.insecure_channel(address)
        self.stub = GrpcServer_pb2_grpc.GrpcFeatureServerStub(self.channel)

    def ask(self, a: calls.Ask, columns: dict[str, list]) -> Answer:
        from feast.protos.feast.serving import ServingService_pb2 as pb
        request = pb.GetOnlineFeaturesRequest(full_feature_names=a.full, entities={k: repos.pb.RepeatedValue(val=v) for k, v in columns.items()})
        if a.service is not None:
            request.feature_service = a.service
        else:
            request.features.val.extend(a.features)
        try:
            out = self.stub.GetOnlineFeatures(request, timeout=120)
        except self.error as e:
            return Answer(e.code().name, e.details())
        names = list(out.metadata.feature_names.val)
        columns_of = {n: str(r) for n, r in zip(names, out.results)}
        order = [n for n in names if n in a.columns]  # a map has no order
        names = sorted(order) + [n for n in names if n not in a.columns]
        return Answer("ok", str(out.status), names, [columns_of[n] for n in names])


@dataclass
class Case:
    """One request and both responses."""

    served: Served
    surface: str
    what: str
    question: str
    ask: calls.Ask | None
    want: Answer
    got: Answer
    groups: list[list[str]]  # the names of features in the order of the response, those of a view together
    feast: Callable[[calls.Ask], Answer] | None  # asks Feast for a part of the request
    cells: dict[str, list]  # the columns that were sent
    difference: str = ""


def case(s: Served, surface: str, what: str, question: str, a: calls.Ask | None, want: Answer, got: Answer, feast: Callable[[calls.Ask], Answer] | None = None,
         cells: dict[str, list] | None = None) -> Case:
    return Case(s, surface, what, question, a, want, got, calls.expected(a, s.repo) if a else [], feast, cells or (a.columns if a else {}))


def over_http(s: Served, rng: random.Random, n: int) -> Iterator[Case]:
    ours, theirs = Web(s.http[1]), Web(s.http[0])
    for c in calls.http_calls(rng, s.repo, n) + (calls.broken_calls() if s.repo.project == "main" else []):
        part = (lambda a: theirs.ask(calls.call(a))) if c.ask and "field" not in c.ask.wrong else None
        yield case(s, "http", c.what, f"{c.method} {c.path} {c.headers} {(c.body or b'').decode(errors='replace')}", c.ask, theirs.ask(c), ours.ask(c), part)


def over_grpc(s: Served, rng: random.Random, n: int) -> Iterator[Case]:
    theirs, ours = map(Rpc, s.grpc)
    for _ in range(n):
        a = calls.ask(rng, s.repo) if rng.random() < 0.6 else calls.wronged(rng, s.repo)
        columns = calls.typed(rng, a)
        try:
            yield case(s, "grpc", ", ".join(a.wrong) or "valid", f"{a} {columns}", a, theirs.ask(a, columns), ours.ask(a, columns), lambda part: theirs.ask(part, part.columns), columns)
        except (TypeError, ValueError, UnicodeError):
            continue  # a message cannot hold it
    theirs.channel.close()  # before the next servers are forked
    ours.channel.close()


def through_sdk(s: Served, rng: random.Random, n: int) -> Iterator[Case]:
    theirs, ours = (Remote(s, address) for address in s.http)
    for _ in range(n):
        a = calls.ask(rng, s.repo) if rng.random() < 0.8 else calls.wronged(rng, s.repo)
        if not any(isinstance(v, calls.Raw) for c in a.columns.values() for v in c):
            yield case(s, "sdk", ", ".join(a.wrong) or "valid", str(a), a, theirs.ask(a), ours.ask(a))


def in_parts(c: Case) -> tuple[str, set[str]]:
    """Compares banquet's columns with those of Feast for each view alone; returns the difference, and the columns that are equal."""
    equal: set[str] = set()
    if c.feast is None or c.ask is None or c.got.names is None or allowed.inexact_keys(c) or allowed.both_keys(c) or allowed.by_entity(c):
        return "", equal
    got = dict(allowed.columns_of(c, c.got))
    for part, names in calls.parts(c.ask, c.served.repo, c.cells):
        want = c.feast(part)
        for n, column in allowed.columns_of(c, want) if want.names is not None else []:
            if names.get(n) not in got:
                continue
            if got[names[n]] != column:
                c.want, c.question = want, f"{c.question}, and {part}"
                return f"{n} with its view alone", equal
            equal.add(names[n])
    return "", equal


def reasoned(c: Case, compared: Counter) -> bool:
    """Whether a difference has a reason. Where Feast fails, and where its functions disturb each other, each view must be as it is alone."""
    known, computed = allowed.reason(c), allowed.reads(*repos.COMPUTED)(c)
    if c.want.names is not None and not computed or c.got.names is None:
        return known is not None
    difference, equal = in_parts(c)
    compared["columns"] += len(equal)
    if known is None and computed and c.want.names is None and equal >= {n for group in c.groups for n in group}:
        return allowed.count(allowed.BESIDE)
    c.difference = difference or c.difference
    return known is not None and not difference


def compare(s: Served, questions: Iterator[Case], show: int, parts: Counter) -> tuple[int, int]:
    """Sends requests and compares; returns how many responses there were and how many differ without a reason."""
    asked = failed = 0
    for c in questions:
        asked += 1
        c.difference = same(c)
        if not c.difference or reasoned(c, parts):
            continue
        failed += 1
        if failed <= show:
            print(f"DIFFERENT {c.difference} over {c.surface}, seed {s.seed.number}, project {s.repo.project}: {c.what}")
            for who, text in (("asked", c.question), ("Feast", c.want.beside(c.got)), ("banquet", c.got.beside(c.want))):
                print(f"  {who:7} {text[:1500]!r}", flush=True)
    return asked, failed


def main() -> int:
    args = argparse.ArgumentParser()
    args.add_argument("--banquet", required=True)
    args.add_argument("--seed", type=int, nargs="+", help="run only these seeds, which may be any numbers")
    args.add_argument("-n", type=int, default=75, help="requests over HTTP per project; half as many over gRPC, a fifth through the SDK")
    args.add_argument("--show", type=int, default=5, help="how many differences to print of each project and surface")
    opt = args.parse_args()
    os.environ.update(ENV)
    logging.disable(logging.CRITICAL)
    from feast.cli import cli  # noqa: F401: loaded once, for all children
    began, asked, parts, failed = time.monotonic(), Counter(), Counter(), 0
    seeds = [seed_of(n) for n in opt.seed or SEEDS]
    with tempfile.TemporaryDirectory(prefix="differential") as work, servers.moto() as endpoint:
        for seed in seeds:
            with serving(opt.banquet, seed, Path(work), endpoint) as served:
                for s in served:
                    for ask, n in ((over_http, opt.n), (over_grpc, opt.n // 2), (through_sdk, opt.n // 5)):
                        rng = random.Random(f"{seed.number}/{s.repo.project}/{ask.__name__}")
                        a, f = compare(s, ask(s, rng, n), opt.show, parts)
                        asked[ask.__name__], failed = asked[ask.__name__] + a, failed + f
    uses = Counter()
    for row in allowed.ROWS:
        uses[row.reason] += row.uses
    for reason, n in uses.items():
        print(f"{n:5} {reason}")
    print(f"{parts['columns']:5} columns compared view by view, where Feast fails on the whole request or its functions disturb each other")
    print(f"differential: {sum(asked.values())} responses compared ({', '.join(f'{v} {k}' for k, v in asked.items())}), {failed} differ, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
