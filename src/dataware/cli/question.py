"""Asks a person a question that has two answers."""

from __future__ import annotations

import click


def is_yes(question: str) -> bool:
    """Ask until the answer is yes or no; nothing at all means no."""
    while True:
        answer = click.prompt(
            f"{question} [y/N]", "", show_default=False, err=True, prompt_suffix=": "
        )
        if answer.strip().lower() in {"y", "yes"}:
            return True
        if answer.strip().lower() in {"", "n", "no"}:
            return False
        click.echo(f"Answer y or n; {answer.strip()} is neither", err=True)
