"""Which of LiteLLM's files is which: told by what is in them, not by their names."""

from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from bascule.offline.imports.documents import objects
from bascule.offline.imports.lines import BadLine, read_blocks
from bascule.offline.imports.litellm_keys import is_key, is_team
from bascule.offline.imports.litellm_spend import is_spend
from bascule.offline.imports.places import Found, LogFile

YAML_SUFFIXES = (".yaml", ".yml")
MAX_ROWS = 1_000_000
UNKNOWN = "neither LiteLLM's configuration nor its keys, teams or spend"


class Sorted(Struct):
    """Files by what they are; keys and teams are read already, spend is not."""

    configs: list[dict[str, Any]] = field(default_factory=list)
    keys: list[dict[str, Any]] = field(default_factory=list)
    teams: list[dict[str, Any]] = field(default_factory=list)
    spend: list[LogFile] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)


def sort_files(found: Found) -> Sorted:
    """Look into each file. What cannot be used is in `bad`."""
    made = Sorted()
    made.bad += [BadLine(str(lost.path), 0, lost.why) for lost in found.unreadable]
    for file in sorted(found.files, key=lambda file: str(file.path)):
        try:
            _sort(file, made)
        except OSError as error:
            made.bad.append(BadLine(str(file.path), 0, error.strerror or type(error).__name__))
    return made


def _sort(file: LogFile, made: Sorted) -> None:
    path = file.path
    if path.suffix.lower() in YAML_SUFFIXES:
        config = _yaml(path)
        if isinstance(config, str):
            made.bad.append(BadLine(str(path), 0, config))
        else:
            made.configs.append(config)
        return
    is_csv = path.suffix.lower() == ".csv"
    if path.suffix.lower() in (".jsonl", ".ndjson") and _first_line_is_spend(path):
        made.spend.append(file)
        return
    first = next(objects(str(path), read_blocks(path), is_csv=is_csv), None)
    found = BadLine(str(path), 0, "empty") if first is None else first[1]
    if isinstance(found, BadLine):
        made.bad.append(BadLine(str(path), 0, found.why))
        return
    kind = _kind(found)
    if kind == "spend":
        made.spend.append(file)
        return
    if kind is None:
        made.bad.append(BadLine(str(path), 0, UNKNOWN))
        return
    for _, item in islice(objects(str(path), read_blocks(path), is_csv=is_csv), MAX_ROWS):
        if isinstance(item, BadLine):
            made.bad.append(item)
        elif kind == "config":
            made.configs.append(item if "model_list" in item else {"model_list": item["data"]})
        else:
            rows = item.get(f"{kind}s", item) if isinstance(item.get(f"{kind}s"), list) else [item]
            into = made.keys if kind == "key" else made.teams
            into += [row for row in rows if isinstance(row, dict)]


def _kind(item: dict[str, Any]) -> str | None:
    """`config`, `key`, `team` or `spend`."""
    if "model_list" in item:
        return "config"
    for kind in ("key", "team"):
        if isinstance(item.get(f"{kind}s"), list):
            return kind
    rows = item.get("data")
    if isinstance(rows, list):
        first = rows[0] if rows and isinstance(rows[0], dict) else {}
        return "config" if "litellm_params" in first else "spend" if is_spend(first) else None
    if is_spend(item):
        return "spend"
    return "key" if is_key(item) else "team" if is_team(item) else None


def _first_line_is_spend(path: Path) -> bool:
    """A long file is not read whole to see what it is."""
    for block in read_blocks(path):
        for line in block.lines:
            if line.strip():
                try:
                    return is_spend(msgspec.json.decode(line, type=dict[str, Any]))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    return False
    return False


def _yaml(path: Path) -> dict[str, Any] | str:
    """A mapping, or why it is none."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe", pure=True).load(path)
    except (YAMLError, UnicodeDecodeError, ValueError):
        return "not YAML"
    if not isinstance(found, dict) or "model_list" not in found:
        return UNKNOWN
    return {str(name): value for name, value in found.items()}
