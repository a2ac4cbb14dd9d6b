"""Whether a session runs away: an agent that repeats itself, or spends far faster than it did. Pure.

Each rule measures something against its limit; what is measured as a multiple of the limit says how bad it is. At the
limit there is a warning, at `degrade_at` of it a cheaper model, at `stop_at` an end, as far as policy lets it go.
"""

from typing import Literal

from msgspec import Struct, structs

from bascule.model.policy import RunawayAction

Rule = Literal["repeated_calls", "identical_requests", "spend_rate", "spend_jump", "context_growth"]
Step = Literal["warn", "degrade", "stop"]

LONGEST_CYCLE = 4
"""Calls that come again in the same order: A A A, A B A B, up to four."""
BYTES_PER_TOKEN = 4
BINS = 10
"""Into which the window of spending is cut."""
_REACH: dict[RunawayAction, int] = {"off": 0, "warn": 1, "degrade": 2, "stop": 3}
STEPS: tuple[Step, ...] = ("warn", "degrade", "stop")


class RunawayPolicy(Struct, frozen=True, kw_only=True):
    """What counts as running away."""

    repeated_calls: int = 10
    """Times that the same tools are called with the same arguments, in a row or in a cycle."""
    identical_requests: int = 20
    """In a row, of a session that its client has named."""
    nanousd_per_minute: int = 1_500_000_000
    """On average over the window."""
    spend_window_s: float = 600.0
    times_usual: float = 10.0
    """The window's spending against the average of all windows before it."""
    least_nanousd: int = 5_000_000_000
    """Of a window's spending below which no jump is seen."""
    growth_tokens: int = 150_000
    """By which a conversation grows within `growth_requests`."""
    growth_requests: int = 10
    degrade_at: float = 1.25
    """Times a limit."""
    stop_at: float = 1.5
    """Times a limit."""

    @property
    def window_nanousd(self) -> float:
        """What may be spent in a window."""
        return self.nanousd_per_minute * self.spend_window_s / 60

    @property
    def least_looked_at_nanousd(self) -> float:
        """With less in all no window can have reached a limit."""
        return min(self.window_nanousd, self.least_nanousd)


class Sight(Struct, frozen=True):
    """One request of a conversation, as far as it is looked at."""

    messages: int
    text_bytes: int
    calls: bytes | None
    """Equal for equal calls of tools; None where no result of one is brought."""
    said: bytes | None = None
    """Equal for equal last messages; needed only where all else is as in the request before."""

    def resembles(self, before: "Conversation") -> bool:
        """Nothing was added since: it is the same request, or one of the very same size."""
        if self.text_bytes != before.text_bytes or self.messages != before.messages:
            return False
        return self.calls == (before.calls[0] if before.calls else None)


class Conversation(Struct, frozen=True, kw_only=True):
    """What is remembered of one conversation with tools."""

    said: bytes | None = None
    identical: int = 0
    """Requests in a row that are the latest."""
    calls: tuple[bytes, ...] = ()
    """The latest first, `LONGEST_CYCLE` at most."""
    runs: tuple[int, ...] = (0,) * LONGEST_CYCLE
    """For each length of a cycle: calls in a row that equal the one that many before."""
    sizes: tuple[int, ...] = ()
    """Tokens of the latest requests, oldest first."""
    messages: int = 0
    text_bytes: int = -1


class Spending(Struct, frozen=True, kw_only=True):
    """What a session has spent, all its conversations together."""

    first_s: float
    bins: tuple[tuple[int, int], ...] = ()
    """(number of the bin, nano-USD), oldest first, within the window."""
    spent_nanousd: int = 0


class Finding(Struct, frozen=True):
    """A rule whose limit has been reached."""

    rule: Rule
    measured: float
    limit: float

    @property
    def times(self) -> float:
        return self.measured / self.limit


