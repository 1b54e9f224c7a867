"""The words of dataware for people and for its code: what each means, and what to say instead.

`dataware explain WORD` shows a word, and `docs/glossary.md` is printed from here. A word that
`avoid` lists means something else, or is too vague; the laws in `tests/test_house.py` read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A word, the classes that stand for it, its meaning, and words that are not used for it.

    `classes` and `avoid` are lists with commas.
    """

    word: str
    classes: str
    meaning: str
    avoid: str


DECIDING = (
    Term("preferred name", "Wanted", "the name that the app wants a resource to have", "new name"),
    Term(
        "fallback",
        "Wanted",
        "an older name under which the data may still be, tried in the order given",
        "old name, source",
    ),
    Term("keep", "Action", "leave a resource as it is: this stack owns it already", "own"),
    Term(
        "import",
        "Action",
        "use what exists instead of creating it; the import mode says how: adopt or reference",
        "take over, take in",
    ),
    Term(
        "adopt",
        "ImportMode",
        "import a resource into the stack, which then owns it (CloudFormation resource import)",
        "take over, take in",
    ),
    Term(
        "reference",
        "ImportMode",
        "use a resource by its name without owning it; nothing is written to it",
        "point at",
    ),
    Term(
        "unmanaged",
        "Ownership",
        "in no CloudFormation stack, so that a stack can adopt it",
        "nobody's, ownerless",
    ),
    Term(
        "stop",
        "Action",
        "a rule that ends the run before anything is changed, because data could be lost",
        "doubt, refusal",
    ),
    Term(
        "lock file",
        "LockFile",
        "`dataware.lock.json`: decisions that are committed with the app, so that a synth "
        "asks AWS nothing",
        "lock",
    ),
    Term(
        "guard",
        "DestructiveChange",
        "the check of a deployment for resources with data that it would delete, replace or "
        "rename (rule 19)",
        "guarded",
    ),
    Term(
        "kind",
        "Kind",
        "a resource type that dataware knows, with all that is particular to it",
        "type, card",
    ),
    Term(
        "facts",
        "Facts",
        "what a look at one name has seen; what was not seen is unknown, never empty",
        "state, status",
    ),
    Term(
        "resource request",
        "ResourceRequest",
        "what a construct of the app asks for: names, properties, settings",
        "asked",
    ),
    Term(
        "resource address",
        "ResourceAddress",
        "a resource named on the command line, with an account, a region and a prefix if given",
        "address, place",
    ),
    Term(
        "decision",
        "Decision",
        "the action for a resource, the rule it follows from, and the reason",
        "verdict, outcome",
    ),
    Term(
        "decision row",
        "DecisionRow",
        "a row of the decision table: conditions and an answer",
        "row, rule",
    ),
    Term(
        "schema fit",
        "SchemaFit",
        "whether the key schema of the source fits the one that is declared",
        "shape",
    ),
    Term("plan", "Plan", "all decisions for one account and region", "upload plan"),
    Term(
        "plan outcome",
        "PlanOutcome",
        "which resources hold data, and what is not as it should be after a plan was carried out",
        "outcome",
    ),
    Term(
        "lock entry",
        "LockEntry",
        "a decision in `dataware.lock.json`, for one environment",
        "entry",
    ),
    Term(
        "environment", "Environment", "the account and region that a stack goes to", "place, home"
    ),
    Term(
        "stack environment",
        "StackEnvironment",
        "the same as far as an app says it; it may leave both open",
        "environment",
    ),
    Term(
        "threat",
        "DestructiveChange",
        "what a deployment would do to a resource that holds data, or may",
        "loss, finding",
    ),
    Term(
        "guard findings",
        "GuardFindings",
        "the threats in some stacks, before names allow some of them",
        "found",
    ),
)

