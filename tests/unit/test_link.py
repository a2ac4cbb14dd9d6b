"""Linking: names, prices, secrets and facts become one snapshot; every mistake is reported at once."""

from time import perf_counter

import pytest
from tests.unit.link.linking import BOOK, ENV, FULL, KEY, found, linked, problems

from bascule.config.load import Document, load_text
from bascule.config.secret import Secret
from bascule.config.sources import Secrets
from bascule.link import link, with_server
from bascule.model.registry import Registry
from bascule.providers.registry import Presets
from bascule.providers.spec import compatible


def test_a_whole_configuration() -> None:
    snapshot = linked(FULL)
    registry: Registry = snapshot
    assert snapshot.warnings == ()
    auto = registry.route("auto")
    assert auto is not None
    assert (auto.quality, auto.max_cost_nanousd, auto.data.retention) == (0.7, 50_000_000, "30d")
    assert [rule.quality for rule in auto.rules] == [0.85, None]
    big = registry.model("big")
    assert big is not None
    (endpoint,) = big.endpoints
    assert endpoint.id == "local/big-upstream"
    assert endpoint.prices is not None
    assert endpoint.prices.periods[0].rates.input == 3_000_000
    assert endpoint.data.region == "local"
    assert big.quality == {"default": 0.88, "code_generation": 0.67}
    assert snapshot.baseline_model == big
    small = registry.model("small")
    assert small is not None
    assert small.quality == {"default": 0.7}
    assert small.context_window == 128_000, "the catalog fills in what the file leaves out"
    assert small.endpoints[0].prices is not None
    assert registry.alias("claude-haiku-4-5") == "small"
    assert snapshot.price_version == BOOK.version
    (key,) = snapshot.keys
    assert (key.policy.name, key.policy.team, key.policy.rate.rpm) == ("ci", "platform", 600)
    assert key.secret == Secret(ENV["CI_KEY"].encode())
    assert snapshot.admin_secret == Secret(ENV["BASCULE_ADMIN"].encode())
    assert snapshot.budgets[0].limit_nanousd == 50_000_000_000
    assert snapshot.names() == ("auto", "big", "small", "claude-haiku-4-5")


def test_no_repr_shows_a_secret() -> None:
    snapshot = linked(FULL)
    shown = repr(snapshot.providers) + repr(snapshot.keys) + repr(snapshot.config) + repr(vars(snapshot))
    assert "CANARY" not in shown
    assert "***" in shown


def test_rules_are_judged_and_faults_reported() -> None:
    snapshot = linked(FULL)
    auto = snapshot.routes["auto"]
    rule = snapshot.first_rule(auto, {"task": "x", "has_image": True})
    assert rule is not None
    assert rule.candidates == ("big",)
    verdict = snapshot.judge_rules(auto, {"has_image": True})
    assert verdict.rule == rule
    assert len(verdict.faults) == 1
    assert snapshot.first_rule(auto, {"task": "x", "has_image": False}) is None


def test_mistakes_of_reading_and_of_linking_come_together() -> None:
    text = (
        FULL.replace("quality: medium", "quality: medum")
        .replace("[small, big,", "[smal, big,")
        .replace("local, model: big", "locla, model: big")
    )
    text = text.replace("baseline: {model: big}", "baseline: {model: auto}").replace("env:CI_KEY", "env:NO_KEY")
    text = text.replace("  openai: {}", "  openai: {}\n  mistrall: {}").replace(
        "{claude-haiku-4-5: small}", "{c: smoll}"
    )
    assert found(text, {"OPENAI_API_KEY": KEY, "BASCULE_ADMIN": KEY}) == [
        ("f.yaml:3:3", "there is no preset `mistrall`"),
        ("f.yaml:11:28", "there is no provider `locla`"),
        ("f.yaml:19:18", "there is no model `smal`"),
        ("f.yaml:20:14", "`medum` is no quality level"),
        ("f.yaml:26:14", "there is no model `smoll`"),
        ("f.yaml:27:19", "the baseline `auto` is a route"),
        ("f.yaml:30:16", "the variable NO_KEY is not set"),
    ]


def test_one_mistake_is_reported_once() -> None:
    text = FULL.replace("context_window: 200000", "context_window: -1")
    assert [where for where, _ in found(text)] == ["f.yaml:12:21"]
    text = FULL.replace("  openai: {}", "  openai: {api_key: sk-CANARY}")
    assert [where for where, _ in found(text)] == ["f.yaml:2:21"]
    assert [where for where, _ in found(FULL, {**ENV, "OPENAI_API_KEY": " "})] == ["f.yaml:2:3"]


