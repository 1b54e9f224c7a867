"""Sizes and spans of time in words; pure."""

from __future__ import annotations


def volume(size: int) -> str:
    """A number of bytes in decimal units, with three digits at most."""
    amount, units = float(size), ["B", "kB", "MB", "GB", "TB", "PB"]
    while round(amount, 1) >= 1000 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    whole = units[0] == "B" or amount >= 99.95
    return f"{amount:,.0f} {units[0]}" if whole else f"{amount:.1f} {units[0]}"


def duration(seconds: int) -> str:
    """A span of time in its two largest units."""
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"
