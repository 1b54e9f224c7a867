"""Asks a person whether to go on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click

from dataware.core.errors import RefusedError


def confirm(question: str) -> None:
    """Raise RefusedError unless the answer is yes."""
    if not is_yes(question):
        raise RefusedError("nothing was changed, because the answer was no")


def is_yes(question: str) -> bool:
    """Ask until the answer is yes or no; nothing at all means no."""
    while True:
        try:
            with _plain_interrupt():
                answer = click.prompt(
                    f"{question} [y/N]", "", show_default=False, err=True, prompt_suffix=": "
                )
        except click.Abort:
            # Ctrl-C, or the end of the input: whoever gives no answer wants nothing changed.
            click.echo(err=True)
            return False
        if answer.strip().lower() in {"y", "yes"}:
            return True
        if answer.strip().lower() in {"", "n", "no"}:
            return False
        click.echo(f"Answer y or n; {answer.strip()} is neither", err=True)


@contextmanager
def _plain_interrupt() -> Iterator[None]:
    """Let Ctrl-C end the question, also where it would only ask a copy to stop."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
