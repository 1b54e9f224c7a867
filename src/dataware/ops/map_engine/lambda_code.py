"""The code that runs in Lambda: made of the installed package, without Docker.

It needs the standard library and the boto3 of Lambda's runtime only, so nothing is compiled and
nothing is downloaded. The same sources give the same asset on every machine. What people read, the
docstrings, stays at home: a line is as long as it is needed, and keeps its number.
"""

from __future__ import annotations

import ast
import hashlib
import io
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import dataware

PACKAGES = (
    "calc",
    "core",
    "http",
    "kinds",
    "migrate",
    "verify",
    "state",
    "aws",
    "wire",
    "ops",
    "report",
    "handler",
)
LEFT_OUT = (
    "aws/closed_region.py",
    "aws/organization.py",
    "aws/plain_http.py",
    "aws/simulate.py",
    "aws/template_upload.py",
    "calc/pauses.py",
    "core/app_plan.py",
    "core/chained_copies.py",
    "core/change_set.py",
    "core/deferred_creation.py",
    "core/custom_deletions.py",
    "core/destructive_change.py",
    "core/engines/choice.py",
    "core/engines/general.py",
    "core/engines/map_card.py",
    "core/engines/port.py",
    "core/engines/work_bucket.py",
    "core/evaluation",
    "core/expand.py",
    "core/fleet",
    "core/follow/approval.py",
    "core/follow/cutover.py",
    "core/follow/cutover_loop.py",
    "core/follow/cutover_ports.py",
    "core/follow/cutover_request.py",
    "core/follow/cutover_table.py",
    "core/follow/ledger.py",
    "core/follow/loop.py",
    "core/follow/steady_time.py",
    "core/follow/undo_ports.py",
    "core/glossary.py",
    "core/guard.py",
    "core/guide.py",
    "core/hidden_values.py",
    "core/lock_file.py",
    "core/locked_decisions.py",
    "core/nested_application.py",
    "core/outcome.py",
    "core/pace.py",
    "core/parameters.py",
    "core/passed_roles.py",
    "core/plan.py",
    "core/plan_shape.py",
    "core/protection.py",
    "core/refusals.py",
    "core/refused_update.py",
    "core/rehearsal.py",
    "core/row.py",
    "core/rules.py",
    "core/situation.py",
    "core/stack_template.py",
    "core/table.py",
    "kinds/cognito_user_pool/copy",
    "kinds/cognito_user_pool/verify",
    "kinds/dynamodb_table/engines.py",
    "kinds/dynamodb_table/export",
    "kinds/dynamodb_table/recovery.py",
    "kinds/dynamodb_table/rehearsal.py",
    "kinds/dynamodb_table/repair.py",
    "kinds/dynamodb_table/restore.py",
    "kinds/dynamodb_table/uncertain_request.py",
    "kinds/ecr_repository/copy",
    "kinds/ecr_repository/verify",
    "kinds/efs_file_system.py",
    "kinds/kinesis_stream.py",
    "kinds/kms_key.py",
    "kinds/opensearch_domain.py",
    "kinds/ordered_copier.py",
    "kinds/rds_database",
    "kinds/s3_bucket/batch",
    "kinds/s3_bucket/copy/relay",
    "kinds/s3_bucket/engines.py",
    "kinds/s3_bucket/follow",
    "kinds/s3_bucket/rehearsal.py",
    "kinds/secret/copy",
    "kinds/secret/verify",
    "kinds/sqs_queue.py",
    "kinds/ssm_parameter/copy",
    "kinds/ssm_parameter/verify",
    "ops/adoption.py",
    "ops/adoption_check.py",
    "ops/apply.py",
    "ops/bulk_load_run.py",
    "ops/cancel_deletions.py",
    "ops/change_set.py",
    "ops/control_reporter.py",
    "ops/copy_job_run.py",
    "ops/copy_run.py",
    "ops/copy_wires.py",
    "ops/creation_group.py",
    "ops/creator_follow_run.py",
    "ops/creator_request.py",
    "ops/creator_run.py",
    "ops/decision_events.py",
    "ops/declaration_check.py",
    "ops/declared_references.py",
    "ops/deployed_template.py",
    "ops/describe.py",
    "ops/earlier_migrations.py",
    "ops/engine_choice.py",
    "ops/engine_failures.py",
    "ops/engine_leftovers.py",
    "ops/engine_run.py",
    "ops/engine_steps.py",
    "ops/fleet.py",
    "ops/follow",
    "ops/forget.py",
    "ops/guard.py",
    "ops/import_by_id.py",
    "ops/inputs",
    "ops/map_engine",
    "ops/migrate_by_hand.py",
    "ops/migration_checks.py",
    "ops/name_conflicts.py",
    "ops/owned_fallbacks.py",
    "ops/plan.py",
    "ops/policy.py",
    "ops/region_check.py",
    "ops/rehearse.py",
    "ops/rehearse_plan.py",
    "ops/relay_estimate.py",
    "ops/remembered_answers.py",
    "ops/renames.py",
    "ops/role_template.py",
    "ops/run_control.py",
    "ops/run_migration.py",
    "ops/run_outcome.py",
    "ops/run_summary.py",
    "ops/saved_fleet.py",
    "ops/saved_plan.py",
    "ops/schemas.py",
    "ops/side_by_side.py",
    "ops/stack_review.py",
    "ops/stack_values.py",
    "ops/status.py",
    "ops/stopping.py",
    "ops/watch.py",
    "ops/work_words.py",
    "report/approval.py",
    "report/bar.py",
    "report/brief.py",
    "report/document.py",
    "report/engine_lines.py",
    "report/fit.py",
    "report/fleet_markdown.py",
    "report/fleet_summary.py",
    "report/fleet_table.py",
    "report/github.py",
    "report/html",
    "report/markdown.py",
    "report/plan_digest.py",
    "report/recorder.py",
    "report/run_progress.py",
    "report/runs.py",
    "report/summary.py",
    "report/table.py",
    "report/table_terminal.py",
    "report/terminal.py",
    "report/wrapping.py",
    "state/cutover_records.py",
    "state/follow_file.py",
    "state/follow_records.py",
    "state/forgotten.py",
    "state/run_controls.py",
    "state/run_names.py",
    "state/runs.py",
    "wire/curl",
    "wire/semaphore.py",
    "wire/signing.py",
    "wire/sockets.py",
)
"""What of these only the command line uses, and what needs more than the standard library."""


