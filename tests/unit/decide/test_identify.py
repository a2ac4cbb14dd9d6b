import pytest

from bascule.decide.identify import (
    ATTRIBUTION_HEADERS,
    MAX_TAGS,
    MAX_VALUE_CHARS,
    clean,
    client_product,
    identify,
)
from bascule.model.facts import Facts
from bascule.model.headers import Headers
from bascule.model.identity import Identity

CODEX = b"codex_exec/0.169.0 (Debian 12.0.0; x86_64) dumb (codex_exec; 0.169.0)"


def identity(*pairs: tuple[bytes, bytes], facts: Facts | None = None, key: str | None = "ci") -> Identity:
    return identify(Headers(list(pairs)), facts or Facts(model="m"), key)


SESSION_HEADERS = [
    b"x-bascule-session",
    b"x-claude-code-session-id",
    b"session-id",
    b"x-session-id",
    b"helicone-session-id",
    b"x-portkey-trace-id",
]


@pytest.mark.parametrize("first", range(len(SESSION_HEADERS)))
def test_sessions_are_believed_in_the_documented_order(first: int) -> None:
    sent = [(name, name + b"!") for name in reversed(SESSION_HEADERS[first:])]
    found = identity((b"user-agent", CODEX), *sent, facts=Facts(model="m", session_hint="hint"))
    assert found.session_source == SESSION_HEADERS[first].decode()
    assert found.session_id == SESSION_HEADERS[first].decode() + "!"


def test_a_plain_session_id_header_counts_only_from_codex() -> None:
    assert identity((b"session-id", b"s"), (b"user-agent", b"curl/8")).session_id is None
    assert identity((b"thread-id", b"t"), (b"user-agent", CODEX)).session_source == "thread-id"


def test_body_hint_then_derived_then_nothing() -> None:
    hinted = identity(facts=Facts(model="m", session_hint="h", first_user_text="hello"))
    assert (hinted.session_id, hinted.session_source) == ("h", "body")
    one = identity(facts=Facts(model="m", first_user_text="hello"))
    assert one.session_source == "derived"
    assert one.session_id == identity(facts=Facts(model="x", first_user_text="hello")).session_id
    assert one.session_id != identity(facts=Facts(model="m", first_user_text="hullo")).session_id
    assert one.session_id != identity(facts=Facts(model="m", first_user_text="hello"), key="other").session_id
    assert identity().session_id is None


def test_claude_code_agents_are_kept_under_a_session_of_another_name() -> None:
    found = identity(
        (b"x-bascule-session", b"s"),
        (b"x-claude-code-session-id", b"c"),
        (b"x-claude-code-agent-id", b"a8e8"),
        (b"x-claude-code-parent-agent-id", b"root"),
    )
    assert (found.session_id, found.agent_id, found.parent_id) == ("s", "a8e8", "root")


def test_a_codex_thread_is_an_agent_only_where_it_differs_from_its_session() -> None:
    ua = (b"user-agent", CODEX)
    assert identity(ua, (b"session-id", b"s"), (b"thread-id", b"s")).agent_id is None
    assert identity(ua, (b"session-id", b"s"), (b"thread-id", b"t")).agent_id == "t"


def test_tags_repeat_split_at_commas_and_bare_ones_are_true() -> None:
    found = identity(
        (b"x-bascule-tag", b"team=web, branch=fix/x ,pr-17"),
        (b"x-bascule-tag", b"note=a=b"),
        (b"helicone-property-feature", b"search"),
    )
    assert found.tags == {
        "team": "web", "branch": "fix/x", "pr-17": "true", "pr": "17", "note": "a=b", "feature": "search",
    }  # fmt: skip
    assert found.branch == "fix/x"
    assert found.pr == "17"


def test_own_header_wins_over_a_tag_for_the_pr_and_over_portkey_for_tags() -> None:
    found = identity(
        (b"x-bascule-pr", b"acme/web#9"),
        (b"x-bascule-tag", b"pr-17,env=prod"),
        (b"x-portkey-metadata", b'{"env": "dev", "_user": "ann", "n": 3, "_x": "y"}'),
    )
    assert found.pr == "acme/web#9"
    assert found.tags["env"] == "prod"
    assert "_x" not in found.tags
    assert "n" not in found.tags
    assert found.user == "ann"


@pytest.mark.parametrize("raw", [b"{", b"[1]", b"null", b"\xff", b"x" * 5_000])
def test_metadata_that_is_not_metadata_is_left_out(raw: bytes) -> None:
    found = identity((b"x-portkey-metadata", raw))
    assert found.tags == {}
    assert found.user is None


def test_users_in_order() -> None:
    facts = Facts(model="m", end_user="body")
    assert identity(facts=facts).user == "body"
    assert identity((b"helicone-user-id", b"h"), facts=facts).user == "h"
    assert identity((b"helicone-user-id", b"h"), (b"x-bascule-user", b"b"), facts=facts).user == "b"


def test_everything_is_bounded_and_without_control_characters() -> None:
    many = b",".join(b"t%d=v" % number for number in range(500))
    found = identity(
        (b"x-bascule-tag", many),
        (b"x-bascule-user", b"a\x00\x1b[31m\r\nb" + "\u202e".encode() + b"c" * 9_999),
        (b"x-bascule-session", b"\x00\x01"),
        (b"x-bascule-task", b"t" * 999),
    )
    assert len(found.tags) == MAX_TAGS
    assert found.user is not None
    assert found.user.startswith("a[31mbc")
    assert len(found.user) <= MAX_VALUE_CHARS
    assert found.user.isprintable()
    assert found.session_id is None
    assert len(found.task or "") == 64


def test_bytes_that_are_not_utf8_do_not_raise() -> None:
    assert clean(b"a\xffb") == "a\ufffdb"


@pytest.mark.parametrize(
    ("user_agent", "product"),
    [
        (b"claude-cli/2.1.197 (external, cli)", "claude-cli/2.1.197"),
        (b"OpenAI/Python 3.52.0", "OpenAI/Python 3.52.0"),
        (CODEX, "codex_exec/0.169.0"),
        (b"ai/6.0.326 ai-sdk/provider-utils/4.0.66 runtime/node.js/v20.20.2", "ai/6.0.326"),
        (b"  ", None),
    ],
)
def test_client_product(user_agent: bytes, product: str | None) -> None:
    assert client_product(user_agent) == product


def test_every_header_read_for_attribution_is_listed_as_never_forwarded() -> None:
    seen: set[bytes] = set()

    class Spy(Headers):
        def get(self, name: bytes) -> bytes | None:
            seen.add(name)
            return super().get(name)

    identify(Spy([(b"session-id", b"s"), (b"user-agent", CODEX)]), Facts(model="m"), None)
    assert seen - ATTRIBUTION_HEADERS == {b"user-agent", b"idempotency-key", b"traceparent"}
