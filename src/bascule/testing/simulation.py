"""Simulated models: answers written beforehand, told at a model's own length and pace, and trouble where it is wanted.

What a request gets depends on its words and its model alone, never on the order of arrival, so that traffic sent
concurrently is answered the same way every time. As a process: `python -m bascule.testing.simulation --file F.json`,
its addresses as JSON on the first line of output; it serves until it is ended.
"""

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from msgspec import Struct
from msgspec.structs import replace

from bascule.testing.prompt import input_tokens
from bascule.testing.script import Chooser, ProviderRequest, Script, ScriptedCall
from bascule.testing.upstream import ScriptedUpstream


class SimulatedModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model tells an answer."""

    verbosity: float = 1.0
    """The share of an answer's sentences that it says, the first ones; at least one. Above 1 it says some twice."""
    reasoning_tokens: int = 0
    """Hidden reasoning before each answer, billed as output."""
    ttft_s: float = 0.0
    gap_s: float = 0.0
    """Between tokens of a stream."""
    caches_from_tokens: int | None = None
    """A prompt whose earlier messages have this many tokens or more is read from the cache for that part."""
    reports_usage: bool = True


class WrittenAnswer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer to requests whose last message contains `when`; "" is in all of them."""

    when: str = ""
    sentences: tuple[str, ...]
    tool_calls: tuple[ScriptedCall, ...] = ()
    """Instead of the sentences, where the request has tools and the user spoke last."""


class Trouble(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of a model's requests whose last message contains `when`, in place of an answer."""

    model: str
    when: str
    script: Script


class Simulation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Models by the provider's name for them, answers and troubles; of both lists the first that fits is taken."""

    models: dict[str, SimulatedModel]
    answers: tuple[WrittenAnswer, ...] = ()
    troubles: tuple[Trouble, ...] = ()


def simulated(simulation: Simulation) -> Chooser:
    """The chooser of a simulation. A model that it does not name gets 404."""

    def choose(request: ProviderRequest) -> Script:
        model = simulation.models.get(request.model)
        if model is None:
            return Script(status=404, error_message=f"the simulation has no model {request.model!r}")
        last = _last_message(request.body)
        for trouble in simulation.troubles:
            if trouble.model == request.model and trouble.when in last:
                return trouble.script
        answer = next((found for found in simulation.answers if found.when in last), None)
        return _told(model, answer, request.body)

    return choose


def _last_message(body: dict[str, Any]) -> str:
    messages = body.get("messages") or [""]
    return msgspec.json.encode(messages[-1]).decode()


def _told(model: SimulatedModel, answer: WrittenAnswer | None, body: dict[str, Any]) -> Script:
    script = Script(
        reasoning_tokens=model.reasoning_tokens,
        cached_tokens=_cached(model, body),
        ttft_s=model.ttft_s,
        gap_s=model.gap_s,
        usage_fault=None if model.reports_usage else "none",
    )
    if answer is None:
        return script
    if answer.tool_calls and body.get("tools") and not _answers_a_tool(body):
        return replace(script, tool_calls=answer.tool_calls)
    count = max(1, round(len(answer.sentences) * model.verbosity))
    said = (answer.sentences * (count // len(answer.sentences) + 1))[:count]
    return replace(script, text=" ".join(said))


def _answers_a_tool(body: dict[str, Any]) -> bool:
    last = body["messages"][-1]
    content = last.get("content")
    return last.get("role") == "tool" or (
        isinstance(content, list) and any(isinstance(part, dict) and "tool_use_id" in part for part in content)
    )


def _cached(model: SimulatedModel, body: dict[str, Any]) -> int:
    """Tokens of everything before the last two messages: what the conversation's last request had sent already."""
    messages = body.get("messages") or []
    if model.caches_from_tokens is None or len(messages) < 3:
        return 0
    earlier = input_tokens({**body, "messages": messages[:-2]})
    return earlier if earlier >= model.caches_from_tokens else 0


def main(arguments: list[str] | None = None) -> None:
    """`python -m bascule.testing.simulation --file FILE.json [--port 0] [--seed 0]`, the file a `Simulation`."""
    parser = argparse.ArgumentParser(prog="python -m bascule.testing.simulation", description=__doc__)
    parser.add_argument("--file", type=Path, required=True, help="JSON: {models, answers, troubles}")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args(arguments)
    try:
        simulation = msgspec.json.decode(told.file.read_bytes(), type=Simulation)
    except (OSError, msgspec.DecodeError) as error:
        parser.error(f"--file {told.file}: {error}")
    upstream = ScriptedUpstream(simulated(simulation), seed=told.seed, models=tuple(simulation.models), port=told.port)
    uvloop.run(_serve(upstream))


async def _serve(upstream: ScriptedUpstream) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with upstream:
        addresses = {"port": upstream.port, "openai": upstream.url("openai"), "anthropic": upstream.url("anthropic")}
        sys.stdout.write(msgspec.json.encode(addresses).decode() + "\n")
        sys.stdout.flush()
        await ended.wait()


if __name__ == "__main__":
    main()
