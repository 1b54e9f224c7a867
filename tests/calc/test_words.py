"""Nouns behind the right article."""

from __future__ import annotations

import pytest

from dataware.calc.words import list_words, plural, with_article
from dataware.kinds import kinds


@pytest.mark.parametrize(
    ("noun", "text"),
    [
        ("S3 bucket", "an S3 bucket"),
        ("SSM parameter", "an SSM parameter"),
        ("ECR repository", "an ECR repository"),
        ("DynamoDB table", "a DynamoDB table"),
        ("Cognito user pool", "a Cognito user pool"),
        ("KMS key", "a KMS key"),
        ("user pool", "a user pool"),
        ("item", "an item"),
    ],
)
def test_the_article_follows_the_sound(noun: str, text: str) -> None:
    """Of words by their first letter, of abbreviations by the name of it."""
    assert with_article(noun) == text


def test_every_kind_has_a_noun_that_can_be_said() -> None:
    """No noun brings an article of its own."""
    for kind in kinds():
        assert with_article(kind.noun).split()[0] in {"a", "an"}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "nothing"),
        (["buckets"], "buckets"),
        (["buckets", "tables"], "buckets and tables"),
        (["buckets", "tables", "repositories"], "buckets, tables and repositories"),
    ],
)
def test_words_are_listed_as_people_do(words: list[str], text: str) -> None:
    """However many there are."""
    assert list_words(words) == text


@pytest.mark.parametrize(
    ("noun", "several"),
    [("bucket", "buckets"), ("repository", "repositories"), ("key", "keys"), ("table", "tables")],
)
def test_a_noun_has_a_form_for_several(noun: str, several: str) -> None:
    """That of English words that end in y, too."""
    assert plural(noun) == several
