"""Tables that a service of AWS is making can neither be read nor changed; run by `overlay`.

It imports nothing of dataware, which is not installed where it runs. `run_path` gives it `replaces`
of `overlay`, and gives `refuses_while_made` to what runs after it. Sources: Amazon DynamoDB API
Reference, GetItem and UpdateTable ("Errors").
"""

from functools import partial

from ministack.services import dynamodb

replaces = globals()["replaces"]


def refuses_while_made(is_made):
    """Let a table neither be read nor changed while `is_made` says of its name that it is made."""

    def refuse(original, data, code, text):
        given = data.get("TableName") or data.get("ResourceArn") or ""
        if is_made(dynamodb._normalize_table_name(given)):
            return dynamodb.error_response_json(code, text, 400)
        return original(data)

    missing = {"code": "ResourceNotFoundException", "text": "Requested resource not found"}
    for call in ("_scan", "_query", "_get_item", "_put_item", "_update_item", "_delete_item"):
        replaces(dynamodb, call)(partial(refuse, **missing))
    used = "Attempt to change a resource which is in use"
    for call in ("_update_table", "_delete_table", "_update_ttl", "_tag_resource"):
        replaces(dynamodb, call)(partial(refuse, code="ResourceInUseException", text=used))
