"""The options of `cdk deploy`: read from its own help, and told apart from the stacks beside them.

The rules are those of yargs, which parses the command line of CDK: a boolean takes the next word
only if that is `true` or `false`, every other option takes the next word unless it begins with a
dash, an array takes one word at a time, and a variable `CDK_…` stands for an option that is not
given. What cannot be told apart for certain is refused.

Source: yargs, "Options", and the parsing rules of yargs-parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dataware.calc.suggest import suggestion_for
from dataware.core.errors import InputError

BOOLEAN, COUNT, ARRAY = "boolean", "count", "array"
FLAGS = frozenset({BOOLEAN, COUNT})
HIDDEN = {"R": BOOLEAN}
"""What the help does not list: `-R` is short for `--no-rollback`."""

ROW = re.compile(r"^ {2}(-\S+(?:, -\S+)*)(?: {2,}|$)")
WRAPPED = re.compile(r"^ {2}(\S+)(?: {2,}|$)")
TYPE = re.compile(r"\[(boolean|count|array|string|number)\]")
NEGATIVE = re.compile(r"-(\d+(\.\d+)?|\.\d+)")


@dataclass(frozen=True, slots=True)
class CdkOption:
    """One option of the CDK command line: its long name, and the type that its help tells."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class GivenOption:
    """An option as it was given: its name, its value, and the words that said so."""

    name: str
    value: str | bool
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CdkArguments:
    """What was given to `cdk deploy`: the stacks, and the options in their order."""

    stacks: tuple[str, ...] = ()
    options: tuple[GivenOption, ...] = ()
    environ: Mapping[str, str | bool] | None = None

    def value(self, name: str) -> str | bool | None:
        """The value of an option, from the command line or else the environment."""
        values = [one.value for one in self.options if one.name == name]
        return values[-1] if values else (self.environ or {}).get(name)

    def is_set(self, name: str) -> bool:
        """Whether a boolean option is on."""
        return self.value(name) is True

    def text(self, name: str) -> str | None:
        """The value of an option that takes one."""
        value = self.value(name)
        return value if isinstance(value, str) else None

    def texts(self, name: str) -> list[str]:
        """Every value of an option that may be given again."""
        return [str(one.value) for one in self.options if one.name == name]

    def words(self, *, only: Iterable[str] | None = None, but: Iterable[str] = ()) -> list[str]:
        """The words of the chosen options, as they were given."""
        chosen = None if only is None else frozenset(only)
        without = frozenset(but)
        return [
            word
            for one in self.options
            if one.name not in without and (chosen is None or one.name in chosen)
            for word in one.words
        ]

    def with_option(self, table: OptionTable, name: str, value: str | None) -> CdkArguments:
        """The same with a value for an option, if there is one and CDK knows the option."""
        if value is None or name not in table or self.text(name) == value:
            return self
        return replace(
            self, options=(*self.options, GivenOption(name, value, (f"--{name}", value)))
        )


@dataclass(frozen=True, slots=True)
class OptionTable:
    """The options that a CDK command line knows, by every spelling of each."""

    spellings: Mapping[str, CdkOption]

    def __contains__(self, name: str) -> bool:
        """Whether an option of that name exists."""
        return name in self.spellings

    def find(self, spelling: str) -> CdkOption:
        """The option of that spelling, dashes left out. Raises InputError."""
        kebab = re.sub(r"(?<=[a-z])([A-Z])", lambda match: f"-{match[1].lower()}", spelling)
        option = self.spellings.get(spelling) or self.spellings.get(kebab)
        if option is None:
            dashes = "-" if len(spelling) == 1 else "--"
            names = {one.name for one in self.spellings.values()}
            near = suggestion_for(spelling, names)
            raise InputError(f"`cdk deploy` of this project has no option {dashes}{spelling}{near}")
        return option


def read_option_table(text: str) -> OptionTable:
    """The options in the answer of `cdk deploy --help`."""
    spellings: dict[str, CdkOption] = {}
    for names, description in _rows(text):
        match = TYPE.search(description)
        long = [name.lstrip("-") for name in names.split(", ")]
        option = CdkOption(next((name for name in long if len(name) > 1), long[0]), BOOLEAN)
        option = replace(option, type=match[1]) if match else option
        spellings |= dict.fromkeys(long, option)
    for letter, kind in HIDDEN.items():
        spellings.setdefault(letter, CdkOption(letter, kind))
    return OptionTable(spellings)


