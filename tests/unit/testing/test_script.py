"""Choosing scripts, and the upstream as a process of its own."""

import asyncio
import json
import sys
import urllib.request

import msgspec
import pytest

from bascule.testing.script import ProviderRequest, Script, chooser, chooser_of_file, first_then, mixed
from bascule.testing.upstream import ScriptedUpstream


def texts(choose, models="mmmmm"):
    requests = [
        ProviderRequest(number=n, dialect="openai", path="", model=model, stream=False, headers={}, body={})
        for n, model in enumerate(models, 1)
    ]
    return "".join(choose(request).text or "-" for request in requests)


A, B = Script(text="a"), Script(text="b")


def test_choosers():
    assert texts(chooser(A)) == "aaaaa"
    assert texts(chooser([A, B])) == "ababa"
    assert texts(chooser({"x": A, "*": B}), "xyx") == "aba"
    assert texts(chooser({"x": A}), "xy") == "a-"
    assert texts(chooser(lambda request: A if request.number > 2 else B)) == "bbaaa"
    assert texts(first_then([A, A], B)) == "aabbb"


def test_a_mix_is_the_same_for_the_same_seed_and_near_its_weights():
    drawn = texts(mixed([(0.9, A), (0.1, B)], seed=4), "m" * 1000)
    assert drawn == texts(mixed([(0.9, A), (0.1, B)], seed=4), "m" * 1000)
    assert drawn != texts(mixed([(0.9, A), (0.1, B)], seed=5), "m" * 1000)
    assert 60 < drawn.count("b") < 140


def test_the_file_form():
    assert texts(chooser_of_file(b'{"first":[{"text":"a"}],"models":{"x":{"text":"b"}}}'), "xxy") == "ab-"
    assert set(texts(chooser_of_file(b'{"mix":[{"weight":1,"script":{"text":"a"}}]}'))) == {"a"}
    for bad in (b"{", b'{"default":{"fault":"nonsense"}}', b'{"defualt":{}}'):
        with pytest.raises(msgspec.DecodeError):
            chooser_of_file(bad)


async def test_in_flight_and_open_connections_are_counted(scripted):
    caller = await scripted(Script(ttft_s=0.1))
    tasks = [asyncio.create_task(caller.send()) for _ in range(5)]
    await asyncio.sleep(0.05)
    assert (caller.up.in_flight, caller.up.open_connections) == (5, 5)
    await asyncio.gather(*tasks)
    assert (caller.up.in_flight, caller.up.most_in_flight) == (0, 5)


async def test_a_caller_who_leaves_a_whole_answer_pays_for_what_was_generated(scripted):
    caller = await scripted(Script(gap_s=0.02, output_tokens=100))
    answer = await caller.send(max_tokens=100)
    assert answer.error == "timeout_first_byte"
    record = caller.up.served[0]
    assert record.cut == "client_left"
    assert 5 < record.usage["completion_tokens"] < 30


async def test_numbers_are_in_order_of_arrival_and_records_end(scripted):
    caller = await scripted([Script(ttft_s=0.05), Script()])
    await asyncio.gather(*(caller.send(model=str(n)) for n in range(6)))
    assert [record.number for record in caller.up.served] == [1, 2, 3, 4, 5, 6]
    assert all(record.ended and record.completed for record in caller.up.served)
    assert len(caller.up.billed) == 6


async def test_base_urls_are_those_of_the_vendors():
    async with ScriptedUpstream() as up:
        assert up.url("openai") == f"http://127.0.0.1:{up.port}/v1"
        assert up.url("anthropic") == f"http://127.0.0.1:{up.port}"


async def test_a_process_of_its_own_tells_its_port_its_records_and_takes_a_script(tmp_path):
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"default": {"text": "from file"}}))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bascule.testing.upstream", "--script", str(script), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        told = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        base = f"http://127.0.0.1:{told['port']}"

        def fetch(path, body=None):
            data = None if body is None else json.dumps(body).encode()
            with urllib.request.urlopen(urllib.request.Request(base + path, data), timeout=5) as answer:
                return answer.read()

        chat = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        first = json.loads(await asyncio.to_thread(fetch, "/v1/chat/completions", chat))
        await asyncio.to_thread(fetch, "/_script", {"default": {"text": "posted"}})
        second = json.loads(await asyncio.to_thread(fetch, "/v1/chat/completions", chat))
        said = [answer["choices"][0]["message"]["content"] for answer in (first, second)]
        assert said == ["from file", "posted"]
        records = [json.loads(line) for line in (await asyncio.to_thread(fetch, "/_served")).splitlines()]
        assert [(record["number"], record["usage"]["completion_tokens"]) for record in records] == [(1, 2), (2, 1)]
        state = json.loads(await asyncio.to_thread(fetch, "/_state"))
        assert (state["served"], state["in_flight"]) == (2, 0)
    finally:
        process.terminate()
        assert await process.wait() == 0


@pytest.mark.parametrize("depth", [100, 500, 1_000])
async def test_a_body_of_any_depth_hides_no_record(scripted, depth):
    caller = await scripted(Script())
    for body in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth, b"[" * 100_000):
        await caller.send(raw=body)
    await caller.send()

    def fetch() -> list[bytes]:
        with urllib.request.urlopen(f"{caller.up.origin}/_served", timeout=5) as answer:
            return answer.read().splitlines()

    lines = await asyncio.to_thread(fetch)
    assert [msgspec.json.decode(line, type=Number).number for line in lines] == [1, 2, 3, 4]


class Number(msgspec.Struct):
    number: int
