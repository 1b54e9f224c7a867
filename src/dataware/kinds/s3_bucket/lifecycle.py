"""Lifecycle rules of a bucket, from an API answer and from a template, and what they delete; pure.

Sources: Amazon S3 User Guide, "Expiring objects" and "Lifecycle configuration elements"; Amazon S3
API Reference, LifecycleRule; CloudFormation Template Reference, AWS::S3::Bucket Rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dataware.core.comparison import number_of, rules_of
from dataware.core.events import format_count
from dataware.core.values import find_function, is_function, text_of

Rule = dict[str, Any]
DELETING = ("days", "date", "noncurrent")
"""The parts of a rule that delete versions of objects; delete markers and unfinished uploads are
no data."""


def from_api(rules: Any) -> list[dict[str, Any]]:
    """The rules of an API answer, in the words of CloudFormation."""
    return [_from_api(rule) for rule in rules]


def _from_api(rule: Mapping[str, Any]) -> dict[str, Any]:
    where = rule.get("Filter") or {}
    where = {**where, **(where.get("And") or {})}
    tags = [*where.get("Tags", ()), *([where["Tag"]] if where.get("Tag") else ())]
    expires = rule.get("Expiration") or {}
    older = rule.get("NoncurrentVersionExpiration") or {}
    form = {
        "Id": rule.get("ID"),
        "Status": rule.get("Status"),
        "Prefix": where.get("Prefix") or rule.get("Prefix"),
        "TagFilters": [{"Key": tag["Key"], "Value": tag["Value"]} for tag in tags],
        "ObjectSizeGreaterThan": where.get("ObjectSizeGreaterThan"),
        "ObjectSizeLessThan": where.get("ObjectSizeLessThan"),
        "ExpirationInDays": expires.get("Days"),
        "ExpirationDate": _date(expires.get("Date")),
        "ExpiredObjectDeleteMarker": expires.get("ExpiredObjectDeleteMarker"),
        "NoncurrentVersionExpiration": dict(older),
        "AbortIncompleteMultipartUpload": dict(rule.get("AbortIncompleteMultipartUpload") or {}),
        "Transitions": [_transition(one, "Days") for one in rule.get("Transitions", ())],
        "NoncurrentVersionTransitions": [
            _transition(one, "NoncurrentDays")
            for one in rule.get("NoncurrentVersionTransitions", ())
        ],
    }
    return {name: value for name, value in form.items() if value not in (None, {}, [])}


def _transition(one: Mapping[str, Any], days: str) -> dict[str, Any]:
    transition = {
        "StorageClass": one.get("StorageClass"),
        "TransitionInDays": one.get(days),
        "TransitionDate": _date(one.get("Date")),
        "NewerNoncurrentVersions": one.get("NewerNoncurrentVersions"),
    }
    return {name: value for name, value in transition.items() if value is not None}


def _date(value: Any) -> Any:
    """A date as text; the API answers with a time, and S3 takes only midnight UTC."""
    if value is None or is_function(value):
        return value
    return str(getattr(value, "isoformat", lambda: value)())[:10]


def lifecycle_form(value: Any) -> list[Rule]:
    """The rules that are on, in a form in which equal ones mean the same."""
    if value is None:
        return []
    if is_function(value):
        raise TypeError(value)
    rules = [_rule_form(rule) for rule in rules_of(value.get("Rules"))]
    return sorted((rule for rule in rules if rule is not None), key=str)


def _rule_form(rule: Mapping[str, Any]) -> Rule | None:
    if rule.get("Status") == "Disabled":
        return None
    older = rule.get("NoncurrentVersionExpiration") or {}
    days = rule.get("NoncurrentVersionExpirationInDays", older.get("NoncurrentDays"))
    abort = rule.get("AbortIncompleteMultipartUpload") or {}
    single = [rule[name] for name in ("Transition",) if rule.get(name)]
    earlier = [rule[name] for name in ("NoncurrentVersionTransition",) if rule.get(name)]
    return {
        "prefix": rule.get("Prefix") or "",
        "tags": sorted(
            ([tag.get("Key"), tag.get("Value")] for tag in rule.get("TagFilters") or ()), key=str
        ),
        "above": number_of(rule.get("ObjectSizeGreaterThan")) or 0,
        "below": number_of(rule.get("ObjectSizeLessThan")),
        "days": number_of(rule.get("ExpirationInDays")),
        "date": _date(rule.get("ExpirationDate")),
        "noncurrent": None
        if days is None
        else [number_of(days), number_of(older.get("NewerNoncurrentVersions")) or 0],
        "markers": text_of(rule.get("ExpiredObjectDeleteMarker")) == "true",
        "uploads": number_of(abort.get("DaysAfterInitiation")),
        "transitions": _transitions_form([*(rule.get("Transitions") or ()), *single]),
        "older_transitions": _transitions_form(
            [*(rule.get("NoncurrentVersionTransitions") or ()), *earlier]
        ),
    }


def _transitions_form(rows: list[Any]) -> list[Any]:
    transitions = [
        [
            row.get("StorageClass"),
            text_of(row.get("TransitionInDays")),
            _date(row.get("TransitionDate")),
            number_of(row.get("NewerNoncurrentVersions")) or 0,
        ]
        for row in rows
    ]
    return sorted(transitions, key=str)


def find_new_expirations(live: Any, declared: Any) -> list[Rule]:
    """The parts of declared rules that delete what no live rule deletes as soon; one part each.

    Raises TypeError and ValueError for rules that are not literal.
    """
    has, wants = lifecycle_form(live), lifecycle_form(declared)
    return [
        {**rule, **dict.fromkeys(set(DELETING) - {part}), "part": part}
        for rule in wants
        if rule not in has
        for part in DELETING
        if rule[part] is not None and not any(_covers(one, rule, part) for one in has)
    ]


def _covers(live: Rule, declared: Rule, part: str) -> bool:
    """Whether a live rule deletes all that a part of a declared one would, as early."""
    if not _is_within(live, declared) or live[part] is None:
        return False
    if find_function([live[part], declared[part]]) or part == "date":
        return bool(live[part] == declared[part])
    if part == "days":
        return bool(live[part] <= declared[part])
    return all(has <= wants for has, wants in zip(live[part], declared[part], strict=True))


def _is_within(live: Rule, declared: Rule) -> bool:
    """Whether a live rule is about all objects that a declared one is about."""
    if find_function([declared[name] for name in ("prefix", "tags", "above", "below")]):
        return all(live[name] == declared[name] for name in ("prefix", "tags", "above", "below"))
    smaller = live["below"] is None or (
        declared["below"] is not None and declared["below"] <= live["below"]
    )
    return (
        str(declared["prefix"]).startswith(live["prefix"])
        and all(tag in declared["tags"] for tag in live["tags"])
        and live["above"] <= declared["above"]
        and smaller
    )


def describe_deletion(name: str, live: Any, declared: Any) -> str | None:
    """What a declared lifecycle would delete that the live one does not, in a clause."""
    if name != "LifecycleConfiguration" or declared is None or live == declared:
        return None
    try:
        expirations = find_new_expirations(live, declared)
    except (AttributeError, TypeError, ValueError):
        return "its declared lifecycle cannot be read, and may expire objects"
    return "; ".join(dict.fromkeys(_describe(rule) for rule in expirations)) or None


def _describe(rule: Rule) -> str:
    """What one part of a rule deletes."""
    which = "".join(_scope(rule))
    if rule["part"] == "days":
        return f"objects{which} expire after {_days(rule['days'])}"
    if rule["part"] == "date":
        return f"objects{which} expire on {find_function(rule['date']) or rule['date']}"
    days, newer = rule["noncurrent"]
    beyond = f", all but the newest {newer}" if newer else ""
    return f"older versions of objects{which} are deleted after {_days(days)}{beyond}"


def _days(value: Any) -> str:
    function = find_function(value)
    return (
        f"a time that only CloudFormation resolves ({function})"
        if function
        else (format_count(value, "day"))
    )


def _scope(rule: Rule) -> Iterator[str]:
    if prefix := rule["prefix"]:
        yield f" under {find_function(prefix) or prefix}"
    if tags := rule["tags"]:
        yield f" with the tag {', '.join(f'{key}={value}' for key, value in tags)}"
    if rule["above"]:
        yield f" above {rule['above']} bytes"
    if rule["below"] is not None:
        yield f" below {rule['below']} bytes"
