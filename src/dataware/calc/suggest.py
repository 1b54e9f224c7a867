"""What somebody may have meant: the nearest known word, in one phrase everywhere; pure."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

CUTOFF = 0.6
"""How alike two words have to be, from 0 to 1; below it a guess misleads more than it helps."""

SLIP = 0.9
"""How alike two words have to be where another known word would be another thing altogether."""


def nearest(word: str, words: Iterable[str], cutoff: float = CUTOFF) -> str | None:
    """The known word that is most like `word`, whatever the case of its letters."""
    by_lower = {choice.lower(): choice for choice in sorted(words)}
    near = get_close_matches(word.lower(), by_lower, n=3, cutoff=cutoff)
    # Letters that changed places are the commonest slip, which a count of equal runs does not see.
    letters = sorted(word.lower())
    swapped = [choice for choice in near if sorted(choice) == letters]
    return by_lower[(swapped or near)[0]] if near else None


def suggestion_for(word: str, words: Iterable[str]) -> str:
    """``, did you mean WORD?`` to end a sentence with; empty if nothing is near."""
    near = nearest(word, words)
    return f", did you mean {near}?" if near else ""


def did_you_mean(word: str, words: Iterable[str], cutoff: float = CUTOFF) -> str:
    """The nearest known word as a question, or what there is to choose from."""
    choices = sorted(words)
    near = nearest(word, choices, cutoff)
    if near:
        return f"did you mean {near}?"
    return f"choose from {', '.join(choices)}" if choices else "there is nothing to choose from"
