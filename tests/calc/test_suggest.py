"""What somebody may have meant is said in one phrase."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.calc.suggest import did_you_mean, nearest, suggestion_for

WORDS = ("AWS::DynamoDB::Table", "AWS::S3::Bucket")


def test_a_slip_leads_to_the_nearest_word_whatever_its_case() -> None:
    """Letters that were swapped, left out or written large are found."""
    assert nearest("AWS::DynamoDB::Tabel", WORDS) == "AWS::DynamoDB::Table"
    assert nearest("aws::s3::bucket", WORDS) == "AWS::S3::Bucket"
    assert nearest("profile", WORDS) is None


def test_the_phrase_ends_a_sentence_or_is_left_out() -> None:
    """Nothing is guessed where nothing is near."""
    assert suggestion_for("Fallbak", ["Fallback"]) == ", did you mean Fallback?"
    assert suggestion_for("Fallbak", ["xyz"]) == ""


def test_without_a_near_word_the_choices_are_listed() -> None:
    """Who is far off sees what there is."""
    assert did_you_mean("zzz", ["b", "a"]) == "choose from a, b"
    assert did_you_mean("zzz", []) == "there is nothing to choose from"


@given(st.text(max_size=30), st.lists(st.text(max_size=20), max_size=8))
def test_only_known_words_are_proposed(word: str, known: list[str]) -> None:
    """Whatever was typed, the proposal is one of the known words."""
    assert nearest(word, known) in {None, *known}


@given(st.lists(st.text("abcdefgh", min_size=3), min_size=1, unique=True), st.data())
def test_a_known_word_is_nearest_to_itself(known: list[str], data: st.DataObject) -> None:
    """No other word is ever proposed for one that is right."""
    word = data.draw(st.sampled_from(known))
    assert nearest(word, known) == word


@pytest.mark.parametrize(
    ("word", "meant"),
    [("us-esat-1", "us-east-1"), ("eu-wset-1", "eu-west-1"), ("US-ESAT-1", "us-east-1")],
)
def test_letters_that_changed_places_are_the_likeliest_slip(word: str, meant: str) -> None:
    """A word of the very same letters goes before one that only looks alike."""
    known = ["us-west-1", "us-east-1", "us-east-2", "eu-west-1", "eu-west-2", "eu-east-1"]
    assert nearest(word, known) == meant
