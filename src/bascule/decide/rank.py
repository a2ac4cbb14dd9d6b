"""In which order endpoints that may serve are tried: by cost, quality, speed, or a balance of them.

Unknown comes last everywhere: a price that is not known is not low, a speed that is not known is not high. Equals keep
the order of the configuration.
"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from bascule.model.catalog import Endpoint, Model
from bascule.model.policy import Objective
from bascule.model.prediction import Predicted
from bascule.model.quality import Quality

By = Literal["price", "throughput", "latency"]


class Option(Struct, frozen=True):
    """One endpoint that may serve, with what choosing looks at."""

    model: Model
    endpoint: Endpoint
    quality: float | None
    """The lower end of its one-sided 95 % interval for the task at hand, 0 to 1; a declared one is its own."""
    expected_nanousd: int | None
    judged: Quality | None = None
    """Where `quality` comes from."""
    ttft_s: float | None = None
    """As seen of late, or else as declared."""
    predicted: Predicted | None = None


def by_worth(options: list[Option]) -> list[Option]:
    """As a learned router orders them; what it does not know comes last, as it stood."""
    return sorted(options, key=lambda option: float("inf") if option.predicted is None else -option.predicted.worth)


Key = Callable[[Option], tuple[float, ...]]


def by_price(option: Option) -> tuple[float, ...]:
    cost = option.expected_nanousd
    return (1, 0) if cost is None else (0, cost)


def by_quality(option: Option) -> tuple[float, ...]:
    """Best first; among equals the cheaper."""
    quality = option.quality
    return (1, 0, *by_price(option)) if quality is None else (0, -quality, *by_price(option))


def by_throughput(option: Option) -> tuple[float, ...]:
    speed = option.endpoint.speed_tokens_per_s
    return (1, 0) if speed is None else (0, -speed)


def by_latency(option: Option) -> tuple[float, ...]:
    ttft_s = option.ttft_s
    return (1, 0) if ttft_s is None else (0, ttft_s)


SORTS: dict[By, Key] = {"price": by_price, "throughput": by_throughput, "latency": by_latency}


def duration_s(option: Option, output_tokens: int) -> float | None:
    """Time to the first token (live where it is known) plus the declared speed's time for the rest; None unless both
    are known."""
    speed = option.endpoint.speed_tokens_per_s
    if option.ttft_s is None or not speed:
        return None
    return option.ttft_s + output_tokens / speed


def ranked(options: list[Option], objective: Objective, output_tokens: int) -> list[Option]:
    """`options` by a route's objective. `output_tokens` is how long the answer is expected to be."""
    if len(options) < 2:
        return options
    if objective == "cheapest":
        return sorted(options, key=by_price)
    if objective == "best":
        return sorted(options, key=by_quality)
    if objective == "fastest":
        return sorted(options, key=_by_duration(output_tokens))
    return sorted(options, key=_by_balance(options, output_tokens))


def _by_duration(output_tokens: int) -> Key:
    def key(option: Option) -> tuple[float, ...]:
        duration = duration_s(option, output_tokens)
        return (1, 0, *by_price(option)) if duration is None else (0, duration, *by_price(option))

    return key


def _by_balance(options: list[Option], output_tokens: int) -> Key:
    """Highest `quality - 1/2 cost/dearest - 1/4 duration/slowest` first.

    So being free weighs as much as 0.5 of quality against being the dearest at hand, and being instant as much as
    0.25 against being the slowest. Unknown quality counts 0, an unknown cost or duration as the worst at hand.
    """
    durations = {option.endpoint.id: duration_s(option, output_tokens) for option in options}
    slowest = max([duration for duration in durations.values() if duration is not None], default=0.0)
    dearest = max([option.expected_nanousd for option in options if option.expected_nanousd is not None], default=0)

    def key(option: Option) -> tuple[float, ...]:
        cost, duration = option.expected_nanousd, durations[option.endpoint.id]
        dear = 1.0 if cost is None else (cost / dearest if dearest else 0.0)
        slow = 1.0 if duration is None else (duration / slowest if slowest else 0.0)
        return (dear / 2 + slow / 4 - (option.quality or 0.0),)

    return key
