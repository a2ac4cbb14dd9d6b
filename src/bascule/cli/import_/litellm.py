"""`bascule import litellm`: another gateway's configuration, keys, teams and spend."""

import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from bascule.cli.import_.account import whole_days
from bascule.cli.import_.fetching import Api, api, get, secret_of
from bascule.cli.import_.litellm_files import Sorted, sort_files
from bascule.cli.import_.options import Asked, import_options
from bascule.cli.import_.running import Imports, find
from bascule.cli.import_.summary import payload, tell
from bascule.cli.output import print_json, write_text
from bascule.cli.period import iso_second, now_ms
from bascule.offline.imports.booking import Origin
from bascule.offline.imports.lines import BadLine, Lines
from bascule.offline.imports.litellm_config import fragment_of
from bascule.offline.imports.litellm_fragment import Fragment, yaml_text
from bascule.offline.imports.litellm_keys import Directory
from bascule.offline.imports.litellm_spend import SOURCE, SpendReader
from bascule.offline.imports.observed import Given
from bascule.offline.imports.places import Found, LogFile
from bascule.offline.imports.tally import Tally

SUFFIXES = (".yaml", ".yml", ".json", ".jsonl", ".ndjson", ".csv")
HEAD = "Made from LiteLLM's settings by `bascule import litellm`. `bascule check -c FILE` says what is still missing."
KEYS = ("LITELLM_MASTER_KEY",)
PAGE_ROWS = 100
COUNTED = ("providers", "models", "aliases", "keys", "budgets")


class Spend(Struct):
    """What came of the spend table."""

    tally: Tally
    told: int


@click.command("litellm")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--live", is_flag=True, help="Ask the running proxy, with the key in LITELLM_MASTER_KEY, by GET alone.")
@click.option("--url", default=None, metavar="URL", help="With --live: where the proxy is.")
@click.option("--out", "out_path", type=click.Path(dir_okay=False, path_type=Path), help="Write the YAML there.")
@import_options
def command(path: Path | None, live: bool, url: str | None, out_path: Path | None, asked: Asked) -> None:
    """LiteLLM's config.yaml, keys and teams as a bascule.yaml, and its spend table as imported rows.

    PATH is one of these files or a folder of them: YAML; JSON of /key/list, /team/list, /spend/logs; CSV or JSON Lines
    of LiteLLM_VerificationToken, LiteLLM_TeamTable, LiteLLM_SpendLogs. The YAML goes to standard output or --out; what
    has no place in it is listed with the reason. No secret is written: keys become references to variables.
    """
    if (path is None) == (not live):
        raise click.UsageError("give either a PATH or --live")
    if live != (url is not None):
        raise click.UsageError("--live and --url go together: say where the proxy is")
    if path is not None:
        found = sort_files(find([path], (), given=True, suffixes=SUFFIXES))
        there = None
    else:
        key, name = secret_of(os.environ, KEYS, "the proxy's master key")
        there = api("LiteLLM", url or "", {"authorization": f"Bearer {key}"}, name)
        asked = whole_days(asked, now_ms())
        found = _fetched(there)
    directory = Directory(found.keys, found.teams)
    made = _fragment(found, directory)
    spend = _spend(found, there, directory, asked)
    text = None if made is None or made.is_empty else yaml_text(made, HEAD)
    if asked.as_json:
        print_json(_payload(made, text, spend, found, asked))
    else:
        _tell(made, text, spend, asked, out_path)
    for bad in found.bad:
        click.echo(f"{bad.file}: {bad.why}", err=True)
    if text is not None and out_path is not None and not asked.dry_run:
        write_text(out_path, text)
    if text is None and (spend is None or spend.tally.is_unreadable):
        sys.exit(1)


def _fragment(found: Sorted, directory: Directory) -> Fragment | None:
    """The sections of all configurations in one, the last word being the first file's; None where there is nothing."""
    if not found.configs and not found.keys and not found.teams:
        return None
    made = Fragment()
    for config in found.configs:
        one = fragment_of(config, os.environ.get)
        for name, section in one.sections.items():
            if isinstance(section, dict):
                made.sections[name] = {**section, **made.sections.get(name, {})}
            else:
                made.sections.setdefault(name, []).extend(section)
        made.not_taken += one.not_taken
        made.secrets += one.secrets
        made.notes += one.notes
    directory.write(made)
    return made


