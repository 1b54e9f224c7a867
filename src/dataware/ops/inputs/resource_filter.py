"""Some of the resources of an app, chosen by their names."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace

from dataware.calc.suggest import did_you_mean
from dataware.core.errors import InputError
from dataware.core.events import format_count
from dataware.core.model import Wanted
from dataware.ops.inputs.wanted import App

SHOWN = 5


def choose_resources(app: App, names: Sequence[str]) -> tuple[App, str]:
    """The app with the named resources alone, and a sentence on what is left out.

    A name is a preferred name, a logical id or an id; without names it is the whole app and no
    sentence. Raises InputError for a name that no resource has, as far as all names are known.
    """
    if not names:
        return app, ""
    known = {name for one in app.wanted for name in names_of(one)}
    if app.unnamed and not known.issuperset(names):
        raise InputError(app.unnamed[0].reason)
    check_known(names, known)
    chosen = [one for one in app.wanted if not names_of(one).isdisjoint(names)]
    others = [one.preferred for one in app.wanted if one not in chosen]
    others += [f"{one.id} (its name is unknown)" for one in app.unnamed]
    return replace(app, wanted=chosen), _describe_left(others)


def check_known(names: Sequence[str], choices: Set[str]) -> None:
    """Raise InputError, with what may have been meant, for a name that is not known."""
    for name in names:
        if name not in choices:
            raise InputError(
                f"--only {name}: no resource has this name, {did_you_mean(name, choices)}"
            )


def names_of(wanted: Wanted) -> set[str]:
    """Every name by which a resource is chosen."""
    return {name for name in (wanted.preferred, wanted.logical_id, wanted.id) if name}


def _describe_left(left: Sequence[str]) -> str:
    if not left:
        return ""
    more = f" and {len(left) - SHOWN:,} more" if len(left) > SHOWN else ""
    return (
        f"--only leaves out {format_count(len(left), 'resource')}: {', '.join(left[:SHOWN])}{more}"
    )