COPYING = (
    Term(
        "skipped, skipped key",
        "SkippedKey",
        "not copied, for a reason that is named; `--allow-skipped` accepts it",
        "left, left behind, kept back",
    ),
    Term(
        "checkpoint",
        "CheckpointWriter",
        "how far a copy is, written after each page, from which an interrupted one resumes",
        "record",
    ),
    Term(
        "heartbeat",
        "LeaseTerm",
        "the sign by which a run renews its lease every few seconds",
        "sign of life",
    ),
    Term(
        "resume",
        "Action",
        "continue an interrupted migration from its last checkpoint",
        "go on, begin anew",
    ),
    Term(
        "retry", "", "send a request again after an error that passes, such as throttling", "repeat"
    ),
    Term(
        "holding stack",
        "HoldingStack",
        "a stack that creates resources with all their properties and is deleted at once; it "
        "retains the resources",
        "helper stack",
    ),
    Term(
        "migration",
        "Migration",
        "copying a source into a target and verifying it, as one piece of work",
        "move, carry",
    ),
    Term("source, target", "Side", "the two sides of a copy or a comparison", "end, pair"),
    Term(
        "unit",
        "UnitPage",
        "what a copier writes at once: an object, a version, an item; a page has those that "
        "were read together",
        "record",
    ),
    Term(
        "copy outcome",
        "CopyOutcome",
        "what became of a unit: copied, the same already, or skipped",
        "result",
    ),
    Term("engine", "EngineCard", "what carries the data: this machine, or AWS itself", "backend"),
    Term("rehearsal", "Rehearsal", "a migration into a scratch resource, then removed", "dry run"),
    Term("pause", "RunControl", "a wait until `dataware resume`, asked by the record", "suspend"),
    Term(
        "skip reason",
        "SkipReason",
        "why a key was skipped, such as archived or denied",
        "trouble, problem",
    ),
    Term("copy subject", "CopySubject", "what is copied, in the words of its kind", "subject"),
    Term(
        "marker",
        "Marker",
        "what is known in the account about the migration of a target; people read of its record",
        "state, run",
    ),
    Term(
        "lease",
        "Lease",
        "the right of one run to write into a target, which its heartbeat renews",
        "lock",
    ),
    Term("journal", "Journal", "the checkpoints of one migration on this machine", "log, record"),
    Term("throughput", "Throughput", "how quickly a copy of a kind usually goes", "speed"),
    Term("rate estimator", "RateEstimator", "how quickly this copy goes at the moment", "speed"),
    Term(
        "key sample",
        "KeySample",
        "the first keys after a point, read to divide the keys among processes",
        "sample",
    ),
)

VERIFYING = (
    Term(
        "digest",
        "MultisetDigest",
        "a short number computed from content; equal digests show that both sides hold the same",
        "fold, tally, hash",
    ),
    Term(
        "comparison spec",
        "ComparisonSpec",
        "the two sides of a comparison, and how deeply they are compared",
        "pair",
    ),
    Term(
        "verdict",
        "Verdict",
        "what a comparison came to: how much was compared, and the differences",
        "result, status",
    ),
    Term("difference", "KeyDifference", "a key that is not the same on both sides", "mismatch"),
    Term(
        "difference kind",
        "DifferenceKind",
        "how a key differs, seen from the target: missing, extra or different",
        "side",
    ),
    Term(
        "key fingerprint",
        "KeyFingerprint",
        "a key with a digest of what stands under it",
        "entry, record",
    ),
    Term(
        "digest form",
        "DigestForm",
        "what is digested: the bytes as they were sent, or what they mean",
        "form",
    ),
    Term(
        "raw, canonical digest",
        "Reader",
        "`digest_raw` of the bytes, `digest_canonical` of what they mean",
        "sent, meant",
    ),
    Term(
        "task result",
        "TaskResult",
        "how far a task of a comparison is, and what it has found",
        "found",
    ),
    Term(
        "task state",
        "TaskState",
        "a task of a comparison inside a deployment, as its execution carries it",
        "check",
    ),
)

