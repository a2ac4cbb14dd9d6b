"""Promise 3: on a budgeted key, everything whose cost has no price or no upper bound is asked for, on every surface.

Each request is the plain one of its surface, which is served, with one thing more. Nobody may be called for it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.promises.conftest import Figure

from bascule.gateway.surfaces import Surface
from bascule.testing.exchange import ListExchange
from bascule.testing.transport import whole
from bascule.testing.world import World

KEY = "the-key-of-this-test-0123456789ab"
URL = "https://example.com/x"
CONFIG = """
data_dir: data
cache: {exact: {enabled: false}}
providers:
  one: {dialect: openai_chat, base_url: "https://one.test/v1", api_key: none}
  claude: {dialect: anthropic_messages, base_url: "https://claude.test", api_key: none}
  res: {dialect: openai_responses, base_url: "https://res.test/v1", api_key: none}
  gem: {dialect: gemini, base_url: "https://gem.test/v1beta", api_key: none}
  deepseek: {api_key: none}
  dashscope: {api_key: none}
models:
  gratis: {endpoints: [{provider: one, model: gratis}], price: {input: 0, output: 0}}
  qwen: {endpoints: [{provider: dashscope, model: up}], price: {input: 1, output: 10}, max_output: 4000}
  oai: {endpoints: [{provider: one, model: up}], price: {input: 1, output: 10}, max_output: 4000, input: [text, image]}
  ant: {endpoints: [{provider: claude, model: up}], price: {input: 5, output: 25}, max_output: 99, input: [text, image]}
  res: {endpoints: [{provider: res, model: up}], price: {input: 5, output: 25}, max_output: 4000, input: [text, image]}
  gem: {endpoints: [{provider: gem, model: up}], price: {input: 5, output: 25}, max_output: 4000, input: [text, image]}
  no-price: {endpoints: [{provider: one, model: dark}]}
  no-output: {endpoints: [{provider: one, model: dim}], price: {input: 1}}
  vector: {endpoints: [{provider: one, model: up}], price: {input: 1, output: 0}}
routes:
  mixed: {candidates: [oai, no-price]}
