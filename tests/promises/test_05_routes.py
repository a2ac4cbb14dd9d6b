"""Promise 5: every route that can cost anything is walked over budget, and calls nobody.

The routes are read from the tables that serve them, so that a new one is in this test from its first day.
"""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, cast, get_args

import pytest
from msgspec import Struct
from starlette.routing import Route
from tests.acceptance.conftest import MakeGateway, make_gateway, provider  # noqa: F401
from tests.acceptance.process import Gateway
from tests.acceptance.provider import Provider
from tests.acceptance.wire import Seen, post, raw
from tests.promises.conftest import Figure

from bascule.gateway.surfaces import SURFACES, Surface
from bascule.server.cold import Pages
from bascule.server.hot import HOT_ROUTES, MODEL_PREFIXES, MODEL_VERBS, hot_route
from bascule.testing.script import Script

MEMBER, BOSS, ADMIN = "bk-member-0123456789abcdef", "bk-boss-0123456789abcdef", "bk-admin-0123456789abcdef"
KEYS = {"MEMBER": MEMBER, "BOSS": BOSS, "ADMIN": ADMIN}
HI = [{"role": "user", "content": "hi"}]
CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]

BODIES: dict[Surface, dict[str, Any]] = {
    "openai_chat": {"messages": HI},
    "openai_responses": {"input": "hi"},
    "openai_embeddings": {"input": "hi"},
    "anthropic_messages": {"messages": HI, "max_tokens": 50},
    "anthropic_count_tokens": {"messages": HI},
    "gemini": {"contents": CONTENTS},
    "gemini_count_tokens": {"contents": CONTENTS},
    "gemini_embeddings": {"content": CONTENTS[0]},
}
MODELS = {"chat": ("oai", "ant", "gem", "res", "openai-type/unheard-of"), "embeddings": ("embed", "gem-embed"),
          "count_tokens": ("oai", "ant", "gem")}  # fmt: skip
"""By the work of a surface: one model of each provider dialect, so that each is once passed through."""


class Walk(Struct, frozen=True):
    """One request to one route."""

    path: str
    surface: Surface
    model: str
    body: dict[str, Any]


def walks() -> Iterator[Walk]:
    for path, route in HOT_ROUTES.items():
        for model in MODELS[SURFACES[route.surface].work]:
            body = BODIES[route.surface] | {"model": model}
            yield Walk(path.decode(), route.surface, model, body)
            if SURFACES[route.surface].work == "chat":
                yield Walk(path.decode(), route.surface, model, body | {"stream": True})
    for prefix in MODEL_PREFIXES:
        for verb, (surface, _) in MODEL_VERBS.items():
            for model in MODELS[SURFACES[surface].work]:
                for name in (f"models/{model}", model):
                    path = f"{prefix.decode()}{name}:{verb.decode()}"
                    body = BODIES[surface]
                    if verb == b"batchEmbedContents":
                        body = {"requests": [{"model": f"models/{model}", **body}]}
                    yield Walk(path, surface, model, body)


def is_402(walk: Walk, seen: Seen) -> bool:
    """402 in the client's own dialect."""
    if seen.status != 402:
        return False
    error = seen.json()["error"]
    match SURFACES[walk.surface].chat_dialect:
        case "anthropic_messages":
            return bool(error["type"] == "billing_error")
        case "gemini":
            return bool(error["code"] == 402 and error["status"] == "FAILED_PRECONDITION")
        case _:
            return error["code"] in ("insufficient_quota", "unpriceable")


@pytest.fixture
def gateway(make_gateway: MakeGateway, provider: Provider, request: pytest.FixtureRequest) -> Gateway:  # noqa: F811
    provider.use(Script(text="this costs"))
    return make_gateway(
        KEYS,
        keys={"member": {"secret": "env:MEMBER"}, "boss": {"secret": "env:BOSS", "role": "admin"}},
        admin={"secret": "env:ADMIN"},
        budgets=[{"scope": "key:*", "limit_usd": 0.000000001, "window": "day", "mode": request.param}],
    ).start()


