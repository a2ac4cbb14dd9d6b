"""`bascule estimate --from F.jsonl`: what the requests of a file will cost, one by one."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bascule.cli.offer import Offer, find_offer
from bascule.cli.output import print_json, print_table, usd
from bascule.cli.period import iso, now_ms
from bascule.cli.progress import track
from bascule.model.errors import BasculeError
from bascule.model.money import usd_text
from bascule.offline.bodies import Asked, BadLine, read_line
from bascule.offline.estimate import ASSUMED_OUTPUT_TOKENS, METHOD, estimate_request


def estimate_requests(
    source: Path, model: str | None, provider: str | None, config_path: str | None, answer: int | None, as_json: bool
) -> None:
    """Print each request of the file with its estimate, and their sum."""
    at_ms = now_ms()
    offers: dict[str, Offer | str] = {}
    bad: list[BadLine] = []
    lines: list[dict[str, Any]] = []
    for asked in track(_lines(source, model), "estimating"):
        if isinstance(asked, BadLine):
            bad.append(asked)
            continue
        lines.append(_request(asked, _offer(asked.facts.model, provider, config_path, offers), answer, at_ms))
    if bad and not lines:
        raise BasculeError(f"{source}: no line is a request; line {bad[0].line}: {bad[0].problem}")
    method = METHOD.format(output=answer or ASSUMED_OUTPUT_TOKENS)
    shown = {
        "method": method,
        "prices_at": iso(at_ms),
        "total": _total(lines),
        "requests": [{key: value for key, value in line.items() if key[0] != "_"} for line in lines],
        "bad_lines": [{"line": one.line, "problem": one.problem} for one in bad],
    }
    if as_json:
        print_json(shown)
        return
    _print_requests(shown, lines, source)


def _lines(source: Path, model: str | None) -> Iterator[Asked | BadLine]:
    try:
        stream = sys.stdin.buffer if str(source) == "-" else source.open("rb")
    except OSError as error:
        raise BasculeError(f"{source} cannot be read: {error.strerror}") from error
    with stream:
        for number, raw in enumerate(stream, start=1):
            if raw.strip():
                yield read_line(number, raw, model)


def _offer(model: str, provider: str | None, config_path: str | None, known: dict[str, Offer | str]) -> Offer | str:
    """The offer of a name, or why there is none; each name is looked up once."""
    found = known.get(model)
    if found is None:
        try:
            found = find_offer(model, provider, config_path)
        except BasculeError as error:
            found = str(error)
        known[model] = found
    return found


def _request(asked: Asked, offer: Offer | str, answer: int | None, at_ms: int) -> dict[str, Any]:
    known = offer if isinstance(offer, Offer) else None
    made = estimate_request(
        asked,
        None if known is None else known.timeline,
        at_ms,
        max_output=None if known is None else known.max_output,
        output_tokens=answer,
    )
    return {
        "line": asked.line,
        "id": asked.id,
        "model": asked.facts.model,
        "provider": None if known is None else known.provider,
        "problem": offer if isinstance(offer, str) else None,
        "tokens_in": made.tokens_in,
        "tokens_out": made.tokens_out,
        "cost_usd": usd_text(made.cost_nanousd),
        "most_tokens_out": made.most_tokens_out,
        "most_cost_usd": usd_text(made.most_nanousd),
        "_cost": made.cost_nanousd,
        "_most": made.most_nanousd,
    }


def _total(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Sums of what is known; `unpriced` says how many requests are not in them."""
    costs = [line["_cost"] for line in lines if line["_cost"] is not None]
    most = [line["_most"] for line in lines if line["_most"] is not None]
    return {
        "requests": len(lines),
        "unpriced": len(lines) - len(costs),
        "tokens_in": sum(line["tokens_in"] for line in lines),
        "tokens_out": sum(line["tokens_out"] for line in lines),
        "cost_usd": usd_text(sum(costs)) if costs else None,
        "most_cost_usd": usd_text(sum(most)) if most else None,
    }


def _print_requests(shown: dict[str, Any], lines: list[dict[str, Any]], source: Path) -> None:
    columns = ("line", "model", "in", "out", "cost", "at most")
    cells = [
        (line["line"], line["model"], line["tokens_in"], line["tokens_out"], usd(line["_cost"], 6),
         usd(line["_most"], 6))
        for line in lines
    ]  # fmt: skip
    print_table(columns, cells)
    total = shown["total"]
    cost, most = [f"${usd}" if usd else "unknown" for usd in (total["cost_usd"], total["most_cost_usd"])]
    click.echo(f"Requests: {total['requests']}. Cost: {cost}, at most {most}.")
    if total["unpriced"]:
        problems = sorted({line["problem"] for line in lines if line["problem"]})
        click.echo(f"{total['unpriced']} of them have no known price and are in no sum. {' '.join(problems)}")
    for one in shown["bad_lines"]:
        click.echo(f"{source}:{one['line']}: {one['problem']}", err=True)
    click.echo(f"Method: {shown['method']}.")