def noted(before: Conversation, sight: Sight, policy: RunawayPolicy) -> Conversation:
    """The conversation with one more request. A request that is sent again brings no new call."""
    if sight.resembles(before):
        is_same = before.said is None or sight.said == before.said
        return structs.replace(before, said=sight.said, identical=before.identical + 1 if is_same else 1)
    calls, runs = before.calls, before.runs
    if sight.calls is None:
        calls, runs = (), (0,) * LONGEST_CYCLE  # a person has spoken, or the agent is done
    else:
        runs = tuple(
            [
                runs[length - 1] + 1 if length <= len(calls) and calls[length - 1] == sight.calls else 0
                for length in range(1, LONGEST_CYCLE + 1)
            ]
        )
        calls = (sight.calls, *calls[: LONGEST_CYCLE - 1])
    # A shorter conversation is another one, or was cut down: it grows anew.
    sizes = before.sizes if sight.messages >= before.messages else ()
    return Conversation(
        identical=1,
        calls=calls,
        runs=runs,
        sizes=(*sizes[-policy.growth_requests :], sight.text_bytes // BYTES_PER_TOKEN),
        messages=sight.messages,
        text_bytes=sight.text_bytes,
    )


def charged(before: Spending, nanousd: int, now_s: float, policy: RunawayPolicy) -> Spending:
    """The session with one more cost."""
    number = int(now_s * BINS / policy.spend_window_s)
    kept = [one for one in before.bins if one[0] > number - BINS]
    if kept and kept[-1][0] == number:
        kept[-1] = (number, kept[-1][1] + nanousd)
    else:
        kept.append((number, nanousd))
    return structs.replace(before, bins=tuple(kept), spent_nanousd=before.spent_nanousd + nanousd)


def worst(
    conversation: Conversation | None,
    spending: Spending | None,
    now_s: float,
    policy: RunawayPolicy,
    *,
    named: bool,
) -> Finding | None:
    """The rule that is furthest beyond its limit; None where none has reached it. `named`: the client has told the
    session's name; without one requests may merely begin alike."""
    found: list[Finding] = []
    if conversation is not None:
        found += _repeated(conversation, policy)
        if named and conversation.identical >= policy.identical_requests:
            found.append(Finding("identical_requests", conversation.identical, policy.identical_requests))
        sizes = conversation.sizes
        if sizes and sizes[-1] - sizes[0] >= policy.growth_tokens:
            found.append(Finding("context_growth", sizes[-1] - sizes[0], policy.growth_tokens))
    if spending is not None and spending.spent_nanousd >= policy.least_looked_at_nanousd:
        found += [one for one in _spent(spending, now_s, policy) if one.measured >= one.limit]
    return max(found, key=lambda one: one.times) if found else None


def _repeated(conversation: Conversation, policy: RunawayPolicy) -> list[Finding]:
    if max(conversation.runs) + 1 < policy.repeated_calls:
        return []
    repeats = max([run // length + 1 for length, run in enumerate(conversation.runs, 1) if run >= length], default=0)
    return [Finding("repeated_calls", repeats, policy.repeated_calls)] if repeats >= policy.repeated_calls else []


def _spent(spending: Spending, now_s: float, policy: RunawayPolicy) -> list[Finding]:
    number = int(now_s * BINS / policy.spend_window_s)
    window_nanousd = sum([nanousd for bin_no, nanousd in spending.bins if bin_no > number - BINS])
    found = [Finding("spend_rate", window_nanousd, policy.window_nanousd)]
    earlier_s = now_s - spending.first_s - policy.spend_window_s
    earlier_nanousd = spending.spent_nanousd - window_nanousd
    if window_nanousd >= policy.least_nanousd and earlier_nanousd > 0 and earlier_s >= policy.spend_window_s:
        usual_nanousd = earlier_nanousd * policy.spend_window_s / earlier_s
        found.append(Finding("spend_jump", window_nanousd, policy.times_usual * usual_nanousd))
    return found


def step_of(finding: Finding, action: RunawayAction, policy: RunawayPolicy) -> Step | None:
    """How far it has come, but no further than `action`."""
    wanted = 3 if finding.times >= policy.stop_at else 2 if finding.times >= policy.degrade_at else 1
    reach = min(wanted, _REACH[action])
    return None if reach == 0 else STEPS[reach - 1]
