"""Every client dialect at every provider dialect, whole and streamed: see cells/."""

import pytest
from msgspec import structs
from tests.wire.cells.ask import Ask
from tests.wire.cells.cell import CELLS, exchange
from tests.wire.cells.features import FEATURES
from tests.wire.cells.matrix import FILE, encoded, measured, verdict

from bascule.dialects.registry import CLIENT_DIALECTS
from bascule.testing.script import Script

NEVER_LOST = frozenset(
    {"text", "system prompt", "image as data", "tools", "a call is required", "parallel calls and results"}
    | {"image in a tool's result", "output cap", "text of an answer", "parallel calls", "output tokens"}
    | {"cached tokens", "cut by its cap", "reasoning", "system message in the middle"}
)
"""Whatever the pair of dialects, where the client has a word for it."""
UNLESS = {
    ("image in a tool's result", "cohere"): "a tool's result is text or documents there",
}
"""What a provider has no place for; see docs/dialects.md."""


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("client", "provider"), CELLS, ids=[f"{client}-to-{provider}" for client, provider in CELLS])
def test_cell_keeps_what_must_not_be_lost(client: str, provider: str, stream: bool) -> None:
    found = {feature.name: verdict(client, provider, feature, stream=stream) for feature in FEATURES}
    lost = {name for name in NEVER_LOST if found[name] not in ("kept", None) and (name, provider) not in UNLESS}
    assert lost == set()


@pytest.mark.parametrize(("client", "provider"), CELLS, ids=[f"{client}-to-{provider}" for client, provider in CELLS])
def test_cut_stream_is_never_a_clean_end(client: str, provider: str) -> None:
    outcome = exchange(client, provider, Ask(stream=True), Script(output_tokens=60), cut=True)
    assert outcome is not None
    assert outcome.told is None
    assert outcome.fault is not None
    assert outcome.fault.error_class == "truncated"


@pytest.mark.parametrize(("client", "provider"), CELLS, ids=[f"{client}-to-{provider}" for client, provider in CELLS])
def test_whole_and_streamed_say_the_same(client: str, provider: str) -> None:
    for feature in FEATURES:
        whole, streamed = [
            exchange(client, provider, structs.replace(feature.ask, stream=stream), feature.script)
            for stream in (False, True)
        ]
        if whole is None or streamed is None:
            continue
        assert whole.told == streamed.told, feature.name


@pytest.mark.parametrize("client", CLIENT_DIALECTS)
def test_what_a_dialect_has_no_word_for_its_own_relay_does_not_tell(client: str) -> None:
    for feature in FEATURES:
        if feature.kind == "answered":
            outcome = exchange(client, client, feature.ask, feature.script)
            assert outcome is not None
            assert feature.kept(outcome) == (client not in feature.no_word), feature.name


def test_shipped_matrix_is_what_was_measured() -> None:
    assert FILE.read_bytes() == encoded(measured()), "run: python -m tests.wire.cells.matrix"
