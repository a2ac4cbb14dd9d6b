"""What `bascule doctor` says of what it saw. Pure: observations in, findings out."""

from typing import Literal

from msgspec import Struct

Status = Literal["ok", "warn", "fail"]

DAY_MS = 86_400_000
PRICES_OLD_DAYS = 90
DISK_LOW_BYTES = 1 << 30
DISK_FULL_BYTES = 64 << 20
CLOCK_SLACK_MS = 5 * 60_000
NOT_BEFORE_MS = 1_735_689_600_000
"""2025-01-01: this program did not exist before."""
NOT_AFTER_MS = 4_102_444_800_000
"""2100-01-01."""


class Finding(Struct, frozen=True):
    """One line of the doctor's report. `remedy` is empty where nothing is to be done."""

    name: str
    status: Status
    what: str
    remedy: str = ""


def clock_finding(now_ms: int, newest_row_ms: int | None) -> Finding:
    """Whether the clock can be true: not in another age, and not before what the ledger has seen."""
    if not NOT_BEFORE_MS <= now_ms < NOT_AFTER_MS:
        return Finding("clock", "fail", "the clock is in another age", "Set the clock; budgets and prices follow it")
    if newest_row_ms is not None and now_ms < newest_row_ms - CLOCK_SLACK_MS:
        behind_s = (newest_row_ms - now_ms) // 1000
        what = f"the clock is {behind_s} s behind the ledger's newest row"
        return Finding("clock", "fail", what, "Set the clock, e.g. turn on NTP; budget windows follow it")
    return Finding("clock", "ok", "plausible, and not behind the ledger")


def prices_finding(newest_price_ms: int | None, now_ms: int, version: str) -> Finding:
    """How old the newest dated price of the book is."""
    if newest_price_ms is None:
        return Finding("prices", "warn", f"{version}: no price has a date", "Update bascule")
    days = max(0, now_ms - newest_price_ms) // DAY_MS
    what = f"{version}: its newest price is {days} days old"
    if days > PRICES_OLD_DAYS:
        return Finding("prices", "warn", what, "Update bascule, or state prices under `models`")
    return Finding("prices", "ok", what)


def disk_finding(free_bytes: int, place: str) -> Finding:
    what = f"{free_bytes / (1 << 30):.1f} GiB free at {place}"
    if free_bytes < DISK_FULL_BYTES:
        return Finding("disk", "fail", what, "Free space; without a journal line nothing is sent (503)")
    if free_bytes < DISK_LOW_BYTES:
        return Finding("disk", "warn", what, "Free space soon")
    return Finding("disk", "ok", what)


def journal_findings(live: int, dead: int, damaged: int, open_attempts: int) -> list[Finding]:
    """`live`: journals whose writer runs; `dead`: journals left by one that died, with lines in them."""
    found = []
    if dead:
        what = f"{dead} journal{'s' if dead > 1 else ''} of a gateway that died"
        found.append(Finding("journal", "warn", what, "The next `bascule serve` drains them; nothing is lost"))
    else:
        writing = f"{live} being written" if live else "none being written"
        found.append(Finding("journal", "ok", f"{writing}, none left behind, {open_attempts} attempts open"))
    if damaged:
        what = f"{damaged} damaged journal files lie in the folder `damaged`"
        found.append(Finding("journal", "warn", what, "See `bascule ledger verify`, then move them away"))
    return found
