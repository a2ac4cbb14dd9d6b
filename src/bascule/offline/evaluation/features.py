"""What traffic uses, and what of it another model does not have. Pure.

From the ledger and its decision records, so that no content is needed. What nobody states of a model is unknown,
neither there nor lost.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from msgspec import Struct

from bascule.model.catalog import Endpoint, Model
from bascule.model.matrix import Matrix
from bascule.model.row import AttemptRow

Standing = Literal["lost", "unknown"]
IMAGES = ("image as data", "image by URL", "image in a tool's result")
TOOLS = ("tools", "custom tool", "a call is required", "parallel calls and results", "failed tool")
OF_USE: dict[str, tuple[str, ...]] = {"image": IMAGES, "tools": TOOLS, "json_schema": ("JSON schema",)}
"""Rows of the dialect matrix that matter only to traffic that uses the feature."""


class Use(Struct, kw_only=True):
    """What the requests of some traffic use: how many of them, each."""

    requests: int = 0
    decided: int = 0
    """Requests whose decision record is there: of others it is not known what they used."""
    features: dict[str, int] = {}
    """image, tools, json_schema, reasoning, prompt_cache."""
    most_tokens: int = 0
    """Input and output of the largest request."""
    tokens: list[int] = []
    """Input and output of each, for shares above a window."""
    outputs: list[int] = []
    most_output: int = 0
    dialects: dict[str, int] = {}
    """Clients' dialects."""


class Gap(Struct, frozen=True, kw_only=True):
    """Something that the traffic uses and the model lacks, or may lack."""

    feature: str
    standing: Standing
    requests: int
    """That use it."""
    of: int
    """Requests of which it is known whether they do."""
    why: str

    @property
    def share(self) -> float:
        return self.requests / self.of if self.of else 0.0


def use_of(rows: Iterable[AttemptRow], facts: Mapping[str, Mapping[str, Any]]) -> Use:
    """`facts` by request, as decision records have them."""
    use = Use()
    for row in rows:
        use.requests += 1
        size = sum([count or 0 for count in (row.tokens_in, row.tokens_cache_read, row.tokens_cache_write_5m,
                                             row.tokens_cache_write_1h)])  # fmt: skip
        output = (row.tokens_out or 0) + (row.tokens_reasoning or 0)
        use.tokens.append(size + output)
        use.most_tokens = max(use.most_tokens, size + output)
        use.outputs.append(output)
        use.most_output = max(use.most_output, output)
        if row.dialect_in is not None:
            use.dialects[row.dialect_in] = use.dialects.get(row.dialect_in, 0) + 1
        seen = facts.get(row.request_id)
        use.decided += seen is not None
        for name in _used(row, seen or {}):
            use.features[name] = use.features.get(name, 0) + 1
    return use


def _used(row: AttemptRow, seen: Mapping[str, Any]) -> list[str]:
    pairs = (("image", "images"), ("tools", "tools"), ("json_schema", "json_schema"), ("reasoning", "reasoning"))
    found = [name for name, fact in pairs if seen.get(fact)]
    return [*found, *(["prompt_cache"] if row.tokens_cache_read else [])]


def gaps(use: Use, model: Model, endpoint: Endpoint) -> list[Gap]:
    """What the catalog or the configuration says that the model lacks; unknown where neither says anything."""
    made: list[Gap] = []

    def note(feature: str, standing: Standing, why: str) -> None:
        if use.features.get(feature):
            of = use.requests if feature == "prompt_cache" else use.decided
            made.append(Gap(feature=feature, standing=standing, requests=use.features[feature], of=of, why=why))

    if "image" not in model.input:
        note("image", "lost", "takes no image input")
    for feature, has in (("tools", model.tools), ("json_schema", model.json_schema), ("reasoning", model.reasoning)):
        if has is not True:
            note(feature, "lost" if has is False else "unknown", "not supported" if has is False else "nobody says")
    window = endpoint.context_window or model.context_window
    over = 0 if window is None else sum([tokens > window for tokens in use.tokens])
    if window is None:
        made.append(
            Gap(feature="context", standing="unknown", requests=use.requests, of=use.requests, why="window not known")
        )
    elif over:
        why = f"{use.most_tokens:,} tokens, window {window:,}"
        made.append(Gap(feature="context", standing="lost", requests=over, of=use.requests, why=why))
    most = endpoint.max_output or model.max_output
    longer = 0 if most is None else sum([tokens > most for tokens in use.outputs])
    if most is not None and longer:
        why = f"{use.most_output:,} tokens of output, at most {most:,}"
        made.append(Gap(feature="output", standing="lost", requests=longer, of=use.requests, why=why))
    return made


def translation_gaps(use: Use, before: str, after: str, matrix: Matrix) -> list[Gap]:
    """What clients' dialects keep on the way to the one provider dialect and not to the other. Whether a request uses
    it is known of a few features only; the others may never have been used, and are told as unknown."""
    cells = {(cell.client, cell.provider): cell.features for cell in matrix.cells}
    made: dict[str, Gap] = {}
    for client, requests in sorted(use.dialects.items()):
        kept, then = cells.get((client, before), {}), cells.get((client, after), {})
        for feature, verdict in then.items():
            if verdict == "kept" or kept.get(feature) != "kept":
                continue
            used = next((name for name, listed in OF_USE.items() if feature in listed), None)
            if used is not None and not use.features.get(used) and use.decided == use.requests:
                continue
            count = requests if used is None else use.features.get(used, 0)
            why = f"{verdict} between {client} and {after}"
            of = requests if used is None else use.decided
            made[feature] = Gap(feature=feature, standing="unknown", requests=count, of=of, why=why)
    return list(made.values())
