"""The card that a resource type fills in, in four parts: names, template, access and copying.

A new resource type is one module under `dataware.kinds` that ends in a `KIND`. Core, the copy
engine, the use cases and the constructs read nothing but this card; what it leaves out is never
planned.

A card is light, because every card is loaded where an app is planned: what copies, verifies,
follows and rehearses, and what an engine does, stands in modules of its own, which a function of
the card imports when it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from dataware.calc.words import with_article
from dataware.core.comparison import ConfigurationComparison
from dataware.core.copier import MakeCopier
from dataware.core.errors import InputError
from dataware.core.estimate import Throughput
from dataware.core.model import Facts, Location, Setting, Size
from dataware.core.ports import Aws
from dataware.core.reader import MakeReader

if TYPE_CHECKING:
    from dataware.core.engines.card import EngineCard
    from dataware.core.follow.following import Following
    from dataware.core.rehearsal import Rehearsal


@dataclass(frozen=True)
class Names:
    """What a type is called, and what its resources may be called.

    `slug` stands in markers and file names; `noun` ("S3 bucket"), `short` ("bucket") and `unit`
    ("object") are for people. `check` says what is wrong with the name of a resource that is to be
    created, and `check_existing` with that of one that stands (the same where it is None).
    `are_unique` is False where two resources of an account may share a name. `parts` is what the
    ARN of a part of a resource names after it, such as an index.
    """

    slug: str
    noun: str
    short: str
    unit: str
    check: Callable[[str], str | None]
    check_existing: Callable[[str], str | None] | None = None
    are_unique: bool = True
    parts: tuple[str, ...] = ()

    def find_problem(self, name: str) -> str | None:
        """What is wrong with a name under which something may stand already, or None."""
        return (self.check_existing or self.check)(name)


class IndirectName(NamedTuple):
    """What a name says that is another way to a resource; None stands for the caller's own."""

    name: str
    prefix: str = ""
    account: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class IndirectNames:
    """Names by which a resource is reached though it is called otherwise.

    `parse` reads one, and is None for what is none; `resolve` gives the place that requests go to;
    `check_pair` raises InputError for two sides between which no copy goes that way.
    """

    parse: Callable[[str], IndirectName | None]
    resolve: Callable[[Aws, Location], Location]
    check_pair: Callable[[Location, Location], None]


@dataclass(frozen=True)
class DescribedProperties:
    """The CloudFormation properties of a resource as it is, without its name.

    `left_out` says what of it they do not carry, a clause each.
    """

    properties: Mapping[str, Any]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class ShortForm:
    """A type of template which stands for a resource of the card, and says less of it.

    The `transform` of AWS writes it out, and adds nothing else that holds data; `write_out` gives
    the properties of the resource out of those of the short form.
    """

    type: str
    transform: str
    write_out: Callable[[Mapping[str, Any]], Iterable[tuple[str, Any]]]


class MakingTransform(NamedTuple):
    """A transform of AWS that makes resources of a type, out of `properties` of another one.

    The logical id of what it makes begins with that of the other one.
    """

    name: str
    properties: tuple[str, ...]


ActingResources = Mapping[str, Mapping[str, Any]]
"""The properties of custom resources that act on one other resource, by logical id."""


@dataclass(frozen=True)
class CustomDeletion:
    """How custom resources of a type delete what another resource of their stack holds.

    `target` is the property that says on which one they act. `find` says what is deleted, and how
    it is kept, out of those that act on it before and after an update, and of its own properties
    on both sides.
    """

    target: str
    find: Callable[
        [ActingResources, ActingResources, Mapping[str, Any], Mapping[str, Any]],
        Iterable[tuple[str, str]],
    ]


