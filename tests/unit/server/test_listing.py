"""What a key sees of the models."""

from typing import Any

from bascule.model.policy import KeyPolicy
from bascule.server.listing import CREATED, listed_names, models_body


def test_a_key_without_a_list_sees_every_name_of_the_configuration(gate: Any) -> None:
    names = listed_names(gate.service.snapshot, KeyPolicy(name="any"))
    assert names[:3] == ["auto", "small", "tiny"]
    assert len(names) == len(set(names))


def test_a_key_sees_what_it_was_granted_and_nothing_else(gate: Any) -> None:
    key = KeyPolicy(name="k", models=("local/x", "small", "auto"))
    assert listed_names(gate.service.snapshot, key) == ["auto", "small", "local/x"]


def test_one_body_for_all_clients(gate: Any) -> None:
    body = models_body(gate.service.snapshot, KeyPolicy(name="k", models=("auto", "small", "tiny")))
    assert body["data"] == body["models"]
    assert (body["object"], body["has_more"], body["first_id"], body["last_id"]) == ("list", False, "auto", "tiny")
    auto, small, tiny = body["data"]
    assert (auto["owned_by"], small["owned_by"], tiny["owned_by"]) == ("bascule", "local", "local")
    for entry in body["data"]:
        assert (entry["object"], entry["type"], entry["created"]) == ("model", "model", CREATED)
        assert entry["display_name"] == entry["id"]


def test_a_key_that_may_nothing_known_gets_an_empty_list(gate: Any) -> None:
    class Nothing:
        def names(self) -> tuple[str, ...]:
            return ()

        def catalog_names(self) -> tuple[str, ...]:
            return ()

    body = models_body(Nothing(), KeyPolicy(name="k"))  # type: ignore[arg-type]
    assert (body["data"], body["first_id"], body["last_id"]) == ([], None, None)
