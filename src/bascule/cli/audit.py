"""`bascule audit`: who changed what, and the proof that nobody changed that."""

import re
import sys
from pathlib import Path

import click

from bascule.cli.data import open_existing, read_document
from bascule.cli.output import config_option, json_option, print_json, print_table
from bascule.model.chain import ChainHead
from bascule.model.errors import BasculeError
from bascule.offline.audit import read_trail
from bascule.offline.payload import audit_payload

_HEAD = re.compile(r"(\d{1,12}):([0-9a-f]{64})")
_TOLD = re.compile(r"audit trail stands at (\d{1,12}):([0-9a-f]{64})")
COUNT = click.IntRange(min=1)


@click.group("audit")
def command() -> None:
    """Who changed keys, budgets and the configuration, each entry linked to the one before by its hash."""


@command.command("list")
@click.option("--limit", type=COUNT, default=50, show_default=True, metavar="N", help="The latest N.")
@config_option
@json_option
def list_entries(limit: int, config_path: str | None, as_json: bool) -> None:
    """The latest entries, oldest first."""
    found = read_trail(open_existing(read_document(config_path)).governance, latest=limit)
    entries = [audit_payload(entry) for entry in found.latest]
    if as_json:
        print_json(entries)
        return
    rows = [(one["seq"], f"{one['ts'][:19]}Z", one["by"], one["action"], one["target"]) for one in entries]
    print_table(("entry", "time", "by", "action", "target"), rows)


@command.command("verify")
@click.option("--head", "heads", multiple=True, metavar="N:HASH", help="A head that was written down; repeatable.")
@click.option(
    "--log",
    "log_path",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="A log of `serve`: every head that it tells of must be in the trail.",
)
@config_option
@json_option
def verify(heads: tuple[str, ...], log_path: Path | None, config_path: str | None, as_json: bool) -> None:
    """Check every entry and link, the anchored head, and that keys and budgets are as the trail made them.

    Exit status 1 names each entry that was changed, removed, moved or cut off.
    """
    kept = [_head(text) for text in heads] + ([] if log_path is None else _told(log_path))
    verdict = read_trail(open_existing(read_document(config_path)).governance, latest=0, heads=kept).verdict
    if as_json:
        findings = [{"where": found.where, "what": found.what} for found in verdict.findings]
        print_json({"holds": verdict.holds, "entries": verdict.entries, "heads": len(kept), "findings": findings})
    else:
        for found in verdict.findings:
            click.echo(f"{found.where}: {found.what}", err=True)
        against = f", against {len(kept)} heads kept elsewhere" if kept else ""
        result = "all of it holds" if verdict.holds else f"{len(verdict.findings)} findings"
        click.echo(f"{verdict.entries} entries{against}: {result}")
    if not verdict.holds:
        sys.exit(1)


def _head(text: str) -> ChainHead:
    found = _HEAD.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not an entry's number and its 64 hex digits", param_hint="--head")
    return ChainHead(int(found[1]), found[2])


def _told(path: Path) -> list[ChainHead]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise BasculeError(f"{path} cannot be read: {error.strerror}") from error
    found = list(dict.fromkeys([ChainHead(int(seq), chain) for seq, chain in _TOLD.findall(text)]))
    if not found:
        raise BasculeError(f"{path} tells of no head; `serve` writes one an hour at the level info")
    return found
