"""`bascule explain`: which models a request would go to, why, and what it may cost, without sending it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from bascule.cli.data import has_ledger, open_store, read_document, read_names
from bascule.cli.output import config_option, json_option, print_json, print_table, usd_fit
from bascule.cli.period import now_ms
from bascule.model.errors import BasculeError, Refusal
from bascule.model.money import usd_text
from bascule.offline.bodies import dialect_of
from bascule.offline.payload import state_payload

if TYPE_CHECKING:
    from bascule.cli.explaining import Explanation, Prospect
    from bascule.gateway.strategies.kit import Ready
    from bascule.gateway.surfaces import Surface

_SURFACES: dict[str, "Surface"] = {
    "openai": "openai_chat",
    "responses": "openai_responses",
    "anthropic": "anthropic_messages",
    "openai_chat": "openai_chat",
    "anthropic_messages": "anthropic_messages",
    "openai_embeddings": "openai_embeddings",
    "openai_responses": "openai_responses",
    "gemini": "gemini",
}
_DIALECTS = ("openai", "responses", "anthropic", "gemini")
METHOD = (
    "input: 0.26 tokens per byte of text, p95 with the margin that holds start from; output: past answers of the same "
    "endpoint in the last 30 days where there are 20 or more, else an assumed middle and the cap as p95; cap: the hold"
)

NOT_KNOWN_HERE = ("sessions", "shares of dear models", "endpoints in use", "live latency", "health")
"""What only a running gateway has in its memory; here all of it counts as new and well."""


@click.command("explain")
@click.argument("source", metavar="REQUEST.json", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@config_option
@click.option("--dialect", type=click.Choice(_DIALECTS), default=None, help="Default: by its fields.")
@click.option(
    "--model", default=None, help="Asks for this one. Gemini's bodies name none: there, or in a field `model`."
)
@click.option("--key", "key_name", default=None, metavar="NAME", help="As if this virtual key had sent it.")
@click.option("--header", "headers", multiple=True, metavar="K=V", help="A request header, e.g. x-bascule-quality=high")
@json_option
def command(
    source: Path,
    config_path: str | None,
    dialect: str | None,
    model: str | None,
    key_name: str | None,
    headers: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say which models the request body in REQUEST.json (- is standard input) would go to, in which order and why."""
    from bascule.cli.explaining import explain, policy_of
    from bascule.gateway.exchange import Incoming
    from bascule.model.headers import Headers

    pairs = [_header(text) for text in headers]
    raw = _read(source)
    body = _body(raw, source)
    surface = _SURFACES[dialect or dialect_of(body)]
    if surface == "gemini":
        model = _in_path(model or body.get("model"), source)
    document = read_document(config_path)
    snapshot = read_names(config_path, needed=True)
    assert snapshot is not None
    store = open_store(document) if has_ledger(document) else None
    key = None if key_name is None else policy_of(key_name, snapshot, store, now_ms())
    if key_name is not None and key is None:
        raise BasculeError(f"there is no key {key_name!r}; `bascule keys list` has all there are")
    incoming = Incoming(
        surface=surface,
        headers=Headers(pairs),
        body=raw,
        secret=b"explained",
        model=model,
        stream=body.get("stream") is True,
    )
    found = explain(snapshot, store, incoming, key)
    if found.refusal is not None and found.refusal.kind == "malformed":
        raise BasculeError(f"{source}: {found.refusal.message}")
    shown = payload(found, surface, snapshot.config.mode, key_name)
    shown |= {"policy_version": snapshot.policy_version, "price_version": snapshot.price_version}
    if as_json:
        print_json(shown)
        return
    _print(found, shown, keys_exist=bool(snapshot.keys))


