"""`bascule check`: is the configuration right, and what does it say?"""

import os
import sys
import time
from typing import Any

import click

from bascule.cli.certificates import read_certificates, standing
from bascule.cli.data import data_dir_of, has_ledger, open_store
from bascule.cli.output import config_option, json_option, print_json, print_table, usd
from bascule.config.load import Document
from bascule.decide.price import rates_for
from bascule.link import Snapshot
from bascule.model.catalog import Endpoint, Model
from bascule.model.errors import ConfigError, Problem, StoreUnreachable
from bascule.model.money import PriceTimeline, usd_text
from bascule.offline.amounts import usd_per_mtok


@click.command("check")
@config_option
@click.option("--schema", is_flag=True, help="Print the JSON Schema of bascule.yaml and nothing else.")
@json_option
def command(config_path: str | None, schema: bool, as_json: bool) -> None:
    """Validate the configuration: every mistake at once, each with its place and remedy (exit status 2)."""
    if schema:
        from bascule.config.schema import schema as make_schema

        print_json(make_schema())
        return
    try:
        document, snapshot = _read(config_path)
    except ConfigError as error:
        if not as_json:
            raise
        print_json({"ok": False, "problems": [problem_payload(problem) for problem in error.problems]})
        sys.exit(2)
    shown = payload(snapshot, document)
    if as_json:
        print_json(shown)
        return
    _print(shown, snapshot)


def _read(config_path: str | None) -> tuple[Document, Snapshot]:
    """As `serve` reads it: secrets must be there. Raises ConfigError with every mistake."""
    from bascule import compose

    document = compose.read_document(config_path, os.environ)
    try:
        stored = has_ledger(document) and bool(open_store(document).governance.keys())
    except StoreUnreachable as error:  # `serve` would wait for it; the file can be judged without
        click.echo(f"{error}. Keys made by command are taken to be there", err=True)
        stored = True
    return document, compose.snapshot_of(document, os.environ, stored_keys=stored)


def problem_payload(problem: Problem) -> dict[str, str]:
    return {"where": problem.where, "what": problem.what, "remedy": problem.remedy}


def payload(snapshot: Snapshot, document: Document) -> dict[str, Any]:
    """Stable keys; a price that is not known is null."""
    certificates = read_certificates(data_dir_of(document))
    config = snapshot.config
    baseline = snapshot.baseline_model
    return {
        "ok": True,
        "file": document.file,
        "mode": config.mode,
        "policy_version": snapshot.policy_version,
        "price_version": snapshot.price_version,
        "baseline": None if baseline is None else baseline.name,
        "providers": [
            {
                "name": linked.name,
                "preset": linked.spec.name,
                "dialect": linked.spec.dialect,
                "base_url": f"{linked.origin}{linked.base_path}",
                "has_key": linked.has_key,
                "standing": standing(linked, certificates),
            }
            for linked in snapshot.providers.values()
        ],
        "models": [model_payload(model) for model in snapshot.models.values()],
        "price_only": [{"name": name, **_priced(prices)} for name, prices in snapshot.price_only.items()],
        "routes": [
            {
                "name": route.name,
                "candidates": list(route.candidates),
                "objective": route.objective,
                "quality": route.quality,
                "max_cost_usd": usd_text(route.max_cost_nanousd),
                "rules": len(route.rules),
            }
            for route in snapshot.routes.values()
        ],
        "aliases": dict(snapshot.aliases),
        "keys": [
            {"name": key.policy.name, "team": key.policy.team, "models": list(key.policy.models)}
            for key in snapshot.keys
        ],
        "budgets": [
            {
                "scope": budget.scope,
                "window": budget.window,
                "limit_usd": usd_text(budget.limit_nanousd),
                "mode": budget.mode,
            }
            for budget in snapshot.budgets
        ],
        "warnings": [problem_payload(problem) for problem in snapshot.warnings],
    }


def model_payload(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "endpoints": [_endpoint(endpoint) for endpoint in model.endpoints],
        "quality": model.quality or None,
        "quality_source": model.quality_source,
    }


def _endpoint(endpoint: Endpoint) -> dict[str, Any]:
    return {"id": endpoint.id, **_priced(endpoint.prices), "free": endpoint.free}


def _priced(prices: PriceTimeline | None) -> dict[str, Any]:
    rates = None if prices is None else rates_for(prices, time.time_ns() // 1_000_000, input_tokens=0)
    return {
        "input_usd_per_mtok": None if rates is None else usd_per_mtok(rates.input),
        "output_usd_per_mtok": None if rates is None else usd_per_mtok(rates.output),
        "price_source": None if prices is None else prices.source,
    }


def _print(shown: dict[str, Any], snapshot: Snapshot) -> None:
    for warning in shown["warnings"]:
        click.echo(f"warning: {warning['where']}: {warning['what']}. {warning['remedy']}", err=True)
    print_table(
        ("provider", "address", "dialect", "standing"),
        [(one["name"], one["base_url"], one["dialect"], one["standing"]) for one in shown["providers"]],
    )
    if shown["models"] or shown["price_only"]:
        click.echo()
        rows = [
            (model["name"], endpoint["id"], _price(endpoint))
            for model in shown["models"]
            for endpoint in model["endpoints"]
        ]
        rows += [(one["name"], "(price only, for imports)", _price(one)) for one in shown["price_only"]]
        print_table(("model", "endpoint", "USD per million in / out"), rows)
    if shown["routes"]:
        click.echo()
        routes = [
            (r["name"], ", ".join(r["candidates"]), r["objective"], r["quality"], r["rules"]) for r in shown["routes"]
        ]
        print_table(("route", "candidates", "objective", "floor", "rules"), routes)
    if shown["keys"]:
        click.echo()
        keys = [(key["name"], key["team"], ", ".join(key["models"]) or "all") for key in shown["keys"]]
        print_table(("key", "team", "models"), keys)
    if snapshot.budgets:
        click.echo()
        budgets = [(b.scope, b.window, usd(b.limit_nanousd), b.mode) for b in snapshot.budgets]
        print_table(("budget", "window", "limit", "mode"), budgets)
    click.echo(f"\n{shown['file']} is right (policy {shown['policy_version']}, prices {shown['price_version']}).")


def _price(endpoint: dict[str, Any]) -> str:
    if endpoint.get("free"):
        return "free"
    if endpoint["input_usd_per_mtok"] is None:
        return "price unknown"
    return f"{endpoint['input_usd_per_mtok']} / {endpoint['output_usd_per_mtok'] or 'unknown'}"
