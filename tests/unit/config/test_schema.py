"""The JSON Schema is made from the shape and speaks of the file, not of what is in memory."""

import json

from bascule.config.schema import schema


def test_money_days_and_secrets_have_their_form_in_the_file() -> None:
    made = schema()
    text = json.dumps(made)
    assert "x-form" not in text
    assert "nanousd" not in text
    definitions = made["$defs"]
    limit = definitions["Budget"]["properties"]["limit_usd"]
    assert limit["minimum"] == 0
    assert "number" in limit["type"]
    assert definitions["Key"]["properties"]["secret"]["pattern"].startswith("^(env:")
    assert definitions["Config"]["additionalProperties"] is False
    assert "balanced" in json.dumps(definitions["Route"]["properties"]["objective"])
    assert definitions["Budget"]["required"] == ["scope", "limit_usd", "window"]
    assert definitions["WindowRates"]["properties"]["from"]["type"] == "string"


def test_every_section_of_the_interface_is_there() -> None:
    sections = set(schema()["$defs"]["Config"]["properties"])
    assert sections >= {
        "server", "data_dir", "durability", "mode", "database", "postgres", "privacy", "baseline", "providers",
        "models", "routes", "aliases", "contracts", "admin", "keys", "budgets", "cache",
    }  # fmt: skip
