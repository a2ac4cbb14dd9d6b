"""LiteLLM's spend table: a row per request, as JSON Lines, CSV, or pages of its API.

Columns as of LiteLLM_SpendLogs. `prompt_tokens` contain what was read from and written to a cache; `metadata` tells
those apart where the version wrote them down. `spend` is LiteLLM's own estimate: it is kept beside the price book's,
and is the cost where the book has no price.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from bascule.decide.price import price
from bascule.model.imported import import_id
from bascule.model.outcome import ErrorClass
from bascule.model.row import AttemptRow
from bascule.model.usage import Usage
from bascule.offline.imports.account import CACHE_UNKNOWN
from bascule.offline.imports.booking import Attribution
from bascule.offline.imports.columns import count, dollars, given, moment, text
from bascule.offline.imports.documents import csv_rows, json_lines, json_objects
from bascule.offline.imports.lines import BadLine, Lines
from bascule.offline.imports.litellm_keys import Directory
from bascule.offline.imports.litellm_providers import provider_name
from bascule.offline.imports.observed import FINAL, Given
from bascule.offline.imports.sellers import Sellers

SOURCE = "litellm"
AS_TOLD = "cost_as_told"
"""The book has no price: the cost is what LiteLLM reckoned."""
_DIALECTS = {"completion": "openai_chat", "responses": "openai_responses", "anthropic_messages": "anthropic_messages",
             "generate_content": "gemini", "embedding": "openai_embeddings"}  # fmt: skip
_CLASSES: dict[int, ErrorClass] = {400: "bad_request", 401: "auth", 403: "auth", 404: "not_found",
                                   408: "timeout_total", 413: "too_large", 429: "rate_limited",
                                   499: "client_gone", 503: "overloaded", 529: "overloaded"}  # fmt: skip


def is_spend(row: Mapping[str, Any]) -> bool:
    return "request_id" in row and "startTime" in row


class SpendReader:
    """Reads *.csv as CSV, everything else as JSON Lines or a list. `told` counts rows whose cost is LiteLLM's."""

    api_errors = 0

    def __init__(self, sellers: Sellers, who: Attribution, directory: Directory) -> None:
        self._sellers = sellers
        self._who = who
        self._directory = directory
        self.told = 0

    def read(self, path: Path, blocks: Iterator[Lines]) -> Iterator[Given | BadLine]:
        """What a file tells. Raises OSError while reading."""
        name, suffix = str(path), path.suffix.lower()
        read = csv_rows if suffix == ".csv" else json_objects if suffix == ".json" else json_lines
        yield from self.objects(name, read(name, blocks))

    def objects(self, name: str, found: Iterator[tuple[int, dict[str, Any] | BadLine]]) -> Iterator[Given | BadLine]:
        """What numbered rows tell; a page of the API has its rows under `data`."""
        for number, item in found:
            if isinstance(item, BadLine):
                yield item
                continue
            rows = item["data"] if isinstance(item.get("data"), list) else [item]
            for row in rows:
                try:
                    yield self.given(row)
                except ValueError as error:
                    yield BadLine(name, number, str(error))

    def given(self, found: Any) -> Given:
        """One request. Raises ValueError with the column."""
        if not isinstance(found, dict):
            raise ValueError("expected an object")
        request_id, start_ms = given(found, "request_id", text), given(found, "startTime", moment)
        if request_id is None or start_ms is None:
            raise ValueError("request_id, startTime: a row of the spend table needs both")
        meta = _object(found.get("metadata"))
        row = self._row(found, meta, request_id, start_ms)
        is_hit = str(found.get("cache_hit")).lower() == "true"
        return Given(request_id, FINAL, _hit(row) if is_hit else self._priced(row))

    def _row(self, found: dict[str, Any], meta: dict[str, Any], request_id: str, start_ms: int) -> AttemptRow:
        token, team_id = given(found, "api_key", text), given(found, "team_id", text)
        who = self._who
        usage = usage_of(found, meta)
        provider = given(found, "custom_llm_provider", text)
        model = given(found, "model", text)
        upstream = None if model is None else model.removeprefix(f"{provider}/")
        status, error_class = _ending(found, meta)
        key = given(meta, "user_api_key_alias", text) or (
            None if token is None else self._directory.key_name(token) or token[:12]
        )
        team = given(meta, "user_api_key_team_alias", text) or (
            None if team_id is None else self._directory.team_name(team_id)
        )
        name = import_id(SOURCE, request_id)
        return AttemptRow(
            kind="import",
            origin=SOURCE,
            attempt_id=name,
            request_id=name,
            upstream_request_id=request_id,
            session_id=given(found, "session_id", text),
            attempt_no=1,
            key=key or who.key,
            org=given(found, "organization_id", text) or who.org,
            team=team or who.team,
            project=who.project or given(meta, "user_api_key_project_id", text),
            user=given(found, "user", text) or who.user,
            tags=_tags(found) | who.tags,
            model_requested=given(found, "model_group", text),
            model=upstream,
            upstream_model=upstream,
            model_reported=upstream,
            provider=None if provider is None else provider_name(provider),
            dialect_in=_dialect(given(found, "call_type", text)),
            status=status,
            error_class=error_class,
            ts_start_ms=start_ms,
            ts_first_ms=given(found, "completionStartTime", moment),
            ts_end_ms=given(found, "endTime", moment),
            tokens_in=usage.tokens_in,
            tokens_cache_read=usage.tokens_cache_read,
            tokens_cache_write_5m=usage.tokens_cache_write_5m,
            tokens_cache_write_1h=usage.tokens_cache_write_1h,
            tokens_out=usage.tokens_out,
            tokens_reasoning=usage.tokens_reasoning,
            usage_source=usage.source,
            usage_flags=usage.flags,
            provider_cost_nanousd=given(found, "spend", dollars),
            chain="",
        )

    def _priced(self, row: AttemptRow) -> AttemptRow:
        if row.usage_source == "none":
            return self._as_told(row) if row.error_class is None else structs.replace(row, cost_nanousd=0)
        sold = None if row.upstream_model is None else self._sellers.find(row.upstream_model, row.provider)
        if sold is None or sold.timeline is None:
            return self._as_told(row)
        counts = {name: getattr(row, name) for name in _COUNTS}
        found = price(Usage(source="reported", **counts), sold.timeline, row.ts_start_ms)
        if found is None:
            return self._as_told(row)
        return structs.replace(
            row,
            model=sold.model or row.model,
            provider=row.provider or sold.provider,
            cost_nanousd=found.cost_nanousd,
            tool_fees_nanousd=found.tool_fees_nanousd,
            rates=found.rates,
            price_version=self._sellers.version,
        )

    def _as_told(self, row: AttemptRow) -> AttemptRow:
        """LiteLLM writes 0 where it knows no price: that is unknown, not free."""
        if not row.provider_cost_nanousd:
            return row
        self.told += 1
        return structs.replace(row, cost_nanousd=row.provider_cost_nanousd, usage_flags=(*row.usage_flags, AS_TOLD))