def _spend(found: Sorted, there: Api | None, directory: Directory, asked: Asked) -> Spend | None:
    if there is None and not found.spend:
        return None
    with Imports(Origin(SOURCE, ""), asked) as imports:
        reader = SpendReader(imports.sellers, asked.attribution, directory)
        if there is None:
            return Spend(imports.run(reader, Found(tuple(found.spend))), reader.told)
        pages_of = _LiveSpend(reader, there, asked)
        return Spend(imports.run(pages_of, Found((LogFile(Path(_LiveSpend.path), 0, now_ms()),))), reader.told)


class _LiveSpend:
    """A reader of the proxy's spend table: there is no file behind it."""

    path = "/spend/logs/v2"
    api_errors = 0

    def __init__(self, reader: SpendReader, there: Api, asked: Asked) -> None:
        self._reader = reader
        self._there = there
        self._asked = asked

    def read(self, path: Path, blocks: Iterator[Lines]) -> Iterator[Given | BadLine]:
        numbered: Iterator[tuple[int, dict[str, Any] | BadLine]] = enumerate(self._pages(), start=1)
        yield from self._reader.objects(str(path), numbered)

    def _pages(self) -> Iterator[dict[str, Any]]:
        period = self._asked.period
        dates = [("start_date", _when(period.since_ms)), ("end_date", _when(period.until_ms))]
        yield from _all_pages(self._there, self.path, [*dates, ("page_size", str(PAGE_ROWS))])


def _fetched(there: Api) -> Sorted:
    """What the running proxy says of its models, keys and teams."""
    found = Sorted()
    info = get(there, "/model/info", [])
    found.configs.append({"model_list": info.get("data") or []})
    for page in _all_pages(there, "/key/list", [("return_full_object", "true"), ("size", str(PAGE_ROWS))]):
        found.keys += [key for key in page.get("keys") or [] if isinstance(key, dict)]
    teams = get(there, "/team/list", [])
    found.teams += [team for team in teams.get("data") or [] if isinstance(team, dict)]
    return found


def _all_pages(there: Api, path: str, query: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Pages by number, as many as the first one says."""
    number = total = 1
    while number <= total:
        page = get(there, path, [*query, ("page", str(number))])
        yield page
        said = page.get("total_pages")
        total = said if isinstance(said, int) else 1
        number += 1


def _when(ts_ms: int | None) -> str:
    return (iso_second(ts_ms) or "").replace("T", " ").removesuffix("Z")


def _tell(made: Fragment | None, text: str | None, spend: Spend | None, asked: Asked, out_path: Path | None) -> None:
    """The YAML alone on standard output, so that it can be piped; all else beside it."""
    beside = text is not None and out_path is None
    with redirect_stdout(sys.stderr) if beside else nullcontext():
        if made is not None and text is not None:
            _tell_fragment(made, out_path, dry_run=asked.dry_run)
        if spend is not None:
            tell(SOURCE, spend.tally, dry_run=asked.dry_run, unknown_columns=None)
            if spend.told:
                click.echo(f"Calls whose cost is LiteLLM's own, as the price book has no price: {spend.told:,}.")
    if text is not None and out_path is None:
        sys.stdout.write(text)


def _tell_fragment(made: Fragment, out_path: Path | None, *, dry_run: bool) -> None:
    counted = ", ".join([f"{len(made.sections[name])} {name}" for name in COUNTED if made.sections.get(name)])
    where = "" if out_path is None else f" into {out_path}"
    click.echo(f"{SOURCE}: {counted}{where}{'; a dry run, nothing written' if dry_run else ''}")
    for one in made.secrets:
        click.echo(f"Set {one.variable}: {one.why}.")
    for note in made.notes:
        click.echo(note)
    for left in made.not_taken:
        click.echo(f"Not taken: {left.place}: {left.why}.")


def _payload(
    made: Fragment | None, text: str | None, spend: Spend | None, found: Sorted, asked: Asked
) -> dict[str, Any]:
    """Stable keys; `spend` is what every import says."""
    rows = None
    if spend is not None:
        rows = payload(SOURCE, spend.tally, dry_run=asked.dry_run, unknown_columns=None)
        rows["cost_as_told_rows"] = spend.told
    return {
        "source": SOURCE,
        "dry_run": asked.dry_run,
        "yaml": text,
        "sections": {} if made is None else {name: len(section) for name, section in made.sections.items() if section},
        "secrets": [] if made is None else [{"variable": one.variable, "why": one.why} for one in made.secrets],
        "notes": [] if made is None else made.notes,
        "not_taken": [] if made is None else [{"place": one.place, "why": one.why} for one in made.not_taken],
        "unreadable": [{"file": bad.file, "why": bad.why} for bad in found.bad],
        "spend": rows,
    }
