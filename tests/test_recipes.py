"""Every recipe that `dataware explain` and the lines of stops give is carried out by a test."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from dataware.core.destructive_change import Loss
from dataware.core.guide import GUIDE

TESTS = Path(__file__).resolve().parent
TYPED = "e2e/test_recipes.py::"
CONSTRUCTS = "cdk/test_recipes.py::"
UNREAD = "faults/test_unread_fallback.py::"
DENIED = "faults/test_denied.py::"
ADOPTED = "e2e/test_adoption.py::"
TYPES = "cdk/test_referenced_types.py::"
CHAINED = "e2e/test_chained_copies.py::"
BY_ID = "e2e/test_import_by_id.py::"

# A rule with the beginning of its recipe: the test that does what the recipe says.
RULES: dict[str, str] = {
    "6 If the stack": f"{TYPED}test_rule_6_a_resource_that_is_gone_is_made_anew_or_restored",
    "6 To start": f"{TYPED}test_rule_6_a_resource_that_is_gone_is_made_anew_or_restored",
    "7 If the source": f"{TYPED}test_rules_7_and_9_what_is_gone_is_restored_under_its_name",
    "7 Compare": f"{TYPED}test_rules_7_and_9_what_is_gone_is_restored_under_its_name",
    "7 If the target": f"{TYPED}test_rules_7_and_9_the_printed_command_deletes_the_record",
    "8 See": f"{TYPED}test_rule_8_the_printed_commands_compare_and_bring_over_what_is_missing",
    "8 Copy": f"{TYPED}test_rule_8_the_printed_commands_compare_and_bring_over_what_is_missing",
    "8 Remove": f"{TYPED}test_rule_8_ends_without_the_fallback_and_is_a_stop_under_strict",
    "8 With": f"{TYPED}test_rule_8_ends_without_the_fallback_and_is_a_stop_under_strict",
    "9 Restore": f"{TYPED}test_rules_7_and_9_what_is_gone_is_restored_under_its_name",
    "9 If it was": f"{TYPED}test_rules_7_and_9_the_printed_command_deletes_the_record",
    "10 Choose": f"{TYPED}test_rule_10_another_name_or_the_app_of_the_owner_will_do",
    "10 Or release": f"{TYPED}test_rule_10_the_other_stack_lets_go_of_it_first",
    "10 Or migrate": f"{TYPED}test_rule_10_another_name_or_the_app_of_the_owner_will_do",
    "11 If the bucket": f"{DENIED}test_without_one_action_the_run_names_it",
    "11 If it is not": f"{TYPED}test_rule_11_another_name_or_no_such_fallback_will_do",
    "11 To copy": "faults/test_owners.py::test_a_partners_bucket_is_copied_once_its_owner_is_named",
    "13 Declare": f"{TYPED}test_rule_13_the_key_schema_of_the_source_is_declared",
    "13 Or transform": f"{TYPED}test_rule_13_items_that_were_transformed_are_imported",
    "14 Grant": f"{UNREAD}test_an_unread_fallback_stops_and_is_migrated_once_it_may_be_read",
    "14 If you know": f"{UNREAD}test_what_was_created_beside_an_unread_fallback_has_a_way_out",
    "14 If an empty": f"{UNREAD}test_what_was_created_beside_an_unread_fallback_has_a_way_out",
    "14 With": f"{DENIED}test_strict_stops_before_anything",
    "16 Or keep": f"{CONSTRUCTS}test_a_moved_construct_keeps_its_table",
    "17 Set": f"{TYPED}test_rule_17_the_same_protection_is_declared_or_a_weaker_accepted",
    "17 If that is": f"{TYPED}test_rule_17_the_same_protection_is_declared_or_a_weaker_accepted",
    "18 Copy": f"{TYPED}test_rule_18_what_cannot_be_copied_is_copied_by_hand_or_imported",
    "18 Or import": f"{TYPED}test_rule_18_what_cannot_be_copied_is_copied_by_hand_or_imported",
    "19 If the data": f"{TYPED}test_rule_19_a_resource_leaves_its_stack_and_stays",
    "21 Set": f"{TYPED}test_rule_21_what_would_be_deleted_is_retained_or_left_outside",
    "21 Or leave": f"{TYPED}test_rule_21_what_would_be_deleted_is_retained_or_left_outside",
    "23 Declare": f"{ADOPTED}test_what_cannot_become_what_is_declared_is_not_adopted",
    "23 Or choose": f"{ADOPTED}test_what_cannot_become_what_is_declared_is_not_adopted",
    "24 Declare": (
        f"{ADOPTED}test_a_shorter_lifetime_of_objects_stops_until_it_is_declared_or_allowed"
    ),
    "24 Or, if": f"{ADOPTED}test_what_is_allowed_to_be_deleted_is_adopted_and_told",
    "22 Write": f"{TYPED}test_rule_22_a_computed_name_is_written_out_or_left_outside",
    "22 Or leave": f"{TYPED}test_rule_22_a_computed_name_is_written_out_or_left_outside",
    "25 Follow": (
        f"{BY_ID}test_rule_25_another_name_is_chosen_or_the_secret_is_restored_and_adopted"
    ),
    "25 Or choose": (
        f"{BY_ID}test_rule_25_another_name_is_chosen_or_the_secret_is_restored_and_adopted"
    ),
    "26 Fill": f"{CHAINED}test_what_is_filled_first_is_the_source_of_the_other",
    "26 Or name": f"{CHAINED}test_one_older_source_serves_both",
    "20 Refer": f"{TYPES}test_what_exists_outside_of_the_stack_is_referenced",
}

LOOKED_UP = {
    "9 Find out": "CloudTrail is asked, and nothing is changed",
    "11 Check": "`dataware doctor` is asked, and nothing is changed",
    "16 Move it": "the embedded AWS has no stack refactoring",
    "19 Follow": "see LOSSES",
    "20 Or import": "a change set of the reader's own",
}
"""What no test carries out, and why."""

LOSSES: dict[Loss, str] = {
    Loss.LEAVES: f"{TYPED}test_rule_19_a_resource_leaves_its_stack_and_stays",
    Loss.MOVES: f"{CONSTRUCTS}test_a_moved_construct_keeps_its_table",
    Loss.RENAMED: (
        f"{TYPED}test_rule_19_a_rename_is_a_new_resource_with_the_old_name_as_its_fallback"
    ),
    Loss.DELETES: (
        "e2e/test_guard.py::test_a_change_that_deletes_data_in_place_stops_until_it_is_allowed"
    ),
    Loss.REPLACED: f"{TYPED}test_rule_19_another_key_schema_is_a_new_resource_beside_it",
}
"""The recipes at the end of the guard's lines, by what would happen."""

