"""A Python with Feast already loaded, for `banquet apply --python=PROGRAM`.

Loading Feast takes seconds. `with warm.python() as program:` gives a program that
accepts the same arguments as python and is executed by a forked copy of this
process, with its own directory, environment and output.
"""

from __future__ import annotations

import json
import os
import runpy
import socket
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

CLIENT = """#!{python} -SE
import array, json, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect({address!r})
request = json.dumps(dict(argv=sys.argv[1:], cwd=os.getcwd(), env=dict(os.environ))).encode()
s.sendmsg([len(request).to_bytes(4, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [1, 2]))])
s.sendall(request)
code = s.recv(1)
os._exit(code[0] if code else 1)
"""


def run(request: dict, out: int, err: int) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = request["argv"]
    code = 0
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else 1
    except BaseException:  # noqa: BLE001 the exit code reports it
        code = 1
    os._exit(code)


def answer(conn: socket.socket) -> None:
    with conn:
        head, fds, _, _ = socket.recv_fds(conn, 4, 2)
        want, body = int.from_bytes(head, "big"), b""
        while len(body) < want:
            body += conn.recv(want - len(body))
        pid = os.fork()
        if pid == 0:
            run(json.loads(body), *fds)
        for fd in fds:
            os.close(fd)
        conn.send(bytes([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 255]))


def serve(listener: socket.socket) -> None:
    """Serves until the listener is closed, in a separate process, which has no threads when it forks."""
    from feast.feature_store import FeatureStore  # noqa: F401 loads everything
    import feast.repo_operations  # noqa: F401
    sys.path[:] = [p for p in sys.path if p != str(Path(__file__).resolve().parent)]
    while True:
        conn, _ = listener.accept()
        answer(conn)


@contextmanager
def python():
    with tempfile.TemporaryDirectory(prefix="warm") as dir:
        address, program = os.path.join(dir, "socket"), Path(dir) / "python"
        program.write_text(CLIENT.format(python=sys.executable, address=address))
        program.chmod(0o755)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        listener.listen(16)
        assert threading.active_count() == 1, "a process with threads cannot be copied"
        pid = os.fork()
        if pid == 0:
            try:
                serve(listener)
            finally:
                os._exit(1)
        listener.close()
        try:
            yield str(program)
        finally:
            os.kill(pid, 15)
            os.waitpid(pid, 0)