@pytest.mark.promise(
    5, fault="every route of the tables, over budget, by a member and an administrator", limit="hits 0"
)
@pytest.mark.parametrize("gateway", ["strict", "expected"], indirect=True)
def test_every_route_over_budget_is_402_and_calls_nobody(gateway: Gateway, provider: Provider, figure: Figure) -> None:  # noqa: F811
    walked = list(walks())
    assert {walk.surface for walk in walked} == set(get_args(Surface)) == set(BODIES)
    assert all(hot_route(walk.path.encode()) is not None for walk in walked)

    async def attack(walk: Walk, secret: str) -> Seen:
        return await post(gateway.url, walk.path, walk.body, {"authorization": f"Bearer {secret}"})

    async def all_of_them() -> None:
        for walk in walked:
            for secret in (MEMBER, BOSS):
                seen = await attack(walk, secret)
                if SURFACES[walk.surface].work == "count_tokens":  # which nobody bills
                    assert seen.status == 200, (walk, seen)
                else:
                    assert is_402(walk, seen), (walk, seen)
            # What administers is no key: it opens no route that costs.
            assert (await attack(walk, ADMIN)).status == 401, walk

    asyncio.run(all_of_them())
    generated = [one.path for one in provider.served if not one.path.endswith(("/count_tokens", ":countTokens"))]
    assert generated == []
    rows = gateway.rows()
    assert {row["cost_nanousd"] for row in rows} <= {0}
    assert {row["dialect_in"] for row in rows} <= {"anthropic_count_tokens", "gemini_count_tokens"}
    figure("requests", 3 * len(walked))
    figure("upstream hits that cost", len(generated))


OF_PROVIDERS = (
    "/v1/completions", "/v1/complete", "/v1/images/generations", "/v1/images/edits", "/v1/audio/speech",
    "/v1/audio/transcriptions", "/v1/moderations", "/v1/realtime", "/v1/batches", "/v1/files", "/v1/messages/batches",
    "/v1/fine_tuning/jobs", "/v1/assistants", "/v1/threads/runs", "/v1/rerank", "/v1/engines/oai/completions",
    "/v1beta/models/gem:predict", "/v1beta/models/gem:batchGenerateContent", "/v1beta/cachedContents",
    "/openai-type/v1/chat/completions", "/openai/v1/chat/completions", "/anthropic/v1/messages", "/v1/v1/messages",
    "/v1/responses/compact",
)  # fmt: skip
"""What providers and other gateways serve, and nothing here."""


@pytest.mark.promise(5, fault="what providers serve and no table has; pages that cost nothing", limit="hits 0")
@pytest.mark.parametrize("gateway", ["strict"], indirect=True)
def test_what_no_table_has_reaches_nobody(gateway: Gateway, provider: Provider, figure: Figure) -> None:  # noqa: F811
    head = {"authorization": f"Bearer {MEMBER}"}

    async def attack() -> int:
        for path in OF_PROVIDERS:
            seen = await post(gateway.url, path, {"model": "oai", "messages": HI, "input": "hi", "prompt": "hi"}, head)
            assert seen.status in (404, 405), (path, seen)
        pages = [cast(Route, route).path for route in Pages.routes(_no_pages())]
        for page in pages:
            path = page.replace("{name:path}", "oai")
            lines = (
                f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {MEMBER}\r\nconnection: close\r\n\r\n"
            )
            seen = await raw(gateway.url, lines.encode())
            assert seen.status in (200, 403), (path, seen)
        return len(OF_PROVIDERS) + len(pages)

    figure("requests", asyncio.run(attack()))
    assert provider.served == []
    assert json.loads(gateway.run("budgets", "show", "--json")) is not None
    assert gateway.rows() == []


def _no_pages() -> Pages:
    """Enough of one to ask which routes there are."""
    return Pages.__new__(Pages)
