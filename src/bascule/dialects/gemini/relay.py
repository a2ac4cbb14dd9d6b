"""`generateContent` to itself: bytes pass through, patched only where they must be."""

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from bascule.dialects.base import NO_CONTEXT, Body, ReplyContext, StreamCodec, Target
from bascule.dialects.fields import NULL
from bascule.dialects.gemini.signatures import MARKED, without_foreign
from bascule.dialects.gemini.splice import spliced
from bascule.dialects.gemini.stream import RelayStream
from bascule.dialects.splice import patch
from bascule.model.errors import Refusal
from bascule.model.facts import Facts

NOTHING = bytes(NULL)
_OF_THE_PATH = ("model", "stream")
"""Not of this API's body; what a client writes there is not what was judged."""


class RelayCodec:
    """The codec of `gemini` to itself. Stateless."""

    def request(self, body: Body, raw: bytes, facts: Facts, target: Target) -> bytes | Refusal:
        put: dict[str, bytes] = {}
        _put_config(raw, None if facts.max_tokens == target.max_tokens else target.max_tokens, put)
        if MARKED in raw and type(contents := body.get("contents")) is list:
            put["contents"] = msgspec.json.encode(without_foreign(contents))
        return patch(raw, put, _OF_THE_PATH)  # without edits too: of a key given twice only what was judged goes on

    def reply(
        self, raw: bytes, facts: Facts, model: str, cost_nanousd: int | None, context: ReplyContext = NO_CONTEXT
    ) -> bytes:
        return raw if cost_nanousd is None else spliced(raw, cost_nanousd)

    def stream(self, facts: Facts, model: str, splice_cost: bool, context: ReplyContext = NO_CONTEXT) -> StreamCodec:
        return RelayStream(splice_cost, no_done=False)

    def forward_headers(self, headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return []


class _Configs(msgspec.Struct, gc=False):
    generationConfig: Raw = NULL  # noqa: N815  the wire's own name
    generation_config: Raw = NULL


_CONFIGS = msgspec.json.Decoder(_Configs)
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])


def _put_config(raw: bytes, cap: int | None, put: dict[str, bytes]) -> None:
    """`generationConfig` with this cap, in the spelling that the client chose, all else of it as it came.

    Where no cap is to be put, only of a field given twice just what was judged stays.
    """
    found = _CONFIGS.decode(raw)
    name, config = "generationConfig", bytes(found.generationConfig)
    if config == NOTHING and bytes(found.generation_config) != NOTHING:
        name, config = "generation_config", bytes(found.generation_config)
    if config == NOTHING:
        if cap is None:
            return
        config = b"{}"
    edits: dict[str, bytes] = {}
    if cap is not None:
        field = "max_output_tokens" if "max_output_tokens" in _MEMBERS.decode(config) else "maxOutputTokens"
        edits[field] = str(cap).encode()
    patched = patch(config, edits)
    if patched != config:
        put[name] = patched