keys: {ci: {secret: "env:KEY"}}
budgets: [{scope: "key:ci", limit_usd: 1000, window: day, mode: MODE}]
"""

Asked = tuple[str, Surface, dict[str, Any]]
"""What is asked for, in words; the surface; the body."""


def chat(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = [{"type": "text", "text": "hi"}, *parts]
    return {"model": "oai", "max_tokens": 50, "messages": [{"role": "user", "content": content}], **more}


def messages(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return chat(*parts, **{"model": "ant", **more})


def responses(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    content = [{"type": "input_text", "text": "hi"}, *parts]
    return {"model": "res", "max_output_tokens": 50, "input": [{"role": "user", "content": content}], **more}


def gemini(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    contents = [{"role": "user", "parts": [{"text": "hi"}, *parts]}]
    return {"model": "gem", "contents": contents, "generationConfig": {"maxOutputTokens": 50}, **more}


PLAIN: list[Asked] = [
    ("chat", "openai_chat", chat()),
    ("messages", "anthropic_messages", messages()),
    ("responses", "openai_responses", responses()),
    ("gemini", "gemini", gemini()),
    ("embeddings", "openai_embeddings", {"model": "vector", "input": "hi"}),
    ("chat for nothing", "openai_chat", chat(model="gratis")),
    ("chat without thinking", "openai_chat", chat(model="qwen", enable_thinking=False)),
]


def without_price() -> Iterator[Asked]:
    for name in ("no-price", "no-output", "one/unheard-of", "mixed", "res/unheard-of"):
        yield f"chat {name}", "openai_chat", chat(model=name)
        yield f"messages {name}", "anthropic_messages", messages(model=name)
        yield f"responses {name}", "openai_responses", responses(model=name)
        yield f"gemini {name}", "gemini", gemini(model=name)
    yield "embeddings", "openai_embeddings", {"model": "one/unheard-of", "input": "hi"}
    for tier in ("priority", "fast", "performance"):
        yield f"tier {tier}", "openai_chat", chat(model="deepseek-chat", service_tier=tier)


def tool(kind: str, **more: Any) -> dict[str, Any]:
    return {"tools": [{"type": kind, **more}]}


def without_bound() -> Iterator[Asked]:
    for words, body in {
        "image by URL": chat({"type": "image_url", "image_url": {"url": URL}}),
        "file": chat({"type": "file", "file": {"file_id": "f"}}),
        "audio in": chat({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}),
        "audio out": chat(modalities=["text", "audio"], audio={"voice": "a", "format": "wav"}),
        "video": chat({"type": "video_url", "video_url": {"url": URL}}),
        "search": chat(web_search_options={}),
        "tool of the provider": chat(**tool("web_search")),
        "search beside free tokens": chat(model="gratis", web_search_options={}),
        "tool beside free tokens": chat(model="gratis", **tool("mcp")),
        "field beside free tokens": chat(model="gratis", plugins=[{"id": "web"}]),
        "thinking beside the cap": chat(enable_thinking=True),
        "thinking unasked": chat(model="qwen"),
    }.items():
        yield f"chat: {words}", "openai_chat", body
        yield f"chat streamed: {words}", "openai_chat", {**body, "stream": True}
    for words, body in {
        "image by URL": messages({"type": "image", "source": {"type": "url", "url": URL}}),
        "image by id": messages({"type": "image", "source": {"type": "file", "file_id": "f"}}),
        "document by URL": messages({"type": "document", "source": {"type": "url", "url": URL}}),
        "document by id": messages({"type": "document", "source": {"type": "file", "file_id": "f"}}),
        "unknown block": messages({"type": "video", "source": {"type": "url", "url": URL}}),
        "container upload": messages({"type": "container_upload", "file_id": "f"}),
        "search without end": messages(**tool("web_search_20250305", name="web_search")),
        "fetch without end": messages(**tool("web_fetch_20250910", name="web_fetch")),
        "code": messages(**tool("code_execution_20250825", name="code_execution")),
        "a tool to come": messages(**tool("new_thing_2027", name="new_thing")),
        "mcp": messages(mcp_servers=[{"type": "url", "url": URL, "name": "x"}]),
        "skills": messages(container={"skills": [{"type": "anthropic", "skill_id": "x"}]}),
    }.items():
        yield f"messages: {words}", "anthropic_messages", body
    kinds = ("web_search", "file_search", "code_interpreter", "image_generation", "mcp", "shell", "new_thing")
    for words, body in {
        **{f"tool {kind}": responses(**tool(kind)) for kind in kinds},
        "image by URL": responses({"type": "input_image", "image_url": URL}),
        "file": responses({"type": "input_file", "file_id": "f"}),
        "earlier answer": responses(previous_response_id="resp_1"),
        "conversation": responses(conversation="conv_1"),
        "stored prompt": responses(prompt={"id": "pmpt_1"}),
        "background": responses(background=True),
        "item by id": {**responses(), "input": [{"type": "item_reference", "id": "x"}]},
    }.items():
        yield f"responses: {words}", "openai_responses", body
    kinds = ("googleSearch", "google_search", "googleSearchRetrieval", "urlContext", "codeExecution", "googleMaps",
             "fileSearch", "newThing")  # fmt: skip
    for words, body in {
        **{f"tool {kind}": gemini(tools=[{kind: {}}]) for kind in kinds},
        "file": gemini({"fileData": {"fileUri": URL}}),
        "cached content": gemini(cachedContent="cachedContents/x"),
        **{kind: gemini({"inlineData": {"mimeType": kind, "data": "AAAA"}}) for kind in ("audio/wav", "video/mp4")},
        "image out": gemini(generationConfig={"responseModalities": ["IMAGE"]}),
        "audio out": gemini(generationConfig={"responseModalities": ["AUDIO"]}),
    }.items():
        yield f"gemini: {words}", "gemini", body


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[dict[str, World]]:
    made = {}
    for mode in ("strict", "expected", "warn"):
        folder = tmp_path / mode
        folder.mkdir()
        made[mode] = World(CONFIG.replace("MODE", mode), [], folder, environment={"KEY": KEY})
        made[mode].upstream.answer = lambda call: whole({"error": {"message": "seen"}}, status=400)
    yield made
    for world in made.values():
        world.close()


def ask(world: World, surface: Surface, body: dict[str, Any]) -> tuple[ListExchange, int]:
    """The answer, and how often anybody was called for it."""
    before = len(world.upstream.calls)
    of_path = {"model": body["model"], "stream": False} if surface == "gemini" else {}
    answer = world.ask(body, surface=surface, key=KEY, **of_path)
    return answer, len(world.upstream.calls) - before


@pytest.mark.promise(3, fault="models, tiers and candidates without a price, on every surface", limit="hits 0")
@pytest.mark.parametrize("mode", ["strict", "expected"])
def test_what_has_no_price_is_refused(worlds: dict[str, World], mode: str, figure: Figure) -> None:
    asked = list(without_price())
    for words, surface, body in asked:
        answer, hits = ask(worlds[mode], surface, body)
        if "mixed" in words:
            # The candidate that has a price is asked; the one without is not.
            assert hits == 1, (words, answer.status, answer.body[:300])
            assert worlds[mode].upstream.body()["model"] == "up", words
        else:
            assert (answer.status, hits) == (402, 0), (words, answer.status, answer.body[:300])
        assert ask(worlds["warn"], surface, body)[1] > 0, f"{words}: refused for another reason than the budget"
    figure("requests", len(asked))


@pytest.mark.promise(3, fault="images, files, audio and tools without an upper bound, on every surface", limit="hits 0")
def test_what_has_no_bound_is_refused_on_a_strict_budget(worlds: dict[str, World], figure: Figure) -> None:
    for words, surface, body in PLAIN:
        assert ask(worlds["strict"], surface, body)[1] == 1, f"plain {words}"
    asked = list(without_bound())
    for words, surface, body in asked:
        answer, hits = ask(worlds["strict"], surface, body)
        assert hits == 0, (words, answer.status)
        assert answer.status in (400, 402), (words, answer.status, answer.body[:300])
        assert b"upper bound" in answer.body or answer.status == 400, (words, answer.body[:300])
    states = worlds["strict"].gateway.authority.states(worlds["strict"].clock.now_ms())
    assert [state.held_nanousd for state in states] == [0]
    figure("requests", len(asked))
    figure("upstream hits", 0)
