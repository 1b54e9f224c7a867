"""The catalogue of resource types."""

from __future__ import annotations

import pytest

from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.phases import ACCOUNT
from dataware.kinds import CATALOGUE, kinds, load
from dataware.kinds.unknown import HOLDS_DATA


@pytest.mark.parametrize("cfn_type", CATALOGUE)
def test_every_line_leads_to_the_card_of_its_type(cfn_type: str) -> None:
    """A line of the catalogue names a module whose card is of that very type."""
    assert load(cfn_type).cfn_type == cfn_type


def test_names_and_schemes_are_unique() -> None:
    """Markers, file names and addresses can tell the kinds apart.

    Two types of one name are the same thing under the same name, and are looked at alike.
    """
    cards = kinds()
    slugs = {card.names.slug for card in cards}
    assert len(slugs) == len({card.probe for card in cards})
    assert len({(card.names.slug, card.probe) for card in cards}) == len(slugs)
    schemes = {(card.copying.scheme, card.probe) for card in cards if card.copying}
    assert len(schemes) == len({scheme for scheme, _ in schemes})


@pytest.mark.parametrize("card", kinds(), ids=lambda card: card.cfn_type)
def test_types_of_one_kind_know_each_other(card: Kind) -> None:
    """One card says which types declare the same thing: all of its name, and those of no card."""
    assert set(card.all_types) - HOLDS_DATA.keys() == {
        one.cfn_type for one in kinds() if one.names.slug == card.names.slug
    }


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("AWS::DynamoDB::Tabel", "AWS::DynamoDB::Table"),
        ("aws::s3::bucket", "AWS::S3::Bucket"),
        ("AWS::SSM::Parametr", "AWS::SSM::Parameter"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(wrong: str, meant: str) -> None:
    """An unknown type that looks like a known one is told which."""
    with pytest.raises(InputError, match=f"did you mean {meant}") as raised:
        load(wrong)
    assert wrong in str(raised.value)


def test_a_stranger_is_answered_with_the_known_types() -> None:
    """A type that resembles none is told all that there are."""
    with pytest.raises(InputError) as raised:
        load("bananas")
    assert all(known in str(raised.value) for known in CATALOGUE)


@pytest.mark.parametrize("card", kinds(), ids=lambda card: card.cfn_type)
def test_every_action_is_checked_against_some_resource(card: Kind) -> None:
    """A policy that is scoped to resources loses no action; those of the account have none."""
    arns = card.access.arns("name", "111122223333", "eu-central-1", "aws")
    actions = {
        action for phase, some in card.access.phases.items() if phase != ACCOUNT for action in some
    }
    assert [one for one in actions if not any(card.access.governs(one, arn) for arn in arns)] == []
