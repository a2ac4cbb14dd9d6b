"""A pull request's cost as one Markdown comment. Pure.

Names (models, agents, tasks) were written elsewhere: they stand in code spans, where they can neither break the table
nor call anybody.
"""

from typing import Literal

from msgspec import Struct

from bascule.model.sums import Sums
from bascule.offline.paid import Paid
from bascule.offline.percentile import share
from bascule.offline.pull_cost import LEAST_OTHERS, Line, Others, PullCost

MARKER = "<!-- bascule-cost -->"
"""What a comment of ours begins with."""
MOST_LINES = 10
MOST_NAME = 80

Gate = Literal["none", "passed", "failed", "unknown"]


class Budget(Struct, frozen=True):
    limit_nanousd: int | None
    gate: Gate


def gate(limit_nanousd: int | None, made: PullCost) -> Budget:
    """`failed` above the limit; `unknown` below it where some cost is not known."""
    if limit_nanousd is None:
        return Budget(None, "none")
    if made.cost_nanousd is not None and made.cost_nanousd > limit_nanousd:
        return Budget(limit_nanousd, "failed")
    missing = made.cost_nanousd is None or made.unknown
    return Budget(limit_nanousd, "unknown" if missing else "passed")


def marker(key: str) -> str:
    """The first line of the comment with this key; several in one pull request have keys of their own."""
    safe = "".join([c for c in key if c.isalnum() or c in "/._-#"]).replace("--", "-")
    return f"{MARKER}<!-- bascule-key: {safe} -->"


def comment(made: PullCost, budget: Budget, *, key: str, notes: tuple[str, ...] = (), footer: str = "") -> str:
    """The Markdown, the marker first."""
    parts = [marker(key), f"### Agent cost: {_total(made)}", "", *_head(made, budget), ""]
    if made.models:
        parts += [
            "<details><summary>By model and by agent</summary>", "",
            *_table("model", made.models, made.sums), "",
            *_table("agent", made.agents, made.sums), "",
            "</details>", "",
        ]  # fmt: skip
    said = [*_gaps(made), *notes]
    if said:
        parts += [f"> {note}  " for note in said] + [""]
    if footer:
        parts.append(f"<sub>{footer}</sub>")
    return "\n".join(parts).rstrip() + "\n"


def _total(made: PullCost) -> str:
    if made.cost_nanousd is None:
        return "unknown"
    return f"{'at least ' if made.unknown else ''}{money(made.cost_nanousd)}"


def _head(made: PullCost, budget: Budget) -> list[str]:
    lines = [("Cost", _cost(made))]
    if made.paid is not None:
        lines.append(("After contracts", _paid(made.paid)))
    if budget.limit_nanousd is not None:
        lines.append(("Budget", _budget(made, budget)))
    sums = made.sums
    if sums.attempts or sums.cache_hits:
        lines += [
            ("Requests", f"{sums.requests:,} in {_count(len(made.sessions), 'session')}"),
            ("Tokens", _tokens(sums)),
            ("Latency", _latency(made)),
            ("Errors", _errors(sums)),
        ]
    if made.tests is not None:
        lines.append(("Tests", _tests(made)))
    if made.state != "unknown":
        lines.append(("Outcome", made.state))
    lines.append(("Compared", _compared(made.others, made)))
    return ["| | |", "|---|---|", *[f"| **{name}** | {text} |" for name, text in lines]]


def _cost(made: PullCost) -> str:
    if made.cost_nanousd is None:
        return "unknown: no usage with a known price is recorded for it, which is not zero"
    text = f"**{_total(made)}** at list price"
    if made.shared_nanousd:
        text += (
            f", {money(made.shared_nanousd)} of it its even share of work in common with "
            f"{', '.join([name_text(each) for each in made.shared_with[:5]])}"
        )
    return text


def _paid(paid: Paid) -> str:
    if paid.effective_nanousd is None:
        return "unknown: no contract tells what was paid for this use"
    text = f"{money(paid.effective_nanousd)} effective"
    if paid.fee_nanousd:
        text += f", {money(paid.fee_nanousd)} of it its use's share of the fees of seats and capacity"
    if paid.on_plan_nanousd:
        text += f", and a part of a subscription that no contract names ({money(paid.on_plan_nanousd)} at list price)"
    return text


def _budget(made: PullCost, budget: Budget) -> str:
    limit = budget.limit_nanousd or 0
    text = f"{money(limit)}: "
    if budget.gate == "failed" and made.cost_nanousd is not None:
        return f":no_entry: {text}**exceeded by {money(made.cost_nanousd - limit)}**"
    if budget.gate == "unknown":
        return f":grey_question: {text}cannot be told, as some cost is unknown"
    used = share(made.cost_nanousd or 0, limit)
    return f":white_check_mark: {text}kept" + (f", {used * 100:.0f} % used" if used is not None else "")


def _tokens(sums: Sums) -> str:
    out = (sums.tokens_out or 0) + (sums.tokens_reasoning or 0)
    text = f"{short(sums.billed_input)} in, {short(out)} out"
    cached = share(sums.tokens_cache_read or 0, sums.billed_input)
    return text + (f"; {cached * 100:.0f} % of the input from the provider's cache" if cached is not None else "")


