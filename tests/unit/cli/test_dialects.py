from typing import Any

from bascule.dialects.registry import CLIENT_DIALECTS, PROVIDER_DIALECTS


def test_the_matrix_has_every_pair(run: Any) -> None:
    cells = run("dialects", "matrix", "--json").json
    pairs = {(cell["client"], cell["provider"]) for cell in cells}
    assert pairs == {(client, provider) for client in CLIENT_DIALECTS for provider in PROVIDER_DIALECTS}
    assert len(pairs) == 24
    assert {verdict for cell in cells for verdict in cell["features"].values()} == {"kept", "lost", "refused"}


def test_one_pair_is_a_table_of_one_column(run: Any) -> None:
    shown = run("dialects", "matrix", "--client", "openai_chat", "--provider", "cohere").out
    assert "from openai_chat" in shown
    assert "to cohere" in shown
    assert "to chat" not in shown
    rows = dict(line.rsplit(None, 1) for line in shown.splitlines() if line.startswith(("request: ", "answer: ")))
    assert rows["request: document (PDF)"] == "refused"
    assert rows["answer: reasoning"] == "kept"


def test_an_unknown_dialect_names_those_that_there_are(run: Any) -> None:
    refused = run("dialects", "matrix", "--client", "telex")
    assert refused.code == 1
    assert "openai_responses" in refused.err
