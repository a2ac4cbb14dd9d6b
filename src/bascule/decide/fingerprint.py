"""Which requests may be answered from the exact cache, and under what name an answer is kept.

A request is cacheable only if its sender asked for determinism (temperature 0, said, not defaulted) and nothing in it
reaches outside of itself: no tools, no URLs or files, no stored conversation, no field that is not known to be bounded.
Streamed and whole answers are kept apart (`stream` is part of the name). That an answer is whole, ended by itself and
calls no tool is for the engine to see before it keeps one.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from bascule.model.facts import Facts

DIGEST_BYTES = 32

_NEUTRAL = frozenset({"model", "user", "metadata", "stream_options", "prompt_cache_key", "safety_identifier"})
"""Fields that do not change the answer. `model` is the client's word for what the endpoint says exactly; how a stream
reports its usage is made anew for each client on replay."""

_STATEFUL = frozenset(
    {
        *("store", "background", "previous_response_id", "conversation", "container", "mcp_servers"),
        *("functions", "web_search_options", "plugins", "audio", "search_parameters", "enable_search", "web_search"),
        *("data_sources", "cached_content", "extra_body"),
    }
)
"""Fields that have effects, or bring in what is not in the body."""

_canonical = msgspec.json.Encoder(order="sorted")


def cacheable(facts: Facts, body: Mapping[str, Any]) -> bool:
    """Whether the same request may get the same answer again. False in doubt."""
    if facts.temperature != 0 or facts.tools or facts.n != 1 or facts.unbounded or facts.has_audio:
        return False
    for image in facts.images:
        if image.kind != "base64":
            return False
    return all(not body.get(name) for name in _STATEFUL & body.keys())


class Fingerprint(Struct, frozen=True):
    """The name of an answer, and what it is made of."""

    digest: bytes
    """32 bytes to look it up by."""
    content: bytes
    """Everything that could change the answer: compared on a hit, so that no collision of digests is one."""


def fingerprint(partition: str, endpoint_id: str, surface: str, body: Mapping[str, Any]) -> Fingerprint:
    """The name of an answer, from everything that could change it.

    `partition` keeps tenants apart: what stands for the key and all that it may do, never anything
    that a client sends. `surface` says how the answer is rendered, and whatever of the request's headers goes on to
    the provider (`anthropic-beta` changes answers). The order of fields does not matter; every other difference does,
    `1` against `1.0` included. Hashing is linear in the body, so only for cacheable requests.
    """
    kept = {name: value for name, value in body.items() if name not in _NEUTRAL}
    parts = (partition.encode(), endpoint_id.encode(), surface.encode(), _canonical.encode(kept))
    # The length before each part: no two sequences of parts can run together into the same bytes.
    content = b"".join([len(part).to_bytes(8, "big") + part for part in parts])
    return Fingerprint(blake2b(content, digest_size=DIGEST_BYTES).digest(), content)