def write_code(folder: Path) -> None:
    """Copy the sources that Lambda needs into a new folder."""
    for source, name in _sources():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_bytes().decode()
        path.write_bytes(without_docstrings(text).encode())


def make_zip() -> bytes:
    """The same code as an archive, whose files have no times of their own."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="dataware-") as scratch:
        folder = Path(scratch) / "code"
        write_code(folder)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*.py")):
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                # Lambda runs it as another user, who has to be able to read it.
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def without_docstrings(text: str) -> str:
    """The same code without texts that stand for themselves; every line keeps its number."""
    lines = text.splitlines(keepends=True)
    for body in _bodies(ast.parse(text)):
        for statement in body:
            if not _is_text(statement):
                continue
            begin, end = statement.lineno - 1, statement.end_lineno or statement.lineno
            indent = lines[begin][: statement.col_offset]
            if indent.strip():
                continue
            lines[begin:end] = ["\n"] * (end - begin)
            if len(body) == 1:
                lines[begin] = f"{indent}...\n"
    return "".join(lines)


def _bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            if isinstance(body := getattr(node, name, None), list):
                yield body


def _is_text(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant):
        return False
    return isinstance(statement.value.value, str)


def digest(folder: Path) -> str:
    """A hash over the names and contents of all files, whatever their times and modes."""
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*.py"), key=lambda path: path.relative_to(folder).as_posix()):
        name, content = path.relative_to(folder).as_posix(), path.read_bytes()
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()


def _sources() -> Iterator[tuple[Path, str]]:
    """Every file with its name in the asset."""
    root = Path(dataware.__file__).parent
    yield root / "__init__.py", "dataware/__init__.py"
    for package in PACKAGES:
        for path in (root / package).rglob("*.py"):
            name = path.relative_to(root).as_posix()
            if not name.startswith(LEFT_OUT):
                yield path, f"dataware/{name}"
