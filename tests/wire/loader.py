"""Wire cases from their folders. See cases/README.md."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bascule.dialects.base import Codec, ProviderDialect, ReplyContext, StreamCodec, Target
from bascule.dialects.registry import codec, dialect, provider_dialect
from bascule.model.facts import Facts
from bascule.model.outcome import Fault
from bascule.testing.bedrock_wire import framed

ROOT = Path(__file__).parent / "cases"
MINIMAL: dict[str, dict[str, Any]] = {
    "openai_chat": {"model": "asked", "messages": [{"role": "user", "content": "hi"}]},
    "anthropic_messages": {"model": "asked", "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]},
    "openai_responses": {"model": "asked", "input": "hi"},
    "gemini": {"model": "asked", "contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    "openai_embeddings": {"model": "asked", "input": "hi"},
    "anthropic_count_tokens": {"model": "asked", "messages": [{"role": "user", "content": "hi"}]},
}


@dataclass(frozen=True)
class Case:
    """One folder, with what it takes to run it."""

    folder: Path
    client: str
    provider: str
    settings: dict[str, Any]
    raw: bytes
    body: dict[str, Any]

    def text(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    def value(self, name: str) -> Any:
        text = self.text(name)
        return None if text is None else json.loads(text)

    @property
    def codec(self) -> Codec:
        return codec(self.client, self.provider)

    @property
    def dialect(self) -> ProviderDialect:
        return provider_dialect(self.provider)

    def upstream_stream(self) -> bytes | None:
        """The provider's stream: `upstream.sse`, or the messages of `upstream.events.json` as AWS frames them."""
        events = self.value("upstream.events.json")
        if events is None:
            return self.text("upstream.sse")
        messages = [
            framed("exception" if kind.endswith("Exception") else "event", kind, json.dumps(payload).encode())
            for kind, payload in events
        ]
        return b"".join(messages)

    @property
    def target(self) -> Target:
        return msgspec.convert({"upstream_model": "upstream", **self.settings.get("target", {})}, Target)

    @property
    def facts(self) -> Facts:
        return dialect(self.client).read_facts(self.body, len(self.raw))

    @property
    def context(self) -> ReplyContext:
        return ReplyContext(
            now_s=self.settings.get("now_s", 1_800_000_000), request_id="req_1", target=self.target, body=self.body
        )

    @property
    def model(self) -> str:
        return str(self.settings.get("model", "shown-model"))

    @property
    def cost_nanousd(self) -> int | None:
        cost = self.settings.get("cost_nanousd", 1_230_000)
        return cost if cost is None else int(cost)

    def stream(self) -> StreamCodec:
        return self.codec.stream(self.facts, self.model, True, self.context)


def cases() -> list[Case]:
    """Every case, sorted by folder."""
    found = []
    for settings in sorted(ROOT.glob("*/*/case.json")):
        folder = settings.parent
        client, _, provider = folder.parent.name.partition("-to-")
        path = folder / "request.json"
        raw = path.read_bytes() if path.exists() else json.dumps(MINIMAL[client]).encode()
        found.append(Case(folder, client, provider or client, json.loads(settings.read_text()), raw, json.loads(raw)))
    return found


def run_stream(stream: StreamCodec, data: bytes, step: int, cost_nanousd: int | None) -> tuple[bytes, Fault | None]:
    """The client's bytes of a stream fed in pieces of `step` bytes, and the fault it ended with. What comes with or
    after a fault is not forwarded, as in the engine."""
    out = b""
    for start in range(0, len(data), step):
        answer = stream.feed(data[start : start + step])
        out += answer.forward
        if answer.fault is not None:
            return out, answer.fault
    if not answer_is_terminal(stream):
        answer = stream.end()
        out += answer.forward
        if answer.fault is not None:
            return out, answer.fault
    return out + stream.close(cost_nanousd), None


def answer_is_terminal(stream: StreamCodec) -> bool:
    return stream.feed(b"").terminal