def _read(source: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(source) == "-" else source.read_bytes()
    except OSError as error:
        raise BasculeError(f"{source} cannot be read: {error.strerror}") from error


def _body(raw: bytes, source: Path) -> dict[str, Any]:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BasculeError(f"{source} is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise BasculeError(f"{source} is not a JSON object")
    return body


def _in_path(model: Any, source: Path) -> str:
    """The model as Gemini's clients write it into the path."""
    if not isinstance(model, str) or not model:
        raise BasculeError(f"{source} is for Gemini's API, whose path names the model; give it with --model")
    return model.removeprefix("models/")


def _header(text: str) -> tuple[bytes, bytes]:
    marks = [at for at in (text.find("="), text.find(":")) if at > 0]
    if not marks:
        raise click.BadParameter(f"{text!r} is not of the form name=value", param_hint="--header")
    at = min(marks)
    return text[:at].strip().lower().encode(), text[at + 1 :].strip().encode()


def payload(found: "Explanation", surface: str, mode: str, key: str | None) -> dict[str, Any]:
    """Stable keys. `hold_usd` is what would be held before the first attempt: at the dearest of the candidates, or of a
    strategy for all calls that it plans."""
    from bascule.cli.explaining import facts_seen

    request, plan = found.request, found.plan
    facts = None if request is None else request.facts
    return {
        "surface": surface,
        "mode": mode,
        "key": key,
        "model_requested": None if facts is None else facts.model,
        "session_id": None if request is None else request.identity.session_id,
        "user": None if request is None else request.attribution.user,
        "refusal": None if found.refusal is None else refusal_payload(found.refusal),
        "facts": None if request is None else facts_seen(request),
        "route": None if plan is None else plan.route,
        "rule": None if plan is None else plan.rule,
        "task": None if plan is None else plan.task,
        "task_source": None if plan is None else plan.task_source,
        "floor": None if plan is None else plan.floor,
        "max_cost_usd": None if plan is None else usd_text(plan.max_cost_nanousd),
        "reason": None if plan is None else plan.reason,
        "evidence": None if plan is None else plan.evidence,
        "candidates": [_candidate(prospect, found) for prospect in found.prospects],
        "rejected": [] if plan is None else [{"endpoint": r.endpoint_id, "reason": r.reason} for r in plan.rejected],
        "strategy": None if found.strategy is None else _strategy(found.strategy),
        "hold_usd": _hold(found),
        "budgets": [state_payload(state) for state in found.budgets],
        "observed": None if found.planned is None else found.planned.observed,
        "not_known_here": list(NOT_KNOWN_HERE),
        "method": METHOD,
    }


def _hold(found: "Explanation") -> str | None:
    if found.hold is None:
        return None
    return usd_text(found.hold.amount_nanousd if found.strategy is None else found.strategy.hold_nanousd)


def _strategy(ready: "Ready") -> dict[str, Any]:
    """The calls that are planned, in their order; each may be made `times` times and is held as often."""
    calls = [
        {"models": call["models"], "times": call["times"], "hold_usd": usd_text(call["hold_nanousd"])}
        for call in ready.told()["calls"]
    ]
    return {"name": ready.name, "calls": calls}


def refusal_payload(refusal: Refusal) -> dict[str, Any]:
    return {
        "kind": refusal.kind,
        "status": refusal.http_status,
        "message": refusal.message,
        "code": refusal.code,
        "scope": refusal.scope,
        "needed_usd": usd_text(refusal.needed_nanousd),
        "left_usd": usd_text(refusal.left_nanousd),
    }


def _candidate(prospect: "Prospect", found: "Explanation") -> dict[str, Any]:
    candidate = prospect.candidate
    judged = candidate.judged
    followed = () if found.plan is None else found.plan.candidates
    return {
        "endpoint": candidate.endpoint.id,
        "model": candidate.model,
        "provider": candidate.endpoint.provider,
        "reason": candidate.reason,
        "quality": candidate.quality,
        "quality_mean": None if judged is None else judged.mean,
        "quality_samples": None if judged is None else judged.n,
        "quality_source": None if judged is None else judged.source,
        "predicted": None
        if (predicted := candidate.predicted) is None
        else {"quality": predicted.quality, "cost_of_best": predicted.cost, "worth": predicted.worth},
        "tier": prospect.tier,
        "expected_usd": usd_text(candidate.expected_nanousd),
        "adequate": candidate.adequate,
        "affordable": found.hold is not None and candidate in followed,
        "tokens_in_p50": prospect.tokens_in_p50,
        "tokens_in_p95": prospect.tokens_in_p95,
        "tokens_out_p50": prospect.tokens_out_p50,
        "tokens_out_p95": prospect.tokens_out_p95,
        "output_cap": prospect.output_cap,
        "sent_cap": prospect.send_cap,
        "cost_p50_usd": usd_text(prospect.p50_nanousd),
        "cost_p95_usd": usd_text(prospect.p95_nanousd),
        "cost_cap_usd": usd_text(prospect.cap_nanousd),
        "past_answers": prospect.answers,
    }


def _print_facts(shown: dict[str, Any]) -> None:
    facts = shown["facts"]
    if facts is not None:
        told = [f"{name} {value}" for name, value in facts.items() if value not in (None, False, 0)]
        click.echo(f"Facts: {', '.join(told)}")


def _print(found: "Explanation", shown: dict[str, Any], *, keys_exist: bool) -> None:
    if shown["refusal"] is not None:
        click.echo(f"Refused with {shown['refusal']['status']}: {shown['refusal']['message']}")
    asked = f"{shown['model_requested']!r} as {shown['surface']}"
    parts = [f"task {shown['task']}"] if shown["task"] else []
    parts += [f"floor {shown['floor']:g}"] if shown["floor"] is not None else []
    parts += [f"rule {shown['rule']}"] if shown["rule"] else []
    click.echo(f"{asked}{' by route ' + repr(shown['route']) if shown['route'] else ''}{', '.join(['', *parts])}")
    _print_facts(shown)
    columns = ("endpoint", "model", "tier", "why", "quality", "from", "p50", "p95", "cap", "output cap")
    rows = [
        (
            one.candidate.endpoint.id,
            one.candidate.model,
            one.tier,
            one.candidate.reason,
            one.candidate.quality,
            None if one.candidate.judged is None else one.candidate.judged.source,
            usd_fit(one.p50_nanousd),
            usd_fit(one.p95_nanousd),
            usd_fit(one.cap_nanousd),
            one.output_cap,
        )
        for one in found.prospects
    ]
    if rows:
        print_table(columns, rows)
    for one in found.prospects:
        if (told := one.candidate.predicted) is not None:
            click.echo(
                f"learned, {one.candidate.model}: quality {told.quality:.3f}, cost {told.cost:.3f} of the best model's,"
                f" worth {told.worth:+.3f}"
            )
    for rejected in shown["rejected"]:
        click.echo(f"not {rejected['endpoint']}: {rejected['reason']}")
    for call in () if shown["strategy"] is None else shown["strategy"]["calls"]:
        often = "" if call["times"] == 1 else f", up to {call['times']} times"
        click.echo(f"{shown['strategy']['name']}: {', '.join(call['models'])}{often}, held at ${call['hold_usd']}")
    if shown["hold_usd"] is not None:
        click.echo(f"Hold: ${shown['hold_usd']}")
    for state in found.budgets:
        click.echo(
            f"{state.scope} ({state.window_id}, {state.mode}): {usd_fit(state.left_nanousd)} of "
            f"{usd_fit(state.limit_nanousd)} left, {usd_fit(state.held_nanousd)} held"
        )
    if rows:
        click.echo(f"Not known here, and taken as new and well: {', '.join(NOT_KNOWN_HERE)}.")
    if shown["observed"] is not None:
        click.echo(f"Observing; enforcing would have meant: {orjson.dumps(shown['observed']).decode()}")
    if shown["key"] is None and keys_exist:
        click.echo("As a request that no key limits: name one with --key.")
