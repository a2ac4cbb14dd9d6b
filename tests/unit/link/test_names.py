"""Names of models: what each stands for once configuration, presets and prices are joined."""

from tests.unit.link.linking import FULL, found, linked

from bascule.decide.resolve import Resolved, resolve
from bascule.model.errors import Refusal


def test_direct_and_catalog_models_are_made_on_demand() -> None:
    snapshot = linked(FULL)
    direct = snapshot.direct("local", "some/other:model")
    assert direct is not None
    assert direct.name == "local/some/other:model"
    assert direct.endpoints[0].prices is None
    assert direct.endpoints[0].free is False
    assert snapshot.direct("local", "some/other:model") is direct
    assert snapshot.direct("anthropic", "claude-sonnet-4-5") is None
    assert snapshot.direct("local", "a\nb") is None
    assert snapshot.direct("local", "") is None
    catalog = snapshot.catalog_model("gpt-4o-mini")
    assert catalog is not None
    assert [endpoint.id for endpoint in catalog.endpoints] == ["openai/gpt-4o-mini"]
    assert catalog.declared is False
    assert snapshot.catalog_model("claude-sonnet-4-5") is None, "no configured provider serves it"
    assert snapshot.catalog_model("no-such-model-anywhere") is None


def test_a_catalog_model_has_an_endpoint_at_each_provider_that_sells_it() -> None:
    snapshot = linked(
        "providers: {anthropic: {}, other: {preset: anthropic},\n"
        "  azure: {base_url: 'https://r.example', api_key: env:CI_KEY}}"
    )
    model = snapshot.catalog_model("claude-sonnet-4-5")
    assert model is not None
    assert [endpoint.provider for endpoint in model.endpoints] == ["anthropic", "other"]
    assert snapshot.catalog_model("gpt-4o") is None, "a deployment's name is the user's, not the catalog's"
    azure = snapshot.direct("azure", "gpt-4o")
    assert azure is not None
    assert azure.endpoints[0].prices is not None, "but a deployment that is called like a model has its price"


def test_what_clients_ask_for_cannot_fill_the_memory() -> None:
    snapshot = linked(FULL)
    for index in range(5_000):
        snapshot.direct("local", f"model-{index}")
        snapshot.catalog_model(f"model-{index}")
    assert len(vars(snapshot)["_direct"]) <= 2_048
    assert len(vars(snapshot)["_catalog"]) <= 2_048


def test_names_resolve_in_the_promised_order() -> None:
    snapshot = linked(FULL)
    for name, kind in [("auto", "route"), ("small", "model"), ("openai/gpt-4o", "direct"), ("gpt-4o", "catalog")]:
        resolved = resolve(name, snapshot)
        assert isinstance(resolved, Resolved)
        assert (resolved.route is not None) == (kind == "route")
        assert resolved.direct == (kind == "direct")
    aliased = resolve("claude-haiku-4-5", snapshot)
    assert isinstance(aliased, Resolved)
    assert aliased.name == "small"


def test_a_model_with_a_price_alone_is_for_imports() -> None:
    base = (
        "providers: {openai: {}, anthropic: {}}\nmodels: {gpt-4o: {price: {input: 1}}, claude-x: {price: {input: 1}}}\n"
    )
    snapshot = linked(base)
    assert (set(snapshot.price_only), dict(snapshot.models)) == ({"gpt-4o", "claude-x"}, {})
    # The book's price is not what the operator wrote, so its entry does not stand in.
    assert isinstance(resolve("gpt-4o", snapshot), Refusal)
    assert not {"gpt-4o", "claude-x"} & {*snapshot.names(), *snapshot.catalog_names()}
    written = {name: found.periods[0].rates.cache_write_5m for name, found in snapshot.price_only.items()}
    assert written == {"gpt-4o": None, "claude-x": 1_250_000}
    ((_, what),) = found(base + "routes: {auto: {candidates: [gpt-4o]}}\n")
    assert "`gpt-4o` has a price and no `endpoints`" in what


def test_endpoints_that_cannot_be_read_are_no_missing_ones() -> None:
    text = "providers: {openai: {}}\nmodels: {m: {endpoints: [{provider: openai, modle: x}]%s}}\n"
    text += "routes: {r: {candidates: [m]}}\n"
    for price in ("", ", price: {input: 1}"):
        told = " ".join([what for _, what in found(text % price)])
        assert "modle" in told
        assert "no `endpoints`" not in told


def test_patterns_lead_names_that_nobody_listed() -> None:
    snapshot = linked(FULL.replace("aliases: {", "aliases: {'claude-*': big, 'gpt-*': gpt-4o, "))
    asked = {name: resolve(name, snapshot) for name in ("claude-opus-9", "claude-haiku-4-5", "claude-x:floor", "gpt-9")}
    assert all(isinstance(resolved, Resolved) for resolved in asked.values())
    assert [resolved.name for resolved in asked.values()] == ["big", "small", "big", "gpt-4o"]
    assert asked["claude-x:floor"].suffix == "floor"
    assert snapshot.names() == ("auto", "big", "small", "claude-haiku-4-5")
    # aliases are followed once
    (problem,) = found(FULL.replace("aliases: {", "aliases: {'claude-*': big, quick: claude-opus-9, "))
    assert "there is no model `claude-opus-9`" in problem[1]
