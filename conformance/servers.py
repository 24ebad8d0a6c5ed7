"""The servers that the comparison runs against, each in a child process."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from typing import Iterator

import psycopg


def free_port(wanted: int = 0) -> int:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", wanted))
        except OSError:
            s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port: int, process: subprocess.Popen | None, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with {process.returncode}")
        with socket.socket() as s:
            s.settimeout(1)
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args[0]} does not listen on {port}")


@contextmanager
def child(args: list[str], port: int, **kw) -> Iterator[int]:
    process = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kw)
    try:
        wait_for(port, process)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def postgres() -> Iterator[int]:
    """A PostgreSQL without TLS, with the guide's user and database, on 5432 if that is free."""
    bins = sorted(glob.glob("/usr/lib/postgresql/*/bin")) or [os.path.dirname(shutil.which("initdb") or "")]
    user = pwd.getpwnam("postgres") if os.getuid() == 0 else None
    run = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    work = tempfile.mkdtemp(prefix="conformance-pg")
    try:
        with open(os.path.join(work, "pw"), "w") as f:
            f.write("password")
        if user:
            for path in (work, os.path.join(work, "pw")):
                os.chown(path, user.pw_uid, user.pw_gid)
        data = os.path.join(work, "data")
        subprocess.run([bins[-1] + "/initdb", "-D", data, "-U", "feast", "--auth=scram-sha-256", "--pwfile", os.path.join(work, "pw"), "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL, cwd=work, **run)
        port = free_port(5432)
        with child([bins[-1] + "/postgres", "-D", data, "-k", work, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "logging_collector=off"],
                   port, cwd=work, **run):
            accepts(port)
            yield port
    finally:
        shutil.rmtree(work, ignore_errors=True)


def accepts(port: int, seconds: float = 60) -> None:
    """Waits until PostgreSQL accepts connections: it listens before that, and refuses."""
    end = time.monotonic() + seconds
    while True:
        try:
            psycopg.connect(f"host=localhost port={port} user=feast password=password dbname=postgres").close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


@contextmanager
def moto() -> Iterator[str]:
    port = free_port()
    with child([os.environ["MOTO_SERVER"], "-H", "127.0.0.1", "-p", str(port)], port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def dynalite() -> Iterator[str]:
    port = free_port()
    with child([os.environ["DYNALITE"], "--port", str(port), "--createTableMs", "50", "--deleteTableMs", "50"], port):
        yield f"http://127.0.0.1:{port}"
