"""Records what a new user types and sees, from a wheel, as docs/first-runs.md.

Each run has an empty home folder and next to no variables. The embedded AWS stands in for an
account. Variables and files by which this machine reaches package registries are passed on unseen.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import boto3

from dataware.embedded import EmbeddedAws

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "first-runs.md"
BESIDE = Path(sys.executable).parent
MOST_LINES, ENDS = 40, 8
MARK, TIMES = "\x1e", "\x1f"
REGISTRIES = re.compile(
    r"PIP_|UV_INDEX|UV_DEFAULT_INDEX|UV_SYSTEM_CERTS|NPM_CONFIG_|SSL_CERT_|NODE_EXTRA_CA"
)
OF_REGISTRIES = re.compile(r"^WARNING: Location 'file:.*\n", re.MULTILINE)
PORT = re.compile(r"127\.0\.0\.1:\d+")
CLOCK = re.compile(r"\b\d{8}-\d{4,6}\S*|[0-9a-f]{32}")

INTRO = """# First runs

What a new user types, and what is seen, each time from a [wheel](install.md) in an empty home
folder, without extras and without a checkout. The embedded AWS stands in for an account: `aws.sh`
is what `dataware demo --serve` prints ([tutorial](tutorial.md)). It holds a table of 300 items and
a bucket of 20 objects under their older names. Behind each command stand its seconds, on a busy
machine with two cores, and its exit code where that is not 0.