SPEAKING_WITH_AWS = (
    Term(
        "endpoint",
        "Endpoint",
        "how the services of an account are spoken to from one region",
        "access",
    ),
    Term(
        "credentials",
        "Credentials",
        "the access key, the secret key and the token of one moment",
        "keys",
    ),
    Term("IAM decision", "IamDecision", "what IAM says about one action on one resource", "access"),
    Term("transport", "Wire", "what sends requests and retries them", "connection"),
    Term(
        "service host", "ServiceHost", "a service's address, with its idle connections", "address"
    ),
    Term("listed object", "ListedObject", "an object or a version as a listing shows it", "found"),
)

FLEETS = (
    Term(
        "fleet",
        "FleetPlan",
        "one app in many accounts and regions, planned as a whole",
        "landscape",
    ),
    Term(
        "target of a fleet",
        "FleetTarget",
        "an account and region in which the app is deployed, with the way in",
        "site, environment",
    ),
    Term(
        "wave",
        "WaveSettings",
        "targets that are applied at once; the next wave begins when all of them have ended",
        "batch, stage",
    ),
    Term("canary", "WaveSettings", "the target that is applied first and alone", "pilot"),
    Term("tolerance", "WaveSettings", "how many targets may fail before the waves end", "limit"),
    Term("matrix", "FleetMatrix", "what is decided on each resource in each target", "grid"),
)

FOLLOWING = (
    Term("follow", "FollowLoop", "copy a source, then carry its changes until stopped", "sync"),
    Term("change feed", "ChangeFeed", "what tells which keys of a source change", "log"),
    Term("dirty key", "DirtyKeys", "a key that changed and is not carried yet", "pending record"),
    Term("carry", "Carrier", "give a key of the target the source's current state", "replay"),
    Term("gap", "Gap", "a part of the changes that may never come by the feed", "hole"),
    Term("full difference", "FullDifference", "both sides compared to close a gap", "resync"),
    Term("cut-over", "CutoverLoop", "freeze the source, carry the rest, verify, switch", "swap"),
    Term("freeze", "FreezeHooks", "stop the writers of a source; thaw lets them go on", "lock"),
    Term("gate", "CutoverGate", "what people make a cut-over wait for: a file, a time", "barrier"),
    Term("undo window", "UndoWindow", "the day in which a cut-over can be undone", "way back"),
    Term("stray key", "StrayKeys", "a key written in the source after the switch", "late write"),
)

SECTIONS: Mapping[str, tuple[Term, ...]] = {
    "Deciding": DECIDING,
    "Copying": COPYING,
    "Verifying": VERIFYING,
    "Following": FOLLOWING,
    "Speaking with AWS": SPEAKING_WITH_AWS,
    "Fleets": FLEETS,
}
"""All words, as the glossary groups them."""

TERMS: Mapping[str, Term] = {
    word.lower().replace(" ", "-"): term
    for terms in SECTIONS.values()
    for term in terms
    for word in term.word.split(", ")
}
"""Every word by the topic that explains it, such as "lock-file"."""

BANNED = (
    *("sign of life", "left behind", "kept back", "told of", "tells of", "so many", "at hand"),
    *("nobody", "whom", "shall", "anew", "afresh", "a doubt", "any doubt", "in doubt", "let in"),
    *("taken over", "take over", "takes over", "took over", "cure the", "is cured", "goes on from"),
    *("goes on where", "cut short", "it cannot be seen", "not shown to be", "says no kind"),
    *("meant to be so", "was not started", "to lose nothing", "stands in the way", "wish to stop"),
    *("way back", "behind the switch"),
)
"""Phrases that no sentence for people has; there is a plain one for each."""

BANNED_NAMES = frozenset({"tells", "told", "heart", "crew", "seat", "doubt", "nobody"})
"""Words that no function, class or attribute is named by."""
