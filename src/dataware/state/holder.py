"""Who holds a lock, and whether that process has surely ended.

A killed run cannot say goodbye. On the machine where it ran its death can be seen, so that the
next run need not wait until its heartbeat is old. Any doubt counts as alive.
"""

from __future__ import annotations

import os
import socket
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Holder:
    """A process: `place` tells machines, boots and containers apart, `born` one use of a pid.

    The pid 0 stands for what is no process, such as an execution.
    """

    host: str
    place: str
    pid: int
    born: str

    def __str__(self) -> str:
        """The holder as people know it."""
        return f"{self.host}, process {self.pid}" if self.pid else self.host

    @property
    def token(self) -> str:
        """The holder as it travels in a marker."""
        return f"{self.place}|{self.pid}|{self.born}"


def this_process() -> Holder:
    """The holder that this process is."""
    pid = os.getpid()
    return Holder(socket.gethostname(), _place(), pid, _born(pid))


def execution(name: str) -> Holder:
    """The holder that an execution of a state machine is, whichever process works for it.

    It lives on no machine, so that only its silence shows its end.
    """
    return Holder(f"execution {name}", f"execution/{name}", 0, "")


def has_ended(token: str) -> bool:
    """Whether the process of a token lived right here and is gone."""
    place, _, rest = token.partition("|")
    pid, _, born = rest.partition("|")
    if place != _place() or not pid.isdigit():
        return False
    if not _runs(int(pid)):
        return True
    start = _process_start(int(pid))
    # Where /proc hides the processes of others, one that runs is not seen there.
    return start is not None and start != born


def shares_clock(token: str) -> bool:
    """Whether the process of a token counts time by the clock of this very boot."""
    return token.partition("|")[0] == _place() and sys.platform == "linux"


def _place() -> str:
    """This boot of this machine, and the namespace in which process ids count."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = str((_PROC / "self/ns/pid").readlink())
    except OSError:
        return f"{socket.gethostname()}/{uuid.getnode():x}"
    return f"{boot}/{namespace}"


def _runs(pid: int) -> bool:
    if os.name == "nt":
        return True  # a signal 0 would end the process there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _born(pid: int) -> str:
    """When a process began, in ticks since the boot; empty where that cannot be seen."""
    return _process_start(pid) or ""


def _process_start(pid: int) -> str | None:
    """When a process began, empty if it has ended and its parent does not know yet.

    None where that cannot be seen (proc(5), the mount option hidepid). The fields of the file are
    counted from behind the name, which may hold spaces.
    """
    try:
        state, *fields = (_PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
        began = fields[18]
    except (OSError, ValueError, IndexError):
        return None
    return "" if state == "Z" else began
