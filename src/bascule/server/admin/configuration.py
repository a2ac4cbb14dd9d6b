"""`/bascule/api/config`: what is being served, without any secret."""

from typing import Any

from msgspec.structs import asdict
from starlette.requests import Request
from starlette.responses import Response

from bascule.link import Snapshot
from bascule.link.provider import LinkedProvider
from bascule.model.catalog import Model
from bascule.model.money import usd_text
from bascule.model.policy import RoutePolicy
from bascule.server.admin.access import Caller
from bascule.server.admin.answers import Refused, document
from bascule.server.admin.ports import AdminPorts
from bascule.server.admin.query import Query


class Configuration:
    def __init__(self, ports: AdminPorts) -> None:
        self._ports = ports

    async def show(self, request: Request, caller: Caller) -> Response | Refused:
        Query(request, (), now_ms=self._ports.clock.now_ms())
        return document(config_payload(self._ports.snapshot()))


def config_payload(snapshot: Snapshot) -> dict[str, Any]:
    """Built from named facts, never by removing secrets from the whole."""
    config = snapshot.config
    baseline = snapshot.baseline_model
    return {
        "policy_version": snapshot.policy_version,
        "price_version": snapshot.price_version,
        "mode": config.mode,
        "durability": config.durability,
        "server": {"host": config.server.host, "port": config.server.port, "workers": config.server.workers},
        "record_content": config.privacy.record_content,
        "baseline": None if baseline is None else baseline.name,
        "admin_secret": snapshot.admin_secret is not None,
        "providers": [_provider(provider) for provider in snapshot.providers.values()],
        "models": [_model(model) for model in snapshot.models.values()],
        "routes": [_route(route) for route in snapshot.routes.values()],
        "aliases": dict(snapshot.aliases),
        "keys": len(snapshot.keys),
        "budgets": len(snapshot.budgets),
        "warnings": [{"where": w.where, "what": w.what, "remedy": w.remedy} for w in snapshot.warnings],
    }


def _provider(provider: LinkedProvider) -> dict[str, Any]:
    spec = provider.spec
    return {
        "name": provider.name,
        "preset": spec.name,
        "title": spec.title,
        "dialect": spec.dialect,
        "base_url": provider.origin + provider.base_path,
        "standing": spec.standing,
        "has_key": provider.has_key,
        "disconnect": provider.disconnect,
        "headers": [name.decode("latin-1") for name, _ in provider.headers],
        "timeouts": asdict(provider.timeouts),
        "data": asdict(provider.data),
        "hardware": asdict(provider.hardware),
    }


def _model(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "endpoints": [
            {"id": e.id, "provider": e.provider, "dialect": e.dialect, "priced": e.prices is not None, "free": e.free}
            for e in model.endpoints
        ],
        "context_window": model.context_window,
        "max_output": model.max_output,
        "input": list(model.input),
        "quality": model.quality,
        "quality_source": model.quality_source,
    }


def _route(route: RoutePolicy) -> dict[str, Any]:
    return {
        "name": route.name,
        "candidates": list(route.candidates),
        "objective": route.objective,
        "quality": route.quality,
        "max_cost_usd": usd_text(route.max_cost_nanousd),
        "data": asdict(route.data),
        "rules": [rule.when for rule in route.rules],
    }
