"""Google's addresses: which model and surface they mean, and the model list in Google's form."""

import json
from typing import Any

import pytest
from google.genai import models as genai_models
from google.genai import types as genai

from bascule.server.hot import HotRoute, hot_route

KEY = {"x-goog-api-key": "the-ci-key-of-this-test-00000000"}


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1beta/models/gemini-x:generateContent", HotRoute("gemini", "gemini-x", False)),
        ("/v1/models/gemini-x:streamGenerateContent", HotRoute("gemini", "gemini-x", True)),
        ("/v1beta/models/openai/gpt-5:generateContent", HotRoute("gemini", "openai/gpt-5", False)),
        ("/v1beta/openai/gpt-5:generateContent", HotRoute("gemini", "openai/gpt-5", False)),
        ("/v1beta/models/llama3:8b:countTokens", HotRoute("gemini_count_tokens", "llama3:8b", False)),
        ("/v1beta/tunedModels/x:generateContent", HotRoute("gemini", "tunedModels/x", False)),
        ("/v1beta/models/e:embedContent", HotRoute("gemini_embeddings", "e", False)),
        ("/v1/models/e:batchEmbedContents", HotRoute("gemini_embeddings", "e", False)),
        ("/v1beta/models/é:generateContent", HotRoute("gemini", "é", False)),
        ("/v1beta/models/gemini-x:predict", None),
        ("/v1beta/models/:generateContent", None),
        ("/v1beta/models/gemini-x", None),
        ("/v2/models/gemini-x:generateContent", None),
        ("/v1/messages", HotRoute("anthropic_messages")),
    ],
)
def test_a_path_names_model_and_work(path: str, route: HotRoute | None) -> None:
    assert hot_route(path.encode()) == route


def read_models(body: bytes) -> list[genai.Model]:
    """As `Models.list` and `Models.get` read them."""
    told = [genai_models._Model_from_mldev(entry) for entry in json.loads(body)["models"]]
    return [genai.Model._from_response(response=entry, kwargs={}) for entry in told]


@pytest.mark.parametrize(("path", "headers"), [("/v1beta/models", KEY), ("/v1/models", KEY)])
async def test_the_list_is_in_googles_form_for_googles_clients(
    gate: Any, call: Any, path: str, headers: dict[str, str]
) -> None:
    answer = await call(gate.app, "GET", path, headers=headers)
    assert answer.status == 200
    found = read_models(answer.body)
    assert all((model.name or "").startswith("models/") for model in found)
    small = next(model for model in found if model.name == "models/small")
    assert small.display_name == "small"
    assert "generateContent" in (small.supported_actions or ())


async def test_one_model_by_name(gate: Any, call: Any) -> None:
    answer = await call(gate.app, "GET", "/v1beta/models/small", headers=KEY)
    assert json.loads(answer.body)["name"] == "models/small"
    missing = await call(gate.app, "GET", "/v1beta/models/none", headers=KEY)
    assert (missing.status, json.loads(missing.body)["error"]["status"]) == (404, "NOT_FOUND")


async def test_openais_list_stays_openais(gate: Any, call: Any) -> None:
    headers = {**KEY, "authorization": f"Bearer {KEY['x-goog-api-key']}"}
    assert "data" in json.loads((await call(gate.app, "GET", "/v1/models", headers=headers)).body)


async def test_errors_there_are_googles(gate: Any, call: Any) -> None:
    for path, status, word in (("/v1beta/models", 401, "UNAUTHENTICATED"), ("/v1beta/files", 404, "NOT_FOUND")):
        answer = await call(gate.app, "GET", path)
        assert (answer.status, json.loads(answer.body)["error"]["status"]) == (status, word)