def _latency(made: PullCost) -> str:
    if made.latency_p50_ms is None or made.latency_p95_ms is None:
        return "unknown"
    text = f"p50 {made.latency_p50_ms / 1000:.1f} s, p95 {made.latency_p95_ms / 1000:.1f} s"
    return text + (" (between lines of the logs)" if made.from_logs else "")


def _errors(sums: Sums) -> str:
    wasted = sums.failed_cost_nanousd + sums.retry_cost_nanousd
    text = f"{sums.failed_requests:,} of {_count(sums.requests, 'request')} failed"
    if sums.failed_attempts or sums.retries:
        text += f"; {_count(sums.failed_attempts, 'failed attempt')}, {_count(sums.retries, 'retry', 'retries')}"
        text += f", {money(wasted)} in all" if wasted else ", at no cost"
    return text


def _tests(made: PullCost) -> str:
    tests = made.tests
    assert tests is not None
    mark = ":x:" if tests.failed else ":white_check_mark:"
    text = f"{mark} {tests.passed:,} passed, {tests.failed:,} failed, {tests.skipped:,} skipped"
    return text + (f" in {tests.seconds:.0f} s" if tests.seconds is not None else "")


def _compared(others: Others, made: PullCost) -> str:
    same = name_free(others.same)
    if made.cost_nanousd is None:
        return "not possible, as its own cost is unknown"
    if not others.enough:
        return f"too few to say: {others.count} {same} with a known cost ({LEAST_OTHERS} are needed)"
    p10, p50, p90 = others.p10_nanousd or 0, others.p50_nanousd or 0, others.p90_nanousd or 0
    cost = made.cost_nanousd
    where = "below" if cost < p10 else "above" if cost > p90 else "within"
    return (
        f"dearer than {others.cheaper} of {others.count} {same}: {where} their p10 {money(p10)} to p90 {money(p90)} "
        f"(median {money(p50)})"
    )


def _table(what: str, lines: tuple[Line, ...], total: Sums) -> list[str]:
    found = [
        f"| {what} | requests | cost | share | tokens in | cached | tokens out |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for line in lines[:MOST_LINES]:
        sums = line.sums
        name = name_text(line.name) if line.name is not None else ("main" if what == "agent" else "unknown")
        cached = share(sums.tokens_cache_read or 0, sums.billed_input)
        part = share(sums.cost_nanousd or 0, total.cost_nanousd or 0)
        cells = (
            name,
            f"{sums.requests:,}",
            _cell_cost(sums),
            "-" if part is None or sums.cost_nanousd is None else f"{part * 100:.0f} %",
            short(sums.billed_input),
            "-" if cached is None else f"{cached * 100:.0f} %",
            short((sums.tokens_out or 0) + (sums.tokens_reasoning or 0)),
        )
        found.append(f"| {' | '.join(cells)} |")
    if len(lines) > MOST_LINES:
        found.append(f"| {len(lines) - MOST_LINES} more | | | | | | |")
    return found


def _cell_cost(sums: Sums) -> str:
    missing = sums.unpriced_attempts + sums.open_attempts
    if sums.cost_nanousd is None:
        return "unknown"
    return f"{'≥ ' if missing else ''}{money(sums.cost_nanousd)}"


def _gaps(made: PullCost) -> list[str]:
    """What a reader must know about the total."""
    said = []
    if made.unknown:
        said.append(
            f"{_count(made.unknown, 'attempt')} without a known cost (no price, no usage, or still open): a gap, "
            "not a zero."
        )
    if made.estimated_nanousd:
        part = share(made.estimated_nanousd, made.cost_nanousd or 0)
        said.append(f"{money(made.estimated_nanousd)} ({(part or 0) * 100:.0f} %) of the cost is estimated.")
    if made.plan_nanousd:
        said.append(
            f"{money(made.plan_nanousd)} is the list price of what people used on seats or subscriptions: a measure of "
            "use, not a bill."
        )
    return said


def money(nanousd: int) -> str:
    """`$1,234.50`; below a dollar two digits that count."""
    size = abs(nanousd)
    places = 2
    while places < 9 and 0 < size < 10 ** (10 - places):
        places += 1
    scale = 10 ** (9 - places)
    whole, fraction = divmod((size + scale // 2) // scale, 10**places)
    return f"{'-' if nanousd < 0 else ''}${whole:,}.{fraction:0{places}d}"


def short(count: int) -> str:
    """`812`, `12.3 k`, `4.5 M`."""
    if count < 1_000:
        return str(count)
    if count < 999_950:
        return f"{count / 1_000:.1f} k"
    return f"{count / 1_000_000:.1f} M"


def name_text(name: str) -> str:
    """Somebody's name for something, as a code span that ends where it should."""
    text = " ".join(name.replace("`", "'").split())
    # A bar is replaced, not escaped: the backslash of `\\|` may itself be escaped by one in the name.
    text = "".join([c for c in text if c.isprintable()])[:MOST_NAME].replace("|", "¦")
    return f"`{text or '?'}`"


def name_free(text: str) -> str:
    """A phrase with somebody's names in it: as `name_text` where it holds more than plain words."""
    return text if all(c.isalnum() or c in " /._-" for c in text) else name_text(text)


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
