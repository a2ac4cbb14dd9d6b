"""`bascule alerts`: what the gateway can tell operators of, and whether its webhooks take it."""

import asyncio
import os
import sys
from typing import Any

import click

from bascule.cli.output import config_option, json_option, print_json, print_table
from bascule.cli.period import now_ms
from bascule.link.alerts import LinkedWebhook
from bascule.model.alert import EVENTS, KINDS, Alert
from bascule.model.errors import BasculeError


@click.group("alerts")
def command() -> None:
    """What the gateway tells operators of by webhook (`alerts` in bascule.yaml)."""


@command.command("events")
@json_option
def events(as_json: bool) -> None:
    """Every event, when it is told and what it says."""
    if as_json:
        kinds = [(name, KINDS[name]) for name in EVENTS]
        print_json([{"event": n, "severity": k.severity, "when": k.when, "fields": list(k.fields)} for n, k in kinds])
        return
    rows = [(name, KINDS[name].severity, ", ".join(KINDS[name].fields) or None) for name in EVENTS]
    print_table(("event", "severity", "fields"), rows)


@command.command("test")
@click.argument("name", required=False)
@config_option
@json_option
def test(name: str | None, config_path: str | None, as_json: bool) -> None:
    """Send a test event to every webhook, or to NAME, once each. Exit status 1 where one did not take it."""
    from bascule import compose

    document = compose.read_document(config_path, os.environ)
    snapshot = compose.snapshot_of(document, os.environ, stored_keys=True)
    chosen = [webhook for webhook in snapshot.webhooks if name in (None, webhook.name)]
    if not chosen:
        which = "no webhooks are configured" if name is None else f"there is no webhook {name!r}"
        raise BasculeError(f"{which}; they stand under `alerts.webhooks` in {document.file}")
    results = asyncio.run(_all(chosen, snapshot.config.alerts.timeout_s))
    if as_json:
        print_json(results)
    else:
        for result in results:
            click.echo(f"{'ok  ' if result['ok'] else 'fail'}  {result['webhook']}  {result['what']}")
    if not all(result["ok"] for result in results):
        sys.exit(1)


async def _all(webhooks: list[LinkedWebhook], timeout_s: float) -> list[dict[str, Any]]:
    return list(await asyncio.gather(*[_one(webhook, timeout_s) for webhook in webhooks]))


async def _one(webhook: LinkedWebhook, timeout_s: float) -> dict[str, Any]:
    from bascule.gateway.alerting import send
    from bascule.ports import NotDelivered
    from bascule.upstream.guarded import GuardedConnector

    at_ms = now_ms()
    alert = Alert(event="test", scope=f"test {at_ms}", ts_ms=at_ms, summary="Bascule can reach this webhook")
    try:
        status = await send(webhook, alert, f"msg_test{at_ms}", GuardedConnector(timeout_s=timeout_s), at_ms)
    except NotDelivered as error:
        return {"webhook": webhook.name, "ok": False, "status": None, "what": str(error)}
    what = f"answered {status}" + ("; redirects are not followed" if 300 <= status < 400 else "")
    return {"webhook": webhook.name, "ok": 200 <= status < 300, "status": status, "what": what}