def test_providers_that_cannot_be() -> None:
    assert "no provider is configured" in found("mode: observe")[0][1]
    assert "no provider is configured" in found("")[0][1]
    assert "needs a `base_url`" in found("providers: {azure: {api_key: env:CI_KEY}}")[0][1]
    assert "has no `base_url`" in found("providers: {mine: {dialect: openai_chat}}")[0][1]
    assert "has no `dialect`" in found("providers: {mine: {base_url: 'http://127.0.0.1:1/v1'}}")[0][1]
    assert "does not end in /v1" in found("providers: {anthropic: {base_url: 'https://api.anthropic.com/v1'}}")[0][1]
    assert "speaks openai_chat" in found("providers: {x: {preset: openai, dialect: anthropic_messages}}")[0][1]
    assert "no preset `opnai`" in found("providers: {x: {preset: opnai}}")[0][1]
    assert "slash" in found("providers: {a/b: {dialect: openai_chat, base_url: 'http://127.0.0.1:1/v1'}}")[0][1]


def test_overrides_of_a_preset() -> None:
    snapshot = linked(
        "providers:\n"
        "  eu: {preset: openai, base_url: 'https://eu.api.openai.com/v1', data: {region: eu, retention: none}}\n"
        "  az: {preset: azure, base_url: 'https://r.example', api_key: env:CI_KEY, api_version: 2025-01-01-preview}\n"
        "  v1: {preset: openai, base_url: 'https://r.example/openai/v1', auth: api-key, headers: {X-Team: a}}\n"
        "  vllm: {base_url: 'http://gpu.internal:8000/v1', price: {input: 0, output: 0}, timeouts: {idle_s: 5}}\n"
        "  ollama: {base_url: 'https://ollama.example/v1', api_key: env:CI_KEY, quirks: [no_json_schema]}\n"
    )
    eu, az, v1, vllm, ollama = snapshot.providers.values()
    assert (eu.origin, eu.base_path) == ("https://eu.api.openai.com", "/v1")
    assert (eu.data.region, eu.data.retention, eu.data.training) == ("eu", "none", None), "another address, other facts"
    assert az.target("chat", "dep") == "/openai/deployments/dep/chat/completions?api-version=2025-01-01-preview"
    assert v1.request_headers([]) == [(b"x-team", b"a"), (b"api-key", KEY.encode())]
    assert vllm.data.region is None, "not on this machine"
    assert (vllm.timeouts.idle_s, vllm.disconnect, vllm.secret) == (5.0, "cancel", None)
    free = snapshot.direct("vllm", "any")
    assert free is not None
    assert free.endpoints[0].free
    assert ollama.spec.auth == "bearer"
    assert "no_json_schema" in ollama.spec.quirks
    assert snapshot.warnings == ()


def test_a_key_over_plain_http_is_warned_of() -> None:
    snapshot = linked("providers: {mine: {dialect: openai_chat, base_url: 'http://h.example/v1', api_key: env:CI_KEY}}")
    assert "without encryption" in snapshot.warnings[0].what


def test_anthropic_cache_writes_and_tiers_of_configured_prices() -> None:
    snapshot = linked(
        "providers: {anthropic: {}}\n"
        "models:\n"
        "  c:\n"
        "    endpoints: [{provider: anthropic, model: x, price: {input: 3, output: 15}}]\n"
        "    price: {input: 9, output: 9}\n"
        "  d:\n"
        "    endpoints: [{provider: anthropic, model: y}]\n"
        "    price:\n"
        "      - {from: 2026-05-01, input: 1, output: 2, tiers: [{above_input_tokens: 200000, input: 2, output: 4}]}\n"
        "      - {input: 5, output: 6, windows: [{from: '16:30', to: '24:00', input: 1, output: 1}]}\n"
    )
    rates = snapshot.models["c"].endpoints[0].prices
    assert rates is not None
    assert rates.periods[0].rates.cache_write_5m == 3_750_000
    assert rates.periods[0].rates.cache_write_1h == 6_000_000
    dated = snapshot.models["d"].endpoints[0].prices
    assert dated is not None
    assert [period.from_ms for period in dated.periods] == [0, 1_777_593_600_000]
    assert (dated.periods[0].windows[0].start_s, dated.periods[0].windows[0].end_s) == (59_400, 0)
    assert dated.periods[1].tiers[0].rates.output == 4_000_000


def test_off_loopback_without_keys_is_refused() -> None:
    text = "providers: {openai: {}}\nserver: {host: 0.0.0.0}\n"
    assert found(text) == [("f.yaml:2:16", "`0.0.0.0` can be reached from outside, and no keys are configured")]
    link(load_text(text), BOOK, Secrets(ENV), stored_keys=True)
    open_document = load_text("providers: {openai: {}}")
    assert "0.0.0.0" in problems(with_server(open_document, host="0.0.0.0"))[0].what
    assert link(with_server(open_document, port=9, workers=2), BOOK, Secrets(ENV)).config.server.port == 9
    linked(text + "keys: {ci: {secret: env:CI_KEY}}\n")


