"""A template that is written out reads its resources once, however many ask for them."""

from __future__ import annotations

from dataware.core.expand import ExpandedTemplate

BUCKET, TABLE = {"Type": "AWS::S3::Bucket"}, {"Type": "AWS::DynamoDB::Table"}


def test_the_resources_of_a_template_are_read_once() -> None:
    """Or a template of n resources, each of which asks for all, would be read n times."""
    template = ExpandedTemplate({"Resources": {"One": BUCKET, "Two": TABLE}})
    assert template.resources == {"One": BUCKET, "Two": TABLE}
    assert template.resources is template.resources
    assert template.ids_by_type is template.ids_by_type


def test_the_ids_of_a_type_stand_in_the_order_of_the_template() -> None:
    """What has no type that can be read stands under none."""
    bodies = {"Z": BUCKET, "A": TABLE, "B": BUCKET, "C": {"Type": {"Ref": "T"}}, "D": "text"}
    template = ExpandedTemplate({"Resources": bodies})
    assert template.ids_by_type == {"AWS::S3::Bucket": ["Z", "B"], "AWS::DynamoDB::Table": ["A"]}
    assert ExpandedTemplate({}).ids_by_type == {}
