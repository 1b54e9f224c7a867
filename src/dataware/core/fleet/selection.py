"""Which targets of a fleet a command means: by name, tag and region; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dataware.calc.suggest import did_you_mean
from dataware.core.errors import InputError
from dataware.core.fleet.target import FleetTarget


@dataclass(frozen=True, slots=True)
class TargetSelection:
    """The words of a command: each kind of them narrows, and words of one kind are alternatives.

    Names may be patterns (``prod-*``), accounts, or a target without its region. Tags are
    ``KEY=VALUE`` or ``KEY``; those of different keys have to hold together.
    """

    names: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


def select_targets(
    targets: Sequence[FleetTarget], selection: TargetSelection
) -> tuple[FleetTarget, ...]:
    """The targets that are meant, in their order.

    Raises InputError for a word that fits no target of the fleet, and where no target is left.
    """
    _check_words("--target", selection.names, targets, matches_name, _names(targets))
    _check_words("--exclude", selection.excluded, targets, matches_name, _names(targets))
    regions = {one.region for one in targets}
    _check_words("--in-region", selection.regions, targets, _is_in, regions)
    _check_words("--tag", selection.tags, targets, _has_tag, _tags(targets))
    chosen = tuple(one for one in targets if _is_meant(one, selection))
    if not chosen:
        raise InputError(
            "no target of the fleet is left: --target, --tag, --in-region and --exclude have to "
            "hold together; `dataware fleet targets` shows them all"
        )
    return chosen


def matches_name(target: FleetTarget, word: str) -> bool:
    """Whether a word names a target: its name, a pattern of it, its account."""
    whole = target.name.removesuffix(f"/{target.region}")
    return word == target.account or any(fnmatchcase(one, word) for one in (target.name, whole))


def _is_meant(target: FleetTarget, selection: TargetSelection) -> bool:
    keys: dict[str, list[str]] = {}
    for word in selection.tags:
        keys.setdefault(word.partition("=")[0], []).append(word)
    return (
        (not selection.names or any(matches_name(target, one) for one in selection.names))
        and (not selection.regions or target.region in selection.regions)
        and all(any(_has_tag(target, word) for word in words) for words in keys.values())
        and not any(matches_name(target, one) for one in selection.excluded)
    )


def _check_words(
    option: str,
    words: Iterable[str],
    targets: Sequence[FleetTarget],
    fits: Callable[[FleetTarget, str], bool],
    known: Iterable[str],
) -> None:
    """Raise InputError for a word that no target fits: a slip would leave a target out."""
    for word in words:
        if not any(fits(one, word) for one in targets):
            raise InputError(
                f"{option} {word} fits no target of the fleet, {did_you_mean(word, known)}"
            )


def _is_in(target: FleetTarget, region: str) -> bool:
    return target.region == region


def _has_tag(target: FleetTarget, word: str) -> bool:
    key, wants, value = word.partition("=")
    return key in target.tags and (not wants or target.tags[key] == value)


def _names(targets: Sequence[FleetTarget]) -> set[str]:
    return {one.name for one in targets}


def _tags(targets: Sequence[FleetTarget]) -> set[str]:
    return {f"{key}={value}" for one in targets for key, value in one.tags.items()}