def test_secrets_of_keys() -> None:
    text = "providers: {openai: {}}\nkeys:\n  a: {secret: env:CI_KEY}\n  b: {secret: env:CI_KEY}\n"
    assert found(text) == [("f.yaml:4:15", "the key `b` has the same secret as the key `a`")]
    short = linked("providers: {openai: {}}\nkeys: {a: {secret: env:CI_KEY}}\n", {**ENV, "CI_KEY": "short"})
    assert "guessed" in short.warnings[0].what


def test_what_is_probably_not_meant_is_a_warning() -> None:
    snapshot = linked(
        "providers: {openai: {}, local: {dialect: openai_chat, base_url: 'http://127.0.0.1:1/v1'}}\n"
        "models: {m: {endpoints: [{provider: local, model: x}]}}\n"
        "routes: {r: {candidates: [m], data: {providers: {deny: [opnai]}}}}\n"
        "keys: {ci: {secret: env:CI_KEY, models: [nope]}}\n"
        "budgets: [{scope: key:cii, limit_usd: 1, window: day}]\n"
        "contracts: [{provider: anthropc, discount: 0.1}]\n"
        "baseline: {model: m}\n"
    )
    assert [warning.where.split(":")[1] for warning in snapshot.warnings] == ["3", "4", "5", "6", "7"]
    assert all(warning.remedy for warning in snapshot.warnings)


def test_policy_version_follows_the_configuration_and_not_the_secrets() -> None:
    first = linked(FULL).policy_version
    assert first == linked(FULL + "\n# a comment\n").policy_version
    assert first == linked(FULL, {**ENV, "OPENAI_API_KEY": "another-key-entirely"}).policy_version
    assert first != linked(FULL.replace("limit_usd: 50", "limit_usd: 51")).policy_version
    assert len(first) == 12


def test_third_party_presets() -> None:
    mine = compatible("acme", "openai_chat", "https://llm.acme.example/v1")
    snapshot = link(load_text("providers: {acme: {api_key: env:CI_KEY}}"), BOOK, Secrets(ENV), Presets([mine]))
    assert snapshot.providers["acme"].origin == "https://llm.acme.example"


def test_linking_is_quick() -> None:
    document = load_text(FULL)
    linked(FULL)
    best = min(_timed(document) for _ in range(5))
    assert best < 0.05


def _timed(document: Document) -> float:
    start = perf_counter()
    link(document, BOOK, Secrets(ENV))
    return perf_counter() - start


def test_contracts_name_clients_models_and_those_who_sold_what_was_imported() -> None:
    known = (
        "providers: {openai: {}, local: {dialect: openai_chat, base_url: 'http://127.0.0.1:1/v1'}}\n"
        "models: {m: {endpoints: [{provider: local, model: x}], price: {input: 1, output: 1}}}\n"
        "contracts:\n"
        "  - {provider: anthropic, seats: 4, usd_per_seat_month: 1, covers: [claude-code, claude-sonnet-4-5]}\n"
        "  - {provider: local, discount: 0.1, covers: [m, local/x]}\n"
    )
    assert linked(known).warnings == ()
    ((where, what),) = found(known.replace("claude-code", "claude-cod"))
    assert where == "f.yaml:4:69"
    assert what == "`claude-cod` is neither a client whose logs are imported nor a model"


SEVERAL = "providers:\n  openai: {{api_keys: [{}]{}}}\n"


def test_several_keys_of_one_provider() -> None:
    snapshot = linked(SEVERAL.format('"env:OPENAI_API_KEY", "env:ANTHROPIC_API_KEY"', ""))
    provider = snapshot.providers["openai"]
    assert [secret and secret.reveal() for secret in provider.credentials] == [KEY.encode(), f"{KEY}-2".encode()]
    assert len(provider.secrets) == 2
    model = snapshot.direct("openai", "gpt-4o")
    assert model is not None
    assert model.endpoints[0].credentials == 2


@pytest.mark.parametrize(
    ("keys", "more", "what"),
    [
        ('"env:OPENAI_API_KEY", "env:NOWHERE"', "", "NOWHERE"),
        ('"env:OPENAI_API_KEY", "env:OPENAI_API_KEY"', "", "stands in the list already"),
        ('"env:OPENAI_API_KEY", none', "", "no key among several"),
        ('"env:OPENAI_API_KEY"', ", api_key: env:CI_KEY", "there is an `api_key` too"),
    ],
)
def test_mistakes_in_a_list_of_keys(keys: str, more: str, what: str) -> None:
    (problem,) = problems(load_text(SEVERAL.format(keys, more)))
    assert what in problem.what
    assert ":2:" in problem.where
    assert KEY not in problem.what + problem.remedy


def test_a_routes_hedge_and_what_it_does_with_refused_content() -> None:
    routes = "routes:\n  a: {candidates: [big], hedge: {after_s: 2, after: p95}, content_filter: failover}\n"
    head, _, rest = FULL.partition("routes:\n")
    policy = linked(head + routes + rest).route("a")
    assert policy is not None
    assert policy.hedge is not None
    assert (policy.hedge.after_s, policy.hedge.percentile, policy.filtered_elsewhere) == (2.0, 0.95, True)
