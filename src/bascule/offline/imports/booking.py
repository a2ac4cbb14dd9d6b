"""What was observed as an imported row, priced at the book price of its own day."""

from pathlib import PurePosixPath, PureWindowsPath

from msgspec import Struct

from bascule.decide.price import price, price_with
from bascule.model.imported import import_id
from bascule.model.row import AttemptRow
from bascule.model.usage import Usage
from bascule.offline.imports.observed import Observed
from bascule.offline.imports.sellers import Sellers, Sold

_WORKTREES = (".claude/worktrees", ".worktrees")


class Attribution(Struct, frozen=True, kw_only=True):
    """What the importing user says about all rows of an import; None says nothing."""

    key: str | None = None
    org: str | None = None
    team: str | None = None
    project: str | None = None
    user: str | None = None
    tags: dict[str, str] = {}


class Origin(Struct, frozen=True):
    """Which program's logs these are."""

    source: str
    """As in `--source`, the row's `origin`: `claude-code`, `codex`."""
    dialect: str


class Booking:
    """Makes rows. One per import: it remembers sellers and the names of projects."""

    def __init__(self, origin: Origin, sellers: Sellers, attribution: Attribution) -> None:
        self._origin = origin
        self._sellers = sellers
        self._who = attribution
        self._projects: dict[str, str | None] = {}
        self._version = sellers.version

    def row(self, seen: Observed) -> AttemptRow:
        """The row of a call; its cost is None where the price, or a count that matters, is unknown."""
        usage, who = seen.usage, self._who
        sold = Sold("", None, None) if seen.model is None else self._sellers.find(seen.model, seen.maker)
        priced = None if sold.timeline is None else price(usage, sold.timeline, seen.ts_start_ms)
        source = self._origin.source
        name = import_id(source, seen.source_id)
        return AttemptRow(
            kind="import",
            origin=source,
            attempt_id=name,
            request_id=name,
            session_id=seen.session_id,
            agent_id=seen.agent_id,
            parent_id=seen.parent_id,
            upstream_request_id=seen.upstream_request_id,
            attempt_no=1,
            key=who.key,
            org=who.org,
            team=who.team,
            project=who.project or self._project(seen.cwd),
            user=who.user,
            tags=self._tags(seen),
            pr=seen.pr,
            branch=seen.branch,
            model=sold.model or None,
            model_requested=None,
            model_reported=seen.model,
            provider=sold.provider,
            upstream_model=seen.model,
            dialect_in=self._origin.dialect,
            service_tier=usage.service_tier,
            status=200,
            ts_start_ms=seen.ts_start_ms,
            ts_end_ms=seen.ts_end_ms,
            tokens_in=usage.tokens_in,
            tokens_cache_read=usage.tokens_cache_read,
            tokens_cache_write_5m=usage.tokens_cache_write_5m,
            tokens_cache_write_1h=usage.tokens_cache_write_1h,
            tokens_out=usage.tokens_out,
            tokens_reasoning=usage.tokens_reasoning,
            tokens_audio_in=usage.tokens_audio_in,
            tokens_audio_out=usage.tokens_audio_out,
            tokens_image_in=usage.tokens_image_in,
            tokens_image_out=usage.tokens_image_out,
            web_searches=usage.web_searches,
            tool_fees_nanousd=None if priced is None else priced.tool_fees_nanousd,
            usage_source=usage.source,
            usage_flags=usage.flags,
            usage_raw=usage.raw,
            cost_nanousd=None if priced is None else priced.cost_nanousd,
            price_version=self._version,
            rates=None if priced is None else priced.rates,
            finish_reason=seen.finish_reason,
            client=source,
            chain="",
        )

    def has_price(self, row: AttemptRow) -> bool:
        """Whether any price of the row's model is known."""
        name = row.upstream_model or row.model
        return name is not None and self._sellers.find(name, row.provider).timeline is not None

    def _tags(self, seen: Observed) -> dict[str, str]:
        tags = dict(seen.tags)
        if seen.cwd is not None:
            tags["cwd"] = seen.cwd
        if seen.version is not None:
            tags["version"] = seen.version
        if self._who.tags:
            tags.update(self._who.tags)
        return tags

    def _project(self, cwd: str | None) -> str | None:
        if cwd is None:
            return None
        if cwd not in self._projects:
            if len(self._projects) >= 10_000:
                self._projects.clear()
            self._projects[cwd] = project_of(cwd)
        return self._projects[cwd]


def project_of(cwd: str) -> str | None:
    """The last part of a directory; of a worktree that lies inside its repository, the repository's."""
    path = PureWindowsPath(cwd) if "\\" in cwd and "/" not in cwd else PurePosixPath(cwd)
    whole = path.as_posix()
    for place in _WORKTREES:
        before, found, _ = whole.partition(f"/{place}/")
        if found and before:
            return PurePosixPath(before).name or None
    return path.name or None


def output_cost_nanousd(row: AttemptRow, tokens_out: int) -> int | None:
    """What `row` would have cost with so many output tokens instead of its own, at its own rates."""
    if row.rates is None:
        return None
    usage = Usage(
        tokens_in=row.tokens_in,
        tokens_cache_read=row.tokens_cache_read,
        tokens_cache_write_5m=row.tokens_cache_write_5m,
        tokens_cache_write_1h=row.tokens_cache_write_1h,
        tokens_out=tokens_out,
        web_searches=row.web_searches,
        source="reported",
    )
    return price_with(usage, row.rates)
