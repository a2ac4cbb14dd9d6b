"""`bascule certify`: a few real calls, capped, prove a preset against the real provider."""

import os
import sys
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import click

from bascule import __version__
from bascule.cli.certificates import Certificate, CheckResult, write_certificate
from bascule.cli.data import data_dir_of, open_store, read_document
from bascule.cli.output import config_option, json_option, print_json, print_table
from bascule.cli.period import now_ms
from bascule.model.money import nanousd_from_usd, usd_text

if TYPE_CHECKING:
    from bascule.cli.certifying import Certification


@click.command("certify")
@click.argument("provider")
@click.option("--max-usd", default="0.05", show_default=True, metavar="USD", help="The most that it may cost.")
@click.option("--model", default=None, help="The provider's own name; default: a configured or the cheapest one.")
@config_option
@json_option
def command(provider: str, max_usd: str, model: str | None, config_path: str | None, as_json: bool) -> None:
    """Prove PROVIDER with a few real calls: an answer, a stream, a tool call, usage, and an unknown model.

    Before each call its worst case is held against what is left of --max-usd. Date and result are kept in
    data_dir/certified.json, which `check` and `doctor` show. Exit status 1 where something did not hold.
    """
    from bascule.cli.certifying import certify

    limit = _limit(max_usd)
    document = read_document(config_path)
    done = certify(
        document, dict(os.environ), open_store(document), provider, model=model, max_nanousd=limit, now_ms=now_ms()
    )
    certificate = certificate_of(done)
    path = write_certificate(data_dir_of(document), certificate)
    if as_json:
        print_json(payload(certificate))
    else:
        print_table(
            ("check", "result", "USD", "seen"),
            [(one.name, "passed" if one.passed else "FAILED", one.cost_usd, one.what) for one in certificate.checks],
        )
        said = "certified" if certificate.passed else "not certified"
        cost = "an unknown amount" if certificate.cost_usd is None else f"${certificate.cost_usd}"
        click.echo(f"{provider} {said} on {certificate.date} with {certificate.model}, for {cost}; kept in {path}")
    if not certificate.passed:
        sys.exit(1)


def certificate_of(done: "Certification") -> Certificate:
    linked = done.linked
    return Certificate(
        provider=linked.name,
        preset=linked.spec.name,
        dialect=linked.spec.dialect,
        origin=linked.origin,
        model=done.model,
        date=datetime.now(UTC).date().isoformat(),
        version=__version__,
        passed=done.passed,
        cost_usd=usd_text(done.cost_nanousd),
        checks=tuple(
            [
                CheckResult(name=one.probe.name, passed=one.passed, what=one.what, cost_usd=usd_text(one.cost_nanousd))
                for one in done.probed
            ]
        ),
    )


def payload(certificate: Certificate) -> dict[str, Any]:
    return {
        "provider": certificate.provider,
        "preset": certificate.preset,
        "dialect": certificate.dialect,
        "origin": certificate.origin,
        "model": certificate.model,
        "date": certificate.date,
        "passed": certificate.passed,
        "cost_usd": certificate.cost_usd,
        "checks": [
            {"name": one.name, "passed": one.passed, "what": one.what, "cost_usd": one.cost_usd}
            for one in certificate.checks
        ],
    }


def _limit(text: str) -> int:
    try:
        limit = nanousd_from_usd(Decimal(text))
    except (ValueError, InvalidOperation):
        raise click.BadParameter(f"{text!r} is not an amount of dollars", param_hint="--max-usd") from None
    if limit < 0:
        raise click.BadParameter("a limit is not negative", param_hint="--max-usd")
    return limit