LINES: dict[str, str] = {
    # A part of the text in the sources, with the test that does what it says.
    "become {now.type or": (
        f"{TYPED}test_rule_19_another_type_is_adopted_after_the_stack_has_released_it"
    ),
    "declare {wanted.preferred} under a new construct id with {old} as its fallback": (
        f"{CONSTRUCTS}test_a_name_changed_in_place_is_kept_or_declared_under_a_new_id"
    ),
    "run `dataware deploy`, which copies before it deploys, or `dataware migrate": (
        f"{CONSTRUCTS}test_data_that_this_deployment_may_not_copy_is_copied_by_the_printed_command"
    ),
    "forbids copying it: leave that out": (
        f"{CONSTRUCTS}test_data_beside_an_empty_table_of_the_stack_has_three_ways_out"
    ),
    "run `dataware plan --lock` and commit": (
        f"{CONSTRUCTS}test_an_outdated_lock_file_is_written_again"
    ),
    "fix the cause and run `dataware deploy` again": (
        "e2e/test_deploy_refusals.py::test_a_deployment_that_failed_is_repeated_without_copying"
    ),
}


@cache
def functions(path: Path) -> frozenset[str]:
    """The names of the functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def recipes() -> list[str]:
    """Every recipe of the rules, behind the number of its rule."""
    return [f"{rule} {text}" for rule, guide in GUIDE.items() for text in guide.do]


def test_every_recipe_of_a_rule_is_known() -> None:
    """Each recipe begins with exactly one of the words above, and none of these is left over."""
    known = [*RULES, *LOOKED_UP]
    found = {one: [words for words in known if one.startswith(words)] for one in recipes()}
    assert {one: words for one, words in found.items() if len(words) != 1} == {}
    assert sorted(words for (words,) in found.values()) == sorted(known)


def test_every_loss_has_a_recipe() -> None:
    """Whatever the guard finds, a test does what its line says."""
    assert LOSSES.keys() == set(Loss)


def test_every_line_is_printed() -> None:
    """What is carried out is what the sources say now."""
    sources = sorted((TESTS.parent / "src").rglob("*.py"))
    text = "\n".join(one.read_text(encoding="utf-8") for one in sources)
    assert [line for line in LINES if line not in text] == []


def test_every_test_that_is_named_is_there() -> None:
    """A recipe whose test was renamed or removed is nobody's any more."""
    named = {*RULES.values(), *LOSSES.values(), *LINES.values()}
    pairs = [one.split("::") for one in named]
    assert [one for one in pairs if one[1] not in functions(TESTS / one[0])] == []
    assert all(re.fullmatch(r"test_\w+", name) for _, name in pairs)