@dataclass(frozen=True)
class Template:
    """How a CloudFormation template declares a resource, and what CloudFormation does with it.

    `identifier` is the property that holds the physical name; without a `has_name` there is no such
    property, and it is what the id is called. `types` are the CloudFormation types
    that declare one and the same thing, such as tables and global tables (empty: the card's own);
    they share `Names.slug`, and are looked up together where a resource is looked for by its type.
    `short_form` is what a transform of AWS writes out as one, and `made_by` a transform that makes
    one out of other resources.
    `list_problems` says all that is wrong with literal properties, `list_missing` what else has to
    be declared before such a resource can be created, and `describe` gives the properties of one
    that exists (None for types that cannot be described yet). `properties_like` gives those
    that an existing resource asks for, and `declared_schema` reads the key schema ("" without one,
    None where it is not literal). `declared_settings` reads how well the data is protected, out of
    the `protective` properties; `policies` are the types that protect it from outside.

    CloudFormation refuses to change the properties in `unchangeable`.
    A change of one of the properties `replaced_by`, or of the `identifier` unless it is
    `renamed_in_place`, makes CloudFormation replace the resource, and so does a change of one in
    `replaced_once_set` that was declared before, one of `replaced_unless` its function says, out of
    all values before and after, that the type's handler updates it in place, one of
    `replaced_without` its switch in the UpdatePolicy attribute is true, and of a part in
    `fixed_parts`, which gives by name what may come and go (the whole value where it is not literal
    which they are). What is `updated_in_place` is never replaced for its change, though the
    schema of the type says that it may be. `stateful` is False where the template holds the
    whole value, so that nothing is lost with the resource; `adoptable` is False where
    CloudFormation cannot import a resource by its name, and `import_identifier` is then the
    property by which an explicit change set names it (empty where nothing can be adopted, so
    that it is referenced). What is in `import_whole` changes data when its declaration changes,
    so it is imported exactly as declared, and `import_note` says in a clause what the import
    does beside. `hidden` are properties that may hold a password, or PROPERTY.PART, which no
    file keeps. `effects` tell, by the type of another resource, which one it acts on and what
    it does to its data, when that one comes into the stack, and `custom_deletions`, by the type of
    a custom resource, what an update of it deletes of one that the stack has. `name_of` gives the
    name in a physical id that is another, None where that does not say it. `Ref` gives the name
    unless `reference_is_id`, and `Fn::GetAtt` of `Arn` the ARN of the card, if `has_arn`. A name
    may rest on other properties than the `identifier`: `name_expression` gives the expression that
    it is (None where CloudFormation generates it), out of the properties and what evaluates one of
    them, `name_parts` are other properties that say nothing but the name, and `name_properties`
    those that give such a name.
    """

    identifier: str
    types: tuple[str, ...] = ()
    short_form: ShortForm | None = None
    made_by: MakingTransform | None = None
    list_problems: Callable[[Mapping[str, Any]], Iterable[str]] = lambda _properties: ()
    list_missing: Callable[[Mapping[str, Any]], Iterable[str]] = lambda _properties: ()
    describe: Callable[[Aws, str], DescribedProperties] | None = None
    properties_like: Callable[[Facts], Mapping[str, Any]] = field(default=lambda _facts: {})
    declared_schema: Callable[[Mapping[str, Any]], str | None] = lambda _properties: ""
    declared_settings: Callable[[Mapping[str, Any]], Mapping[str, Setting]] = field(
        default=lambda _properties: {}
    )
    protective: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    replaced_by: tuple[str, ...] = ()
    replaced_once_set: tuple[str, ...] = ()
    replaced_unless: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], bool]] = field(
        default_factory=dict
    )
    replaced_without: Mapping[str, str] = field(default_factory=dict)
    updated_in_place: tuple[str, ...] = ()
    unchangeable: tuple[str, ...] = ()
    fixed_parts: Callable[[Mapping[str, Any]], Any] = field(default=lambda _properties: None)
    renamed_in_place: bool = False
    stateful: bool = True
    has_name: bool = True
    adoptable: bool = True
    import_identifier: str = ""
    import_whole: tuple[str, ...] = ()
    import_note: str = ""
    hidden: tuple[str, ...] = ()
    effects: Mapping[str, Callable[[Mapping[str, Any]], tuple[Any, str] | None]] = field(
        default_factory=dict
    )
    custom_deletions: Mapping[str, CustomDeletion] = field(default_factory=dict)
    name_of: Callable[[str], str | None] = lambda physical_id: physical_id
    reference_is_id: bool = False
    has_arn: bool = True
    name_expression: Callable[[Mapping[str, Any], Callable[[Any], Any]], Any] | None = None
    name_properties: Callable[[str], Mapping[str, Any]] | None = None
    name_parts: tuple[str, ...] = ()

    def list_hidden(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """The properties that no file keeps, because they or a part of them may be secret."""
        split = [
            path.partition(".") for path in self.hidden if path.partition(".")[0] in properties
        ]
        return tuple(name for name, _, part in split if not part or part in str(properties[name]))

    @property
    def replacing(self) -> tuple[str, ...]:
        """Every property but the name whose change replaces the resource, or may."""
        conditional = (*self.replaced_once_set, *self.replaced_unless, *self.replaced_without)
        return (*self.replaced_by, *conditional)

    def expression_of_name(
        self, properties: Mapping[str, Any], resolve: Callable[[Any], Any]
    ) -> Any:
        """The expression of the physical name; None where CloudFormation generates it."""
        if self.name_expression is not None:
            return self.name_expression(properties, resolve)
        return properties.get(self.identifier)

    @property
    def is_adoptable(self) -> bool:
        """Whether a stack can adopt one, by its name or by its physical id."""
        return self.adoptable or bool(self.import_identifier)

    def check_properties(self, properties: Mapping[str, Any]) -> str | None:
        """The first of what is wrong with literal properties, or None."""
        return next(iter(self.list_problems(properties)), None)


@dataclass(frozen=True)
class Permissions:
    """Which IAM actions each phase takes, and on which resources.

    `phases` maps a phase (account, probe, read, write, verify, versions, create) to its actions;
    `arns` gives the resources that they are scoped to, by name, account, region and partition, and
    `governs` tells whether an action is ever checked against one of them. No decision rests on the
    actions in `informing`, and those in `ownership` show whose a resource is. A role that a phase
    passes goes to the services in `passes_to`.
    """

    phases: Mapping[str, tuple[str, ...]]
    arns: Callable[[str, str, str, str], tuple[str, ...]]
    informing: tuple[str, ...] = ()
    ownership: tuple[str, ...] = ()
    passes_to: tuple[str, ...] = ()
    governs: Callable[[str, str], bool] = lambda _action, _arn: True


@dataclass(frozen=True)
class Copying:
    """How the data of a resource is copied and compared; a type without this is never copied.

    `scheme` is that of addresses (``s3://…``), and with `prefixes` they may select keys by prefix.
    Readers list in key order if `ordered`; `key_schema` reads the schema of a resource, for types
    whose records have one. `batch` is how many units of data one line of progress stands for;
    `readers` parts are read (each holds some pages) and `writers` units written at the same time,
    unless a person says otherwise. `charges` are the billed units of copying a size, by the names
    of the price table, and `verify_charges` what of these the verification takes; `speed` is that
    of a usual copy, and `advice` says which properties of a
    target that is to be created would help a copy of that size. `history` says in a clause what a
    resource holds all of whose data only a copy of all versions takes, and `foresee_skipped` what
    of a source no copy will carry, as far as a look shows it. `expiry_note` begins the note on one
    that deletes its own data in time (empty for types that never do). `following` gives how a
    source that is written to is followed; None for types that cannot be. `engines` are those that
    only this type has. With `object_headers` what is written takes headers of encryption and
    access, and one that `relays` is read and written by different credentials, if need be.
    `rehearsal` gives how its migration is rehearsed.
    `in_deployments` is False where only the command line copies, because a deployment has no room
    for what that takes. `makes_target` says that the copier makes a target that is not there,
    and `in_plans` is False where no plan copies: because the template holds the whole value, or
    because the copy is partial. `not_carried` is what of a resource nobody can copy; a copy that
    leaves something out is made with consent only, and is never called complete.
    """

    scheme: str
    copier: MakeCopier
    reader: MakeReader
    prefixes: bool = False
    ordered: bool = True
    key_schema: Callable[[Aws, str], str | None] | None = None
    batch: int = 1
    readers: int = 4
    writers: int = 32
    charges: Callable[[Size], Mapping[str, float]] = field(default=lambda _size: {})
    verify_charges: Callable[[Size], Mapping[str, float]] = field(default=lambda _size: {})
    speed: Throughput = field(default=Throughput(1000.0))
    advice: Callable[[Mapping[str, Any], Size], str | None] = field(
        default=lambda _properties, _size: None
    )
    history: str = "holds no current data"
    foresee_skipped: Callable[[Facts], Iterable[str]] = field(default=lambda _source: ())
    expiry_note: str = ""
    following: Callable[[], Following] | None = None
    rehearsal: Callable[[], Rehearsal] | None = None
    engines: Callable[[], tuple[EngineCard, ...]] = field(default=lambda: ())
    object_headers: bool = False
    relays: bool = False
    in_deployments: bool = True
    makes_target: bool = False
    in_plans: bool = True
    not_carried: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeletionCancellation:
    """How a deletion that was asked for, and is not carried out yet, is cancelled.

    `is_due` tells whether there is one, and `run` cancels it. Both raise LookupFailedError.
    """

    is_due: Callable[[Aws, str], bool]
    run: Callable[[Aws, str], None]


@dataclass(frozen=True)
class Kind:
    """A resource type: its card.

    `probe` looks at what stands under a name. `locate` tells in which region a place really is,
    where names belong to no region; it is None for other types, and answers None where that cannot
    be seen. `comparison` compares a live resource with its template before a stack adopts it.
    `indirect` are further ways to name one of which a copy is asked for by hand. `cancellation`
    ends a deletion that waits, which a person has to allow; None for types that know no such thing.
    """

    cfn_type: str
    names: Names
    template: Template
    access: Permissions
    probe: Callable[[Aws, str], Facts]
    copying: Copying | None = None
    locate: Callable[[Aws, Location], str | None] | None = None
    comparison: ConfigurationComparison | None = None
    indirect: IndirectNames | None = None
    cancellation: DeletionCancellation | None = None

    @property
    def noun(self) -> str:
        """The type in a sentence, such as "S3 bucket"."""
        return self.names.noun

    @property
    def short(self) -> str:
        """The type where it is clear whose it is, such as "bucket"."""
        return self.names.short

    @property
    def unit(self) -> str:
        """One piece of its data in a sentence, such as "object"."""
        return self.names.unit

    @property
    def all_types(self) -> tuple[str, ...]:
        """Every CloudFormation type that declares this kind of thing."""
        return self.template.types or (self.cfn_type,)

    @property
    def is_copied_in_deployments(self) -> bool:
        """Whether the deployment of a stack can copy its data, not the command line alone."""
        return self.copying is not None and self.copying.in_deployments

    @property
    def is_copied_by_plans(self) -> bool:
        """Whether a plan may copy its data, not a person by hand alone."""
        return self.copying is not None and self.copying.in_plans

    def require_copying(self) -> Copying:
        """How its data is copied. Raises InputError for a type that is not copied."""
        if self.copying is None:
            raise InputError(f"dataware cannot copy {with_article(self.noun)}")
        return self.copying
