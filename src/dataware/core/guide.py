"""What each rule is about, for people: why it exists, what is seen, what to do about a stop.

Data only: `dataware explain` shows it, and `docs/decisions.md` is printed from it. What a rule
says is in `dataware.core.rules`, when it holds in `dataware.core.table`.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass, fields

from dataware.core.row import DecisionRow
from dataware.core.situation import Situation
from dataware.core.table import TABLE


@dataclass(frozen=True, slots=True)
class Guide:
    """One rule: its short name, the reason for it, a line that it leads to, and recipes.

    `also` says when the rule holds where no row of the table does.
    """

    name: str
    why: str
    example: str
    do: tuple[str, ...] = ()
    also: str = ""


RECORD = "`dataware forget NAME`"

GUIDE: dict[int, Guide] = {
    1: Guide(
        "import",
        "The app wants the data that exists. CloudFormation would fail on a name that is taken, "
        "or make an empty twin under another name.",
        "✅ Importing existing S3 bucket with data: spaceport-uploads-prod",
    ),
    2: Guide(
        "empty-preferred",
        "A failed deployment often leaves an empty resource, while the data lies under an older "
        "name. So being empty decides nothing by itself.",
        "ℹ️  Preferred bucket exists but is empty: spaceport-uploads-prod",
        also="whenever the preferred resource is empty; rules 3, 4 and 12 decide then",
    ),
    3: Guide(
        "migrate",
        "The app asks for the preferred name, and the data lies under an older one. It is copied "
        "and verified; the old resource is only read.",
        "🔄 Fallback table has data, creating preferred and migrating: Spaceport-Waitlist → "
        "Spaceport-Waitlist-prod",
    ),
    4: Guide(
        "empty-fallbacks",
        "Fallbacks without data have nothing to give, so the app starts fresh.",
        "🆕 Creating new S3 bucket: spaceport-uploads-prod",
    ),
    5: Guide(
        "nothing",
        "A first deployment into a fresh account finds nothing.",
        "🆕 Creating new DynamoDB table: Spaceport-Waitlist-prod",
    ),
    6: Guide(
        "own",
        "A resource that leaves its stack's template is deleted or dropped, so what a stack "
        "owns never becomes a reference.",
        "✅ Keeping the stack's own DynamoDB table: Spaceport-Waitlist-prod",
        (
            "If the stack owns a resource that is gone, restore it from a backup under the same "
            "name.",
            "To start empty, remove it from the stack, deploy once, and declare it again.",
        ),
    ),
    7: Guide(
        "resume",
        "An interrupted copy looks like data. Only the migration record shows that it is "
        "incomplete, so it is finished first.",
        "🔄 Resuming the migration: Spaceport-Waitlist → Spaceport-Waitlist-prod",
        (
            "If the source is gone, restore it from a backup and run again.",
            "Compare first, if there is a copy of the source: `dataware verify SOURCE TARGET`.",
            f"If the target is good as it is, delete the record ({RECORD}) and run again.",
        ),
    ),
    8: Guide(
        "two-data-sets",
        "With data on both sides only you can say which is right. The preferred one is what the "
        "app asks for, and using it loses nothing.",
        "⚠️  two resources hold data, and no migration is recorded (Spaceport-Waitlist-prod: "
        "12, Spaceport-Waitlist: 78): Spaceport-Waitlist is not used; compare with `dataware "
        "verify dynamodb://Spaceport-Waitlist dynamodb://Spaceport-Waitlist-prod`",
        (
            "See how they differ: `dataware verify SOURCE TARGET`.",
            "Copy what is missing, without replacing anything: `dataware migrate SOURCE TARGET "
            "--on-conflict target`.",
            "Remove the fallback from the app once its data is not needed.",
            "With --strict (on_error stop) two data sets are a stop.",
        ),
    ),
    9: Guide(
        "lost-data",
        "What was migrated and verified is gone. Creating an empty resource in its place would "
        "hide that, and copying again could bring back deleted data.",
        "❌ Stopped at Spaceport-Waitlist-prod (rule 9): Spaceport-Waitlist-prod does not exist: "
        "it was deleted after the migration into it was complete; restore it from a backup",
        (
            "Find out who deleted it (CloudTrail: DeleteTable, DeleteBucket).",
            "Restore it from a backup or a point in time under the same name, and run again.",
            f"If it was deleted on purpose, delete the record ({RECORD}) and run again: the "
            "fallback's data is then migrated again.",
        ),
    ),
    10: Guide(
        "other-stack",
        "Two stacks that own one resource delete it for each other. So it is referenced, never "
        "adopted, and nothing is written into it.",
        "✅ Referencing DynamoDB table of stack Legacy: Spaceport-Waitlist-prod",
        (
            "Choose another preferred name for this app.",
            "Or release it from the other stack first: deploy it with removal policy RETAIN, "
            "remove it from that app, and deploy again.",
            "Or migrate in the app of the stack that owns it.",
        ),
    ),
    11: Guide(
        "stranger",
        "Bucket names are shared by all accounts. A stranger's bucket under your name may be a "
        "trap, so it is never read, written or imported.",
        "❌ Stopped at spaceport-uploads (rule 11): cannot confirm that bucket spaceport-uploads "
        "belongs to this account, so it is not touched",
        (
            "Check the account: `dataware doctor` shows your identity.",
            "If the bucket is yours, allow s3:ListAllMyBuckets and s3:ListBucket.",
            "If it is not, choose another name, or remove it from the fallbacks.",
            "To copy from a partner's bucket, name its owner: `dataware migrate s3://theirs "
            "s3://ours --source-owner ACCOUNT`.",
        ),
    ),
    12: Guide(
        "take-over",
        "A second resource of that name cannot be created, and an empty one outside of all stacks "
        "is as good as a new one.",
        "✅ Using the existing S3 bucket as it is: spaceport-uploads-prod",
    ),
    13: Guide(
        "key-schema",
        "Items of a table are addressed by its key; with another key they could overwrite each "
        "other or be rejected.",
        "❌ Stopped at Orders-prod (rule 13): Orders has the key schema id (S), but Orders-prod "
        "is declared with id (N): items cannot be copied as they are; declare the same key schema",
        (
            "Declare the key schema of the source.",
            "Or transform the items with your own program into the new table; dataware copies "
            "them as they are.",
        ),
    ),
    14: Guide(
        "unknown",
        'A denied or failed call is not an answer: "access denied" never means "absent". Where '
        "no data can be stranded or overwritten the run continues with a warning; everywhere "
        "else it stops.",
        "⚠️  Spaceport-Waitlist is assumed empty: Scan returned AccessDeniedException; it needs "
        "dynamodb:Scan",
        (
            "Grant the actions that the stop names. `dataware iam-policy APP` prints all that are "
            "needed, and `dataware doctor APP` shows which are missing.",
            "If you know that the unread fallback holds nothing you need, accept the risk: "
            "--on-error no-data.",
            "If an empty resource was created beside data, copy the data: `dataware migrate "
            "SOURCE TARGET` replaces nothing.",
            "With --strict (on_error stop) anything that cannot be checked stops the run; "
            "without it only what can strand or overwrite data does.",
        ),
    ),
    15: Guide(
        "import-fallback",
        "Some apps import the older resource instead of copying it; an app that asks for that "
        "gets it.",
        "✅ Importing existing DynamoDB table with data: Spaceport-Waitlist",
    ),
    16: Guide(
        "moved",
        "CloudFormation knows a resource by its logical id. Declared under another one, it would "
        "be dropped or deleted, and its name would be taken.",
        "❌ Stopped at Orders-prod (rule 16): this stack owns Orders-prod as OrdersB2C4A1F0, but "
        "the app declares it as Orders9F1D22AB, which would drop it; rename the construct back or "
        "run `cdk refactor`",
        (
            "Move it in CloudFormation as well: `cdk refactor`.",
            "Or keep the logical id: `stack.rename_logical_id(NEW, OLD)`, before it is declared.",
        ),
    ),
    17: Guide(
        "weaker",
        "A copy that is less protected than its source (encryption, public access, versions, "
        "backups, deletion protection) is found out too late. By default this is a warning.",
        "❌ Stopped at Orders-prod (rule 17): Orders-prod would protect its data less than Orders "
        "does (point in time recovery: off instead of on); set the same in the app's properties",
        (
            "Set the same protection in the app's properties.",
            "If that is intended, run without --strict and on_error stop.",
        ),
        also="a setting of a copy, or of what is kept or adopted, would become weaker, and "
        "`on_error` is stop",
    ),
    18: Guide(
        "no-copier",
        "dataware cannot copy and verify the content of this type, or does so by hand alone.",
        "❌ Stopped at /spaceport/key-prod (rule 18): data would have to be copied to "
        "/spaceport/key-prod, but no plan copies an SSM parameter, whose template holds its value; "
        "copy it yourself (`dataware migrate ssm:///spaceport/key ssm:///spaceport/key-prod`), or "
        "set on_fallback_data to import",
        (
            "Copy it yourself, then run again: the preferred one has data then.",
            "Or import the fallback itself: `--on-fallback-data import`.",
        ),
        also="a copy is due, and the resource type has no copier, or none for plans",
    ),
    20: Guide(
        "not-adoptable",
        "The service generates the id, so CloudFormation cannot import the resource by name. A "
        "template that declares it would create a second, empty one.",
        "❌ Stopped at spaceport-users-prod (rule 20): spaceport-users-prod exists and belongs to "
        "no stack; CloudFormation cannot adopt a Cognito user pool and would create a second, "
        "empty one: remove Users from the template and refer to us-east-1_A1b2C3d4E",
        (
            "Refer to the existing one by its id, as `DataAwareUserPool` does.",
            "Or import it into its stack with your own IMPORT change set.",
        ),
        also="the type cannot be imported by name, a template declares it, and it exists outside "
        "of the stack",
    ),
    21: Guide(
        "not-retained",
        "CloudFormation adopts only resources that outlive their stack. The deployment would fail "
        "after everything was copied.",
        "❌ Stopped at Orders-prod (rule 21): Orders-prod would be deleted with its stack, so "
        "CloudFormation cannot adopt it: set removal policy RETAIN_ON_UPDATE_OR_DELETE or RETAIN, "
        "or import by reference",
        (
            "Set the removal policy in CDK, or DeletionPolicy: RetainExceptOnCreate in a template.",
            "Or leave it outside of the stack: `--import reference` for a construct of "
            "`dataware.cdk`; a template has to refer to it in place of declaring it.",
        ),
        also="a stack would adopt what its template allows CloudFormation to delete",
    ),
    22: Guide(
        "computed-name",
        "CloudFormation imports resources of their own accord only where their name is literal in "
        "the template. The deployment would fail on a name that is taken.",
        "❌ Stopped at orders-prod (rule 22): orders-prod is named by a function (Fn::Sub), and "
        "CloudFormation adopts only literal names: write the name out, or import by reference",
        (
            "Write the name out in the template; in CDK give the stack an `env` with account and "
            "region.",
            "Or leave it outside of the stack: `--import reference` for a construct of "
            "`dataware.cdk`; a template has to refer to it in place of declaring it.",
        ),
        also="a stack would adopt what its template names by a function",
    ),
    23: Guide(
        "cannot-change",
        "CloudFormation adopts a resource as it is and compares nothing. Settings that only a new "
        "resource can have would make its next update replace the resource.",
        "❌ Stopped at Orders-prod (rule 23): Orders-prod would have to be replaced by an empty "
        "table to become what the app declares (LocalSecondaryIndexes is not set, declared "
        '[["by-date", [["id", "HASH"], ["date", "RANGE"]], ["ALL", []]]]): declare what it has, or '
        "make it the fallback of another name",
        (
            "Declare what the resource has.",
            "Or choose another name, with the existing resource as its fallback: its data is then "
            "copied.",
        ),
        also="a stack would adopt what exists, and has other keys, indexes, encryption or object "
        "lock than its template says",
    ),
    24: Guide(
        "deletes-data",
        "A lifecycle rule or a time to live in the template deletes old data at the first update "
        "of the adopted resource, and no one has allowed that yet.",
        "❌ Stopped at spaceport-uploads-prod (rule 24): adopting spaceport-uploads-prod would "
        "delete data that it keeps now: objects expire after 30 days (412 of the first 1,000 "
        "objects are that old now); declare what it has, or allow it with --allow-loss Uploads",
        (
            "Declare the lifetime that the data has now.",
            "Or, if old data may go: `dataware plan --allow-loss LOGICAL_ID`.",
        ),
        also="a resource with data is in a stack, or would be, and the new template deletes more "
        "of it: a lifecycle rule, a shorter lifetime, a time to live",
    ),
    25: Guide(
        "not-usable",
        "A resource that is about to be deleted would be gone under the app, and a replica cannot "
        "be changed. An import by id needs every property that cannot change later.",
        "❌ Stopped at app/database (rule 25): app/database is marked for deletion since "
        "2026-11-20: restore it with `aws secretsmanager restore-secret --secret-id app/database` "
        "or `dataware apply --restore-secrets`, or choose another name",
        (
            "Follow the recipe at the end of the line, and run again.",
            "Or choose another name: the resource stays as it is.",
        ),
        also="a resource that would be used is pending deletion or belongs to another region, or "
        "the given physical id does not exist",
    ),
    26: Guide(
        "chained",
        "A fallback that another resource of the app is about to fill is not whole yet. If it is "
        "absent, the app would start empty although data is to come.",
        "❌ Stopped at Orders-2026 (rule 26): Orders-2026 would copy from Orders-prod, which "
        "Demo/Orders is about to fill; run `dataware apply --only Orders-prod` first, then plan "
        "again",
        (
            "Fill that one first, alone: `dataware apply --only NAME`. Then plan again.",
            "Or name the older source in its place, as the fallback of both.",
        ),
        also="a source, or a fallback before it, is the preferred name of another resource into "
        "which data is about to be copied",
    ),
    19: Guide(
        "guard",
        "A changed template can make CloudFormation delete, replace or drop a resource, "
        "whatever it holds.",
        "❌ Stopped at Orders (rule 19): DynamoDB table Orders4F2A1B3C of stack Spaceport-prod "
        "holds data and would leave the stack, and CloudFormation would delete it; keep its "
        "logical id (call renameLogicalId of the CDK stack before you declare it)",
        (
            "Follow the recipe at the end of the line; docs/guard.md has all of them.",
            "If the data may go: `dataware plan --allow-loss LOGICAL_ID`.",
        ),
        also="a resource with data would leave its stack, be replaced or be renamed",
    ),
}

COLUMNS = {
    "preferred": "preferred exists",
    "content": "preferred holds",
    "owner": "preferred belongs to",
    "marker": "migration on record",
    "fallback": "the fallbacks",
    "shape": "key schemas",
    "resumable": "its source is there",
    "visibility": "answers",
    "on_error": "`on_error`",
    "on_fallback_data": "`on_fallback_data`",
}
"""The columns of the table, as people read them."""

EXIT_CODES: dict[int, tuple[str, str]] = {
    0: ("done, or nothing to do", "Go on."),
    1: (
        "an error, including bad usage: one sentence on standard error",
        "Follow the message; `dataware doctor` checks setup and permissions.",
    ),
    2: (
        "there is a difference: `verify`; `plan` only with --detailed-exitcode",
        "The lines above list the differences, what would be changed, or what needs attention.",
    ),
    3: (
        "a stop rule, a changed fact, a lock that another run holds, or --on-conflict stop; "
        "nothing was overwritten",
        "A person has to decide: `dataware explain RULE` explains each rule.",
    ),
    4: (
        "incomplete: a migration has started and is not finished",
        "Fix the cause, if one is named, and run the same command again: it resumes.",
    ),
}


def conditions(row: DecisionRow) -> str:
    """When a row of the table holds, in words; empty if always."""
    return "; ".join(
        f"{COLUMNS[column.name]}: {' or '.join(sorted(row.when[column.name]))}"
        for column in fields(Situation)
        if column.name in row.when
    )


def rows_of(rule: int) -> Iterator[tuple[int, DecisionRow]]:
    """The rows that carry a rule, with their place in the table, counted from 1."""
    return ((at, row) for at, row in enumerate(TABLE, 1) if row.rule == rule)


def read_more(rules: Set[int]) -> str:
    """What to type to have rules explained."""
    return f"`dataware explain {' '.join(map(str, sorted(rules)))}`"
