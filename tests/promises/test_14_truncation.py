"""No truncated answer looks complete, whichever dialects meet and wherever it is cut."""

import random
from pathlib import Path
from typing import Any

import pytest
from tests.promises.conftest import Figure
from tests.promises.dialects import (
    CLIENTS,
    ENDS,
    PAIRS,
    PROVIDERS,
    ask,
    config,
    ends_of,
    provider_bytes,
    tells_of_an_error,
)
from tests.promises.steady import gateway

from bascule.gateway.surfaces import Surface
from bascule.testing.script import Fault, Script
from bascule.testing.transport import Break, Reply, stream

ALONE = config("retry: {max_attempts: 1}\nbreaker: {enabled: false}\ncache: {exact: {enabled: false}}\n")
SCRIPT = Script(text="a few words of an answer", response_id="answer-1")


def cut_at(data: bytes, place: int, how: str) -> Reply:
    """The stream's first bytes, then a clean end of the body, or a broken connection."""
    parts: list[Any] = [data[:place]] if place else []
    return stream(*parts, *([Break("reset")] if how == "reset" else []))


@pytest.mark.promise(14, fault="a stream cut at any byte, cleanly or not", limit="0 look complete")
@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_a_stream_that_is_cut(tmp_path: Path, figure: Figure, full: bool, client: Surface, provider: str) -> None:
    pieces = provider_bytes(provider, SCRIPT)
    data = b"".join(pieces)
    end = data.index(ENDS[provider])
    boundaries = {sum(map(len, pieces[:count])) for count in range(len(pieces) + 1)}
    drawn = random.Random(14).sample(range(end), min(end, 400 if full else 8))
    places = sorted({*drawn, *[place for place in boundaries if place <= end]})
    wrong: list[tuple[int, str]] = []
    with gateway(tmp_path, config=ALONE) as world:
        for place in places:
            for how in ("clean end", "reset"):
                world.upstream.replies = [cut_at(data, place, how)]
                answer = world.ask(**ask(client, f"first-{provider}-model"))
                if ends_of(client, answer) or not tells_of_an_error(answer):
                    wrong.append((place, how))
        world.upstream.replies = [stream(data)]
        whole = world.ask(**ask(client, f"first-{provider}-model"))
    figure("cuts", 2 * len(places))
    figure("looked complete", len(wrong))
    assert (whole.status, ends_of(client, whole), tells_of_an_error(whole)) == (200, 1, False)
    assert wrong == []


STREAM_FAULTS: tuple[Fault, ...] = ("clean_eof", "truncated_event", "no_done", "empty_stream", "bad_json_line")


@pytest.mark.promise(14, fault="clean_eof, truncated_event, no_done, empty_stream, bad JSON", limit="0 look complete")
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("fault", STREAM_FAULTS)
def test_a_stream_that_ends_in_an_odd_way(tmp_path: Path, figure: Figure, client: Surface, fault: Fault) -> None:
    wrong = []
    with gateway(tmp_path, config=ALONE) as world:
        for provider in PROVIDERS:
            if fault == "no_done" and provider == "gemini":
                continue  # its streams have no event after the one that says how they ended
            spoilt = Script(text=SCRIPT.text, response_id="answer-1", fault=fault)
            world.upstream.replies = [stream(*provider_bytes(provider, spoilt))]
            answer = world.ask(**ask(client, f"first-{provider}-model"))
            if ends_of(client, answer) or not tells_of_an_error(answer):
                wrong.append((provider, answer.body[-300:]))
    figure("looked complete", len(wrong))
    assert wrong == []


@pytest.mark.promise(14, fault="a whole answer cut at any byte", limit="0 look complete, all 502")
@pytest.mark.parametrize(("client", "provider"), PAIRS)
def test_a_whole_answer_that_is_cut(tmp_path: Path, figure: Figure, full: bool, client: Surface, provider: str) -> None:
    data = b"".join(provider_bytes(provider, SCRIPT, stream=False)).rstrip()
    places = sorted(random.Random(14).sample(range(len(data)), min(len(data), 300 if full else 25)))
    statuses = set()
    with gateway(tmp_path, config=ALONE) as world:
        for place in places:
            for how in ("clean end", "reset"):
                parts: list[Any] = [data[:place], *([Break("reset")] if how == "reset" else [])]
                world.upstream.replies = [Reply(headers={"content-type": "application/json"}, parts=parts)]
                statuses.add(world.ask(**ask(client, f"first-{provider}-model", stream=False)).status)
        world.upstream.replies = [Reply(headers={"content-type": "application/json"}, parts=[data])]
        assert world.ask(**ask(client, f"first-{provider}-model", stream=False)).status == 200
    figure("cuts", 2 * len(places))
    assert statuses == {502}
