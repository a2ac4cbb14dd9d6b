"""docs/http.md says what the code does: routes, roles, headers and errors."""

import json
import re
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.routing import Route

from bascule.decide.identify import ATTRIBUTION_HEADERS
from bascule.gateway.respond import error_answer
from bascule.model.errors import STATUS_OF, Refusal
from bascule.server.admin.routes import admin_calls
from bascule.server.cold import Pages
from bascule.server.feedback import FeedbackPage
from bascule.server.hot import HOT_ROUTES, MODEL_PREFIXES, MODEL_VERBS
from bascule.server.responses_page import ResponsesPage

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
    assert found is not None
    return found[1]


def rows(title: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[1:]]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def plain(path: str) -> str:
    return path.replace(":path}", "}")


def named_in(*folders: str) -> set[str]:
    """Headers of Bascule's own that the code names."""
    files = [file for folder in folders for file in (ROOT / "src" / "bascule" / folder).rglob("*.py")]
    return set(re.findall(r'b?"(x-bascule-[a-z-]+)"', "\n".join([file.read_text(encoding="utf-8") for file in files])))


def test_every_route_is_there_and_no_other() -> None:
    told = {
        (method, path) for methods, paths, _ in rows("Routes") for path in code(paths) for method in methods.split(", ")
    }
    pages = Pages(engine=cast(Any, None), keys=cast(Any, None), clock=cast(Any, None), measured=cast(Any, None),
                  readiness=lambda: None)  # fmt: skip
    served = {("POST", path.decode()) for path in HOT_ROUTES}
    served |= {
        ("POST", f"{at.decode()}models/{{name}}:{verb.decode()}") for at in MODEL_PREFIXES for verb in MODEL_VERBS
    }
    for route in pages.routes():
        assert isinstance(route, Route)
        both = {"GET", "HEAD"} if route.path in ("/", "/healthz", "/readyz") else {"GET"}
        served |= {(method, plain(route.path)) for method in both}
        assert both <= (route.methods or set())
    nothing = cast(Any, None)
    feedback = FeedbackPage(keys=nothing, clock=nothing, ledger=nothing, outcomes=nothing, readings=nothing)
    responses = ResponsesPage(keys=nothing, clock=nothing, kept=None)
    for route in [*feedback.routes(), *responses.routes()]:
        assert isinstance(route, Route)
        served |= {(method, route.path) for method in (route.methods or set()) - {"HEAD"}}
    assert told == served


def test_every_admin_call_is_there_with_its_roles() -> None:
    told = {(method, *code(path), frozenset(roles.split())) for method, path, roles, _ in rows("Admin API")}
    assert told == {(call.method, plain(call.path), call.roles) for call in admin_calls(cast(Any, Ports()))}


class Ports:
    """Where nothing is called."""

    refresh = None


def test_every_request_header_is_there() -> None:
    told = {name for header, _ in rows("Request headers") for name in code(header)}
    assert {name for name in told if name.startswith("x-bascule-")} == named_in("decide")
    assert [name for name in ATTRIBUTION_HEADERS if f"`{name.decode()}`" not in section("Request headers")] == []


def test_every_answer_header_is_there() -> None:
    told = {name for header, _, _ in rows("Answer headers") for name in code(header)}
    assert {name for name in told if name.startswith("x-bascule-")} == named_in("gateway", "server")


@pytest.mark.parametrize("kind", STATUS_OF)
def test_every_error_is_there_in_every_dialect(kind: Any) -> None:
    (told,) = [row for row in rows("Errors") if row[1] == kind]
    refusal = Refusal(kind=kind, message="m")
    status, _, openai = error_answer("openai_chat", refusal, "req_1")
    _, _, anthropic = error_answer("anthropic_messages", refusal, "req_1")
    google = json.loads(error_answer("gemini", refusal, "req_1")[2])["error"]
    assert (code(told[5]), google["code"]) == ([google["status"]], status)
    said, words = json.loads(openai)["error"], json.loads(anthropic)["error"]
    assert told[0] == str(status)
    assert (code(told[2]), code(told[3])) == ([said["type"]], [said["code"]] if said["code"] else [])
    assert code(told[4]) == [words["type"]]


def test_the_errors_are_in_order_and_none_is_there_twice() -> None:
    statuses = [int(row[0]) for row in rows("Errors")]
    assert statuses == sorted(statuses)
    assert len(statuses) == len(STATUS_OF)