_COUNTS = ("tokens_in", "tokens_cache_read", "tokens_cache_write_5m", "tokens_cache_write_1h", "tokens_out",
           "tokens_reasoning")  # fmt: skip


def usage_of(found: Mapping[str, Any], meta: Mapping[str, Any]) -> Usage:
    """Disjoint buckets of a row. A row without any token says nothing of usage."""
    prompt, completion = given(found, "prompt_tokens", count), given(found, "completion_tokens", count)
    if not prompt and not completion:
        return Usage()
    told = _object(meta.get("usage_object")) or _object(meta.get("additional_usage_values"))
    before, after = _object(told.get("prompt_tokens_details")), _object(told.get("completion_tokens_details"))
    read = given(told, "cache_read_input_tokens", count)
    if read is None:
        read = given(before, "cached_tokens", count)
    written = given(told, "cache_creation_input_tokens", count)
    if written is None:
        written = given(before, "cache_creation_tokens", count)
    kinds = _object(before.get("cache_creation_token_details"))
    hour = given(kinds, "ephemeral_1h_input_tokens", count)
    thought = given(after, "reasoning_tokens", count)
    flags: tuple[str, ...] = () if read is not None or written is not None else (CACHE_UNKNOWN,)
    plain = (prompt or 0) - (read or 0) - (written or 0)
    spoken = None if completion is None else completion - (thought or 0)
    if min(plain, spoken or 0) < 0:
        flags = (*flags, "clamped")
    return Usage(
        tokens_in=max(plain, 0),
        tokens_cache_read=read,
        tokens_cache_write_5m=None if written is None else max(written - (hour or 0), 0),
        tokens_cache_write_1h=hour,
        tokens_out=None if spoken is None else max(spoken, 0),
        tokens_reasoning=thought,
        source="reported",
        flags=flags,
    )


def _hit(row: AttemptRow) -> AttemptRow:
    """An answer from LiteLLM's own cache: nothing was sent, nothing is billed."""
    return structs.replace(
        row,
        role="cache",
        cache="exact",
        attempt_no=0,
        provider=None,
        cost_nanousd=0,
        provider_cost_nanousd=None,
        usage_source="reported",
        usage_flags=(),
        **dict.fromkeys(_COUNTS, 0),
    )


def _ending(found: Mapping[str, Any], meta: Mapping[str, Any]) -> tuple[int | None, ErrorClass | None]:
    """Status and class of error; a failure of an unknown kind is the server's."""
    said = str(found.get("status") or meta.get("status") or "success").lower()
    if said != "failure":
        return 200, None
    code = str(_object(meta.get("error_information")).get("error_code"))
    status = int(code) if code.isdecimal() and len(code) == 3 else None
    if status is None:
        return None, "server_error"
    return status, _CLASSES.get(status, "server_error" if status >= 500 else "bad_request")


def _dialect(call_type: str | None) -> str | None:
    if call_type is None:
        return None
    bare = call_type.removeprefix("a") if call_type.removeprefix("a") in _DIALECTS else call_type
    return _DIALECTS.get(bare)


def _tags(found: Mapping[str, Any]) -> dict[str, str]:
    """`k:v` and `k=v` as tags, others as flags, LiteLLM's own mark of the client left out; and the `end_user`."""
    tags: dict[str, str] = {}
    given_tags = found.get("request_tags")
    listed = _decoded(given_tags) if isinstance(given_tags, str) else given_tags
    for one in listed if isinstance(listed, list) else []:
        if not isinstance(one, str) or one.startswith("User-Agent:"):
            continue
        place = min([at for mark in "=:" if (at := one.find(mark)) > 0], default=0)
        tags[one[:place].strip() if place else one] = one[place + 1 :].strip() if place else "true"
    if (end_user := given(found, "end_user", text)) is not None:
        tags["end_user"] = end_user
    return tags


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = _decoded(value)
    return value if isinstance(value, dict) else {}


def _decoded(value: str) -> Any:
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return None