def _rows(text: str) -> Iterator[tuple[str, str]]:
    """The names and the description of each option; both may go on in the lines below."""
    names, description = "", ""
    for line in text.splitlines():
        match = ROW.match(line)
        if match and names.endswith(","):
            names, description = f"{names} {match[1]}", f"{description} {line[match.end() :]}"
        elif match:
            if names:
                yield names, description
            names, description = match[1], line[match.end() :]
        elif names and (match := WRAPPED.match(line)):
            names, description = names + match[1], f"{description} {line[match.end() :]}"
        elif names:
            description = f"{description} {line.strip()}"
    if names:
        yield names, description


def parse_cdk_arguments(
    words: Sequence[str], table: OptionTable, environ: Mapping[str, str]
) -> CdkArguments:
    """Tell options and stacks apart. Raises InputError for what CDK would not take, either."""
    stacks: list[str] = []
    options: list[GivenOption] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            raise InputError("CDK passes over the stacks behind a `--`: leave that out")
        if word.startswith("-") and word != "-":
            options += _take_option(word, rest, table)
        else:
            stacks.append(word)
    if "" in stacks:
        raise InputError("an empty argument names no stack: leave it out")
    _refuse_repeated(options, table)
    return CdkArguments(tuple(stacks), tuple(options), _from_environ(table, environ))


def _take_option(word: str, rest: list[str], table: OptionTable) -> list[GivenOption]:
    """The option, or the cluster of short ones, in a word; takes its value from the rest."""
    name, equals, value = word.partition("=")
    if not name.startswith("--") and len(name) > 2:
        return _take_cluster(word, rest, table)
    if name.startswith("--no-") and not equals and name[2:] not in table:
        option = table.find(name[5:])
        if option.type not in FLAGS:
            raise InputError(f"--{option.name} takes a value, so {word} means nothing")
        return [GivenOption(option.name, False, (word,))]
    option = table.find(name.lstrip("-"))
    if equals:
        return [GivenOption(option.name, _parsed_value(option, value, word), (word,))]
    following = rest[0] if rest else None
    if option.type in FLAGS:
        if following in {"true", "false"}:
            return [GivenOption(option.name, following == "true", (word, rest.pop(0)))]
        return [GivenOption(option.name, True, (word,))]
    if following is None or (following.startswith("-") and not NEGATIVE.fullmatch(following)):
        raise InputError(f"the option {word} of `cdk deploy` needs a value")
    return [GivenOption(option.name, following, (word, rest.pop(0)))]


def _take_cluster(word: str, rest: list[str], table: OptionTable) -> list[GivenOption]:
    letters = [*word[1:]]
    for letter in letters:
        if not letter.isalpha() or table.find(letter).type not in FLAGS:
            raise InputError(f"write the options in {word} one by one, as in -c KEY=VALUE")
    *first, last = [f"-{letter}" for letter in letters]
    flags = [GivenOption(table.find(one[1:]).name, True, (one,)) for one in first]
    return [*flags, *_take_option(last, rest, table)]


def _parsed_value(option: CdkOption, value: str, word: str) -> str | bool:
    if option.type not in FLAGS:
        if not value:
            raise InputError(f"the option {word} of `cdk deploy` needs a value")
        return value
    if value not in {"true", "false"}:
        raise InputError(f"{word}: --{option.name} is either true or false")
    return value == "true"


def _refuse_repeated(options: Sequence[GivenOption], table: OptionTable) -> None:
    names = [one.name for one in options if table.find(one.name).type not in {*FLAGS, ARRAY}]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--{name} can be given only once to `cdk deploy`")


def _from_environ(table: OptionTable, environ: Mapping[str, str]) -> dict[str, str | bool]:
    """The options that variables such as CDK_METHOD set, as yargs reads them."""
    options: dict[str, str | bool] = {}
    for option in {one.name: one for one in table.spellings.values()}.values():
        value = environ.get(f"CDK_{option.name.upper().replace('-', '_')}")
        if value is not None:
            options[option.name] = value == "true" if option.type in FLAGS else value
    return options
