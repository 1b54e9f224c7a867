"""Builds what the use cases are given: the account, the markers, the journals, the display."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cache, partial

import click

from dataware.aws import Account, AssumedRole, ClientSettings, SystemClock, region_of_profile
from dataware.cli.creation import CloudFormationHoldingStacks
from dataware.cli.display import display, is_live, is_read
from dataware.cli.process.gc import relaxed_gc
from dataware.cli.process.malloc import limit_malloc_arenas
from dataware.cli.process.open_account import open_source
from dataware.cli.process.signals import StopSignal
from dataware.cli.process.workers import ProcessWorkers
from dataware.cli.run_log import run_of_command, with_run_log
from dataware.cli.settings import AwsOptions, CopyOptions
from dataware.cli.transport import carrier, make_wire
from dataware.core.events import Event, event
from dataware.core.object_headers import ObjectHeaders
from dataware.core.ports import Aws, Emit, StopRequest
from dataware.ops.context import Context, CopySettings, Workers
from dataware.ops.run_bounds import AT_ONCE
from dataware.report import Format
from dataware.report.brief import NEEDED_IN_LOGS, RepetitionFilter, without_decisions
from dataware.state import FileJournals, ParameterMarkers
from dataware.state.follow_records import CutoverRecordFactory, FollowFiles


@contextmanager
def outside(
    options: AwsOptions,
    *,
    copies: bool = False,
    strict: bool = False,
    listener: Emit | None = None,
    brief: bool = False,
    repeated: RepetitionFilter | None = None,
) -> Iterator[Context]:
    """The context of one command, with its display and its signals.

    `copies` says that the command writes, so that the first Ctrl-C lets it finish what is in
    flight. `listener` gets every event, too. `brief` says that a plan is shown, so that on a
    terminal its decisions need no lines of their own. `repeated` is the filter of a command with
    several contexts; it, and `brief` with it, holds wherever a person reads. Raises InputError for
    a transport that is not to be had, which a copy would find only once its record is begun.
    """
    carrier()
    limit_malloc_arenas()
    quiet = relaxed_gc() if copies else nullcontext()
    with quiet, display(options) as show, _stop(options, show, graceful=copies) as stop:
        account = open_account(options, stop=stop)
        renderer: Emit = show
        folds = repeated is not None and options.format is Format.TEXT and not options.full
        if repeated is not None and folds:
            renderer = repeated.over(renderer)
        if brief and is_read(options):
            renderer = without_decisions(renderer)
        elif brief and folds:
            renderer = without_decisions(renderer, keeps=NEEDED_IN_LOGS)
        emit = _both(with_run_log(renderer, account), listener)
        context = make_context(account, emit, stop, strict=strict)
        context = replace(context, command_run=run_of_command())
        context = with_source(context, options)
        yield replace(context, workers=_make_workers(context, account, options))


def with_source(context: Context, options: AwsOptions) -> Context:
    """The context that opens the profile by which the options read sources."""
    profile = options.source_profile or ""
    return replace(
        context,
        open_profile=cache(partial(open_source, options, stop=context.stop)),
        source_profile=profile,
        source_region=(region_of_profile(profile) or "") if profile else "",
    )


def _make_workers(context: Context, account: Account, options: AwsOptions) -> Workers | None:
    """What starts processes, unless nobody could type a code for them."""
    profile = context.source_profile
    reader = context.open_profile(profile) if profile else None
    if account.asks_for_code or (isinstance(reader, Account) and reader.asks_for_code):
        return None
    return ProcessWorkers(options, partial(open_again, options))


def _stop(options: AwsOptions, emit: Emit, *, graceful: bool) -> StopSignal:
    """The signals; a note among live bars has to be shown by who draws them."""
    if not is_live(options):
        return StopSignal(graceful=graceful)
    return StopSignal(graceful=graceful, report=lambda text: emit(event("warning", text=text)))


def _both(emit: Emit, listener: Emit | None) -> Emit:
    if listener is None:
        return emit

    def report(happened: Event) -> None:
        listener(happened)
        emit(happened)

    return report


def open_account(
    options: AwsOptions,
    client_settings: ClientSettings | None = None,
    stop: StopRequest | None = None,
) -> Account:
    """The account that options, variables and config files point to; no network.

    Once `stop` is true, none of its calls is waited for any more.
    """
    account = Account.open(
        make_wire,
        profile=options.profile,
        region=options.region,
        endpoint_url=options.endpoint_url,
        role=AssumedRole(options.role, options.external_id) if options.role else None,
        client_settings=client_settings,
        stop=stop,
    )
    return account.as_requester() if options.request_payer else account


def open_again(options: AwsOptions, *, stop: StopRequest, profile: str = "") -> Account:
    """The account of a command, or of a profile that reads its source, in another process."""
    return open_source(options, profile, stop) if profile else open_account(options, stop=stop)


def make_context(account: Account, emit: Emit, stop: StopRequest, *, strict: bool) -> Context:
    """The ports over a real account."""
    clock = SystemClock()
    markers = ParameterMarkers(account, clock)
    return Context(
        aws=account,
        markers=markers,
        clock=clock,
        emit=emit,
        hold=CloudFormationHoldingStacks(account),
        journals=FileJournals(account),
        follow_states=FollowFiles(account),
        cutover_records=CutoverRecordFactory(markers),
        stop=stop,
        strict=strict,
        move=move,
    )


def go_on_after_stop(context: Context, options: AwsOptions) -> Context:
    """The same context, whose calls are answered also after a person asked to stop.

    What a command has to undo then it could not undo otherwise.
    """
    return replace(_move_to(context, open_account(options)), workers=context.workers)


def move(context: Context, region: str) -> Context:
    """The context of another region, because the records of a resource lie where it lives."""
    return _move_to(context, context.aws.for_region(region))


def enter_account(context: Context, options: AwsOptions) -> Context:
    """The context of the account that other options open; nothing is asked yet."""
    account = open_account(options, stop=context.stop)
    workers = _make_workers(context, account, options)
    return replace(_move_to(context, account), workers=workers)


def _move_to(context: Context, aws: Aws) -> Context:
    """The context in which `aws` is asked, with the records, journals and stacks that lie there."""
    markers = ParameterMarkers(aws, context.clock)
    return replace(
        context,
        aws=aws,
        markers=markers,
        hold=CloudFormationHoldingStacks(aws),
        journals=FileJournals(aws),
        follow_states=FollowFiles(aws),
        cutover_records=CutoverRecordFactory(markers),
    )


def headers_of(sse: str | None, key: str | None, acl: str | None) -> ObjectHeaders:
    """The headers of the objects. Raises UsageError for what S3 does not take."""
    headers = ObjectHeaders(sse or "", key or "", acl or "")
    if problem := headers.problem():
        raise click.UsageError(f"--sse-kms-key-id: {problem}")
    return headers


def settings_of(copy: CopyOptions) -> CopySettings:
    """How to copy, as the use cases take it."""
    return CopySettings(
        on_conflict=copy.on_conflict,
        all_versions=copy.versions == "all",
        allow_skipped=copy.allow_skipped,
        allow_partial=copy.allow_partial,
        deep=copy.deep,
        max_rate=copy.max_rate,
        max_share=copy.max_share,
        processes=copy.processes,
        max_parallel=copy.max_parallel or AT_ONCE,
        follow=copy.follow,
        enable_feed=copy.enable_stream,
        export_to=(copy.export_to or "").removeprefix("s3://"),
        engine=copy.engine,
        service_role=copy.batch_role,
        multipart_threshold=copy.multipart_threshold,
        part_size=copy.part_size,
        object_headers=headers_of(copy.sse, copy.sse_kms_key_id, copy.acl),
        requester_pays=copy.request_payer,
    )