`scripts/record_first_runs.py` records this page.
"""


@dataclass(frozen=True)
class FirstRun:
    """One way to begin: what is typed, line by line, and the variables there are beforehand."""

    title: str
    about: str
    lines: tuple[str, ...]
    variables: Mapping[str, str | None]
    example: str | None = None


PLAN = ("dataware check", "dataware plan")
INIT = "dataware init --suffix=-prod Spaceport-Waitlist s3://spaceport-uploads"
PIP = "pip install --quiet ./{wheel}"

RUNS = (
    FirstRun(
        "pip, in a virtual environment",
        "Nothing is known: `env -i`, an empty home folder.",
        (
            "python3 -m venv .venv && . .venv/bin/activate",
            PIP,
            "dataware --version",
            "dataware plan",
            ". ./aws.sh",
            INIT,
            *PLAN,
            "dataware apply --yes",
            "dataware status",
            "dataware plan",
        ),
        {},
    ),
    FirstRun(
        "The Python of Debian 12",
        "`/usr/bin/python3` with the package `python3-venv`.",
        (
            "/usr/bin/python3 --version",
            "/usr/bin/python3 -m venv .venv && . .venv/bin/activate",
            PIP,
            ". ./aws.sh",
            "dataware doctor",
            INIT,
            "dataware plan --out plan.json",
            "dataware show plan.json",
            "dataware apply plan.json",
        ),
        {"PATH": "/usr/bin:/bin"},
    ),
    FirstRun(
        "uv",
        "`uv tool install` keeps it; `uvx` tries it, and the demo brings an AWS of its own.",
        (
            "uv tool install --quiet ./{wheel}",
            "dataware --version",
            "uvx --quiet --from ./{wheel} dataware demo --items 2000 --objects 200",
        ),
        {},
    ),
    FirstRun(
        "A CDK app in TypeScript",
        "[The example](../examples/typescript/README.md), with dataware from `uv tool install`.",
        (
            "uv tool install --quiet ./{wheel}",
            "npm ci --silent",
            ". ./aws.sh",
            "npx cdk bootstrap --no-notices 2>&1 | tail -n 1",
            "dataware plan",
            "dataware deploy --yes -- --require-approval never --no-notices",
            "npx cdk diff --no-notices 2>&1 | grep differences",
        ),
        {"CI": "true"},
        example="typescript",
    ),
    FirstRun(
        "A template alone",
        "No CDK and no Node.js: a template that opts in by its metadata.",
        (
            "uv tool install --quiet ./{wheel}",
            ". ./aws.sh",
            "dataware init --format cfn --suffix=-prod Spaceport-Waitlist s3://spaceport-uploads "
            "> template.yaml",
            "cat template.yaml",
            "dataware check template.yaml",
            "dataware plan template.yaml --stack spaceport",
            "dataware apply template.yaml --stack spaceport --yes",
        ),
        {},
    ),
    FirstRun(
        "A job of continuous integration",
        "No terminal, `CI=true`, and no home folder at all, as in many containers.",
        (
            "python3 -m venv .venv && . .venv/bin/activate",
            PIP,
            ". ./aws.sh",
            INIT,
            "dataware check --format github",
            "dataware plan --detailed-exitcode --out plan.json",
            "dataware apply",
            "dataware apply plan.json",
            "HOME=/proc/none dataware plan --detailed-exitcode",
            "HOME=/proc/none dataware report --out report.html",
        ),
        {"CI": "true", "HOME": None},
    ),
)


def main() -> None:
    """Build the wheel, and write the page with every run, or with those that are named anew."""
    chosen = [run for run in RUNS if not sys.argv[1:] or run.title in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as scratch, EmbeddedAws() as aws:
        wheel = _build(Path(scratch))
        sections = {} if len(chosen) == len(RUNS) else _written()
        for number, run in enumerate(chosen):
            _fill(aws)
            folder = Path(scratch, f"run-{number}")
            sections[run.title] = _section(run, _record(run, wheel, folder, aws))
    text = "\n".join([INTRO, *(sections[run.title] for run in RUNS)])
    PAGE.write_text(text, encoding="utf-8")


def _written() -> dict[str, str]:
    """The runs as the page has them, by title."""
    _, *parts = PAGE.read_text(encoding="utf-8").split("\n## ")
    return {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts}


def _build(folder: Path) -> Path:
    built = folder / "dist"
    subprocess.run(
        [BESIDE / "uv", "build", "--quiet", "--wheel", "--out-dir", built, ROOT], check=True
    )
    (wheel,) = built.glob("*.whl")
    return wheel


def _fill(aws: EmbeddedAws) -> None:
    """An account with a table and a bucket under their older names, and nothing else."""
    aws.reset()
    names = {"endpoint_url": aws.endpoint, "region_name": aws.region}
    keys = {"aws_access_key_id": aws.account, "aws_secret_access_key": "test"}
    dynamodb = boto3.client("dynamodb", **names, **keys)
    dynamodb.create_table(
        TableName="Spaceport-Waitlist",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "email", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "email", "KeyType": "HASH"}],
    )
    for number in range(300):
        item = {"email": {"S": f"pilot{number:03}@example.com"}}
        dynamodb.put_item(TableName="Spaceport-Waitlist", Item=item)
    s3 = boto3.client("s3", **names, **keys)
    s3.create_bucket(Bucket="spaceport-uploads")
    for number in range(20):
        s3.put_object(Bucket="spaceport-uploads", Key=f"photo-{number:02}.jpg", Body=b"x" * 900)


def _record(run: FirstRun, wheel: Path, folder: Path, aws: EmbeddedAws) -> str:
    """What bash says to the lines of a run, with a mark before each and its time behind it."""
    home = folder / "home"
    home.mkdir(parents=True)
    project = home / "spaceport"
    if run.example:
        ignored = shutil.ignore_patterns("node_modules", "cdk.out")
        shutil.copytree(ROOT / "examples" / run.example, project, ignore=ignored)
    else:
        project.mkdir()
    shutil.copy(wheel, project)
    exports = (f"export {name}='{value}'\n" for name, value in aws.environ().items())
    (project / "aws.sh").write_text("".join(exports))
    script = "".join(
        f"printf '{MARK}%s\\n' '{line.format(wheel=wheel.name)}'\n"
        f"TIMEFORMAT='{TIMES}%R'; time {{ {line.format(wheel=wheel.name)}; code=$?; }}\n"
        f"printf '{TIMES}%s\\n' $code\n"
        for line in run.lines
    )
    ran = subprocess.run(
        ["/bin/bash", "-c", script],
        cwd=project,
        env=_variables(run, home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
    )
    said = ran.stdout.replace(str(project), ".").replace(str(home), "~")
    return CLOCK.sub("…", PORT.sub("127.0.0.1:4566", OF_REGISTRIES.sub("", said)))


def _variables(run: FirstRun, home: Path) -> dict[str, str]:
    """The few variables of a run, and those by which this machine reaches the registries."""
    found = {name: value for name, value in os.environ.items() if REGISTRIES.match(name)}
    files = {"PIP_CONFIG_FILE": ".config/pip/pip.conf", "NPM_CONFIG_USERCONFIG": ".npmrc"}
    for name, path in files.items():
        if (Path.home() / path).exists():
            found.setdefault(name, str(Path.home() / path))
    base = Path(sys.base_prefix, "bin")
    # The tools alone: the environment of this script has a dataware of its own.
    tools = home.parent / "tools"
    tools.mkdir()
    for name, at in (("uv", BESIDE), ("uvx", BESIDE), ("python3", base)):
        if (at / name).exists():
            (tools / name).symlink_to(at / name)
    places = [home / ".local/bin", tools, "/usr/bin", "/bin"]
    usual: dict[str, str | None] = {
        "HOME": str(home),
        "PATH": os.pathsep.join(map(str, places)),
        "LANG": "C.UTF-8",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
    }
    chosen = {**usual, **run.variables}
    return {**found, **{name: value for name, value in chosen.items() if value is not None}}


def _section(run: FirstRun, said: str) -> str:
    """The run as a part of the page."""
    lines = list(_lines(said))
    total = sum(float(one) for one in re.findall(TIMES + r"([\d.]+)\n", said))
    text = "\n".join(lines)
    return f"## {run.title}\n\n{run.about} In all: {total:.0f} s.\n\n```text\n{text}\n```\n"


def _lines(said: str) -> Iterator[str]:
    for part in said.split(MARK)[1:]:
        typed, _, rest = part.partition("\n")
        output, seconds, code = re.split(f"{TIMES}", rest)[:3]
        note = f"{float(seconds):.1f} s" + (f", exit {code.strip()}" if code.strip() != "0" else "")
        yield f"$ {typed:<60}  # {note}"
        shown = output.rstrip().splitlines()
        if len(shown) > MOST_LINES:
            cut = len(shown) - 2 * ENDS
            shown = [*shown[:ENDS], f"… ({cut} more lines)", *shown[-ENDS:]]
        yield from (line.rstrip() for line in shown)


if __name__ == "__main__":
    main()
