"""What a follow keeps on this machine: its dirty keys, its position and its gaps, in one file.

SQLite in its write-ahead mode with full synchronisation: what a call has written is on the disk
when the call returns, and a crash at any byte leaves either all of it or nothing (SQLite
documentation, "Write-Ahead Logging" and "PRAGMA synchronous"). The tables are trees without row
ids, so a key is stored once, and memory does not grow with their number. A key is in one of three:

    ready ──take──> lent ──settle──> forgotten, or ready again if it changed meanwhile
      ^               └──put_back──> waiting ──its time comes──┐
      └────────────────────────────────────────────────────────┘
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from dataware.core.errors import IncompleteError
from dataware.core.follow.feed import Gap, GapCause
from dataware.core.follow.written import WrittenVersion
from dataware.state.journal import state_folder
from dataware.state.private import make_private, open_private

FORMAT = 1
ADDED_TOGETHER = 50_000
"""Keys of one transaction."""

LISTED_TOGETHER = 10_000
"""Rows that are read at a time where all are."""

_SCHEMA = """
CREATE TABLE ready (key BLOB PRIMARY KEY, since REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE lent (key BLOB PRIMARY KEY, since REAL NOT NULL, again REAL) WITHOUT ROWID;
CREATE TABLE waiting (key BLOB PRIMARY KEY, since REAL NOT NULL, due REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX by_due ON waiting (due);
CREATE TABLE written (key BLOB PRIMARY KEY, source TEXT NOT NULL, target TEXT NOT NULL,
    intended TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE memory (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_TABLES = ("ready", "lent", "waiting")


class FollowFile:
    """The file of one follow, which implements the ports DirtyKeys, FollowMemory and
    WrittenKeys.

    `is_new` says that it held nothing of the follow before. The keys are one thread's at a time;
    what was written another one may record beside it. Whoever opens it holds the lock of the
    migration's journal.
    """

    def __init__(self, path: Path, run: str, lost: Collection[Gap] = ()) -> None:
        """Open the file of the follow `run`.

        Where it is of another one, or not there, it begins anew, with the gaps `lost`.
        """
        self._path = path
        self._since: Counter[float] = Counter()
        self._lent: dict[bytes, float] = {}
        self._after = b""
        self._turn = threading.RLock()
        with self._translate_errors():
            make_private(path.parent, state_folder())
            os.close(open_private(path, os.O_RDWR | os.O_CREAT))
            self._base = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            try:
                self.is_new = self._begin(run, lost)
            except BaseException:
                self._base.close()
                raise

    def add(self, keys: Iterable[bytes], since: float) -> int:
        """Add keys that changed at `since` or later; on disk when this returns. How many are new.

        A key that is lent or waits goes on waiting, and is given once more after that.
        """
        waiting, new = iter(keys), 0
        while some := [(key, since) for key in islice(waiting, ADDED_TOGETHER)]:
            with self._transaction() as base:
                if self._lent:
                    again = [(at, key) for key, at in some if key in self._lent]
                    base.executemany("UPDATE lent SET again = ? WHERE key = ?", again)
                new += base.executemany(
                    "INSERT OR IGNORE INTO ready SELECT ?1, ?2 WHERE NOT EXISTS"
                    " (SELECT 1 FROM lent WHERE key = ?1) AND NOT EXISTS"
                    " (SELECT 1 FROM waiting WHERE key = ?1)",
                    some,
                ).rowcount
        self._count(since, new)
        return new

    def take(self, limit: int, now: float) -> tuple[bytes, ...]:
        """Lend up to `limit` keys that are due; that they are lent is on disk when this returns.

        They come in the order of keys, from where the last ones ended, so that each has its turn.
        """
        with self._transaction() as base:
            due = base.execute("SELECT 1 FROM waiting WHERE due <= ? LIMIT 1", (now,)).fetchone()
            if due:
                base.execute(
                    "INSERT INTO ready SELECT key, since FROM waiting WHERE due <= ?", (now,)
                )
                base.execute("DELETE FROM waiting WHERE due <= ?", (now,))
            rows = self._next_ready(limit)
            base.executemany("INSERT INTO lent VALUES (?, ?, NULL)", rows)
            base.executemany("DELETE FROM ready WHERE key = ?", [(key,) for key, _ in rows])
        self._lent.update(rows)
        return tuple(key for key, _ in rows)

    def settle(self, keys: Collection[bytes]) -> None:
        """Forget lent keys that were carried, but for those that changed again meanwhile."""
        changed = set()
        with self._transaction() as base:
            for key in keys:
                row = base.execute("SELECT again FROM lent WHERE key = ?", (key,)).fetchone()
                if row is not None and row[0] is not None:
                    changed.add(key)
                    base.execute("INSERT INTO ready VALUES (?, ?)", (key, self._lent[key]))
                base.execute("DELETE FROM lent WHERE key = ?", (key,))
        for key in keys:
            since = self._lent.pop(key)
            if key not in changed:
                self._count(since, -1)

    def put_back(self, keys: Collection[bytes], not_before: float) -> None:
        """End the loan of keys that were not carried; they are due from `not_before` on."""
        rows = [(key, self._lent[key], not_before) for key in keys]
        with self._transaction() as base:
            base.executemany("INSERT INTO waiting VALUES (?, ?, ?)", rows)
            base.executemany("DELETE FROM lent WHERE key = ?", [(key,) for key in keys])
        for key in keys:
            del self._lent[key]

    def end_loans(self, not_before: float) -> int:
        """End the loans of a run that died; they and what waits are due from `not_before` on."""
        with self._transaction() as base:
            base.execute("INSERT INTO waiting SELECT key, since, ? FROM lent", (not_before,))
            base.execute("UPDATE waiting SET due = max(due, ?)", (not_before,))
            ended = base.execute("DELETE FROM lent").rowcount
        self._lent.clear()
        return ended

    def count(self) -> int:
        """How many keys there are, lent ones included."""
        return self._since.total()

    def oldest(self) -> float | None:
        """The `since` of the key that has been dirty for longest; None if there is none."""
        return min(self._since, default=None)

    def next_due(self) -> float | None:
        """From when on `take` gives a key; None if there is none."""
        with self._translate_errors():
            if self._base.execute("SELECT 1 FROM ready LIMIT 1").fetchone():
                return 0.0
            due: float | None = self._base.execute("SELECT min(due) FROM waiting").fetchone()[0]
        return due

    def position(self) -> Mapping[str, Any] | None:
        """The position of the feed that was saved last."""
        position: Mapping[str, Any] | None = self._read("position")
        return position

    def save_position(self, position: Mapping[str, Any]) -> None:
        """Go on from here next time; on disk when this returns."""
        self._write("position", position)

    def open_gaps(self) -> tuple[Gap, ...]:
        """The gaps that no full difference has closed yet."""
        return tuple(
            Gap(GapCause(cause), since, shard) for cause, since, shard in self._read("gaps") or ()
        )

    def add_gaps(self, gaps: Collection[Gap]) -> None:
        """Remember gaps; on disk when this returns."""
        self._write("gaps", list(dict.fromkeys([*self.open_gaps(), *gaps])))

    def close_gaps(self, gaps: Collection[Gap]) -> None:
        """Forget gaps whose differences are among the dirty keys, on disk."""
        self._write("gaps", [gap for gap in self.open_gaps() if gap not in gaps])

    def find_written(self, keys: Collection[bytes]) -> Mapping[bytes, WrittenVersion]:
        """The versions of those of `keys` that the follow wrote."""
        query = "SELECT source, target, intended FROM written WHERE key = ?"
        with self._translate_errors():
            rows = {key: self._base.execute(query, (key,)).fetchone() for key in keys}
        return {key: WrittenVersion(*row) for key, row in rows.items() if row}

    def list_written(self) -> Iterator[tuple[bytes, WrittenVersion]]:
        """All that is on record of what was written, in the order of keys."""
        after: bytes | None = None
        query = (
            "SELECT key, source, target, intended FROM written"
            " WHERE ?1 IS NULL OR key > ?1 ORDER BY key LIMIT ?2"
        )
        while True:
            with self._translate_errors():
                rows = self._base.execute(query, (after, LISTED_TOGETHER)).fetchall()
            for key, *version in rows:
                yield key, WrittenVersion(*version)
            if len(rows) < LISTED_TOGETHER:
                return
            after = rows[-1][0]

    def save_written(self, versions: Mapping[bytes, WrittenVersion]) -> None:
        """Put versions on record in place of what is there; on disk when this returns."""
        rows = [(key, *version) for key, version in versions.items()]
        if rows:
            with self._transaction() as base:
                base.executemany("INSERT OR REPLACE INTO written VALUES (?, ?, ?, ?)", rows)

    def forget_written(self, keys: Collection[bytes]) -> None:
        """Forget keys that were deleted; on disk when this returns."""
        with self._transaction() as base:
            base.executemany("DELETE FROM written WHERE key = ?", [(key,) for key in keys])

    def close(self) -> None:
        """Release the file; everything is on disk already."""
        self._base.close()

    def _begin(self, run: str, lost: Collection[Gap]) -> bool:
        base = self._base
        base.execute("PRAGMA locking_mode = EXCLUSIVE")
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = FULL")
        with self._transaction():
            if base.execute("PRAGMA user_version").fetchone()[0] == FORMAT:
                if self._read("run") == run:
                    self._recount()
                    return False
                for table in (*_TABLES, "written", "memory"):
                    base.execute(f"DROP TABLE {table}")
            for statement in filter(str.strip, _SCHEMA.split(";")):
                base.execute(statement)
            base.execute(f"PRAGMA user_version = {FORMAT}")
            self._write("run", run)
            self._write("gaps", list(lost))
        return True

    def _recount(self) -> None:
        whole = " UNION ALL ".join(f"SELECT since FROM {table}" for table in _TABLES)  # noqa: S608 - names of this file
        query = f"SELECT since, count(*) FROM ({whole}) GROUP BY since"  # noqa: S608 - the same
        self._since.update(dict(self._base.execute(query)))
        self._lent = dict(self._base.execute("SELECT key, since FROM lent"))

    def _next_ready(self, limit: int) -> list[tuple[bytes, float]]:
        query = "SELECT key, since FROM ready WHERE key > ? ORDER BY key LIMIT ?"
        rows = self._base.execute(query, (self._after, limit)).fetchall()
        if len(rows) < limit:
            ends = "SELECT key, since FROM ready WHERE key <= ? ORDER BY key LIMIT ?"
            rows += self._base.execute(ends, (self._after, limit - len(rows))).fetchall()
        self._after = rows[-1][0] if rows else b""
        return rows

    def _count(self, since: float, number: int) -> None:
        self._since[since] += number
        if not self._since[since]:
            del self._since[since]

    def _read(self, name: str) -> Any:
        with self._translate_errors():
            query = "SELECT value FROM memory WHERE name = ?"
            row = self._base.execute(query, (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def _write(self, name: str, value: Any) -> None:
        with self._translate_errors():
            text = json.dumps(value, separators=(",", ":"))
            self._base.execute("INSERT OR REPLACE INTO memory VALUES (?, ?)", (name, text))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing; on disk at the end."""
        with self._translate_errors():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
            except BaseException:
                self._base.execute("ROLLBACK")
                raise
            self._base.execute("COMMIT")

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            with self._turn:
                yield
        except (OSError, sqlite3.Error) as error:
            text = error.strerror if isinstance(error, OSError) else str(error)
            raise IncompleteError(
                f"cannot keep the changed keys in {self._path} ({text}): free some space, or move "
                "the file away; the same command then compares both sides"
            ) from error
