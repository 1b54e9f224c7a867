"""A process in which the command line is imported already, and which forks for each command.

Most of what a command of the tests costs is the start of Python and the imports. What is forked is
a process like any other: it has an environment, a folder and outputs of its own, and is killed,
signalled and waited for. `command_process` asks for it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
from functools import cache
from typing import Any

import botocore.session

LIMIT = 1 << 20
"""Bytes of a request: arguments and an environment."""

LEFT_OUT = {"cdk", "handler", "embedded"}
"""Packages that no command imports, or that start threads or processes when they are imported."""

SERVICES = ("cloudformation", "dynamodb", "s3", "ssm", "sts")


def import_all() -> None:
    """Import what commands use, and read the descriptions of the services."""
    import_below("dataware")
    botocore.session.create_loader = cache(botocore.session.create_loader)
    session = botocore.session.Session()
    for service in SERVICES:
        session.create_client(
            service, "us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
    gc.collect()
    gc.freeze()


def import_below(package: str) -> None:
    """Import a package with everything in it."""
    for found in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if found.name in LEFT_OUT or found.name == "__main__":
            continue
        name = f"{package}.{found.name}"
        import_below(name) if found.ispkg else importlib.import_module(name)


def serve(asked: socket.socket) -> dict[str, Any] | None:
    """Fork for every request until nobody asks any more; what is to be run, in a forked process."""
    # Nobody waits for the processes that watch over the commands.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, files, *_ = socket.recv_fds(asked, LIMIT, 3)
        if not message:
            return None
        if os.fork() == 0:
            asked.close()
            return become(json.loads(message), *files)
        for file in files:
            os.close(file)


def become(request: dict[str, Any], told: int, out: int, err: int) -> dict[str, Any]:
    """Fork again: the one tells of the other, which becomes a process for the command."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid:
        os.close(out)
        os.close(err)
        os.write(told, f"{pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    os.close(told)
    for number, file in enumerate((out, err), start=1):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(request["environ"])
    os.chdir(request["folder"])
    return request


if __name__ == "__main__":
    import_all()
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        wanted = serve(requests)
    if wanted is not None:
        sys.path[0] = wanted["folder"]
        sys.argv[:] = ["dataware", *wanted["arguments"]]
        runpy.run_module("dataware.cli", run_name="__main__", alter_sys=True)
