"""How many tokens a byte makes, learned per model from usage that providers reported. An immutable value.

Input: `tokens = a + b * bytes`, fitted by least squares of the ratio tokens/bytes on 1/bytes, which weighs every
request alike by its relative error, with exponential forgetting; on top a factor that 95 % of requests stay under,
followed by stochastic approximation (Robbins and Monro, 1951) in the multiplicative form of frugal streaming (Ma,
Muthukrishnan and Sandler, 2013). Output: tokens per byte as a ratio of forgetting sums, and a histogram of answer
lengths whose bins are half a doubling wide. Until a model has answered, assumed ratios stand in.
"""

from msgspec import Struct, structs

ASSUMED_TOKENS_PER_BYTE = 0.26
"""English prose and code run from 0.2 to 0.3; with `upper` this makes the 0.30 that holds start from."""
_KEEP_INPUT = 0.99
_KEEP_OUTPUT = 0.98
_QUANTILE = 0.95
_STEP = 0.03
_UPPER_RANGE = (1.02, 3.0)
_LEAST_ANSWERS = 200
_MOST_ANSWERS = 4_000
_BINS = 44
_MOST_OUTPUT_TOKENS = 1_000_000
_SLOPE_RANGE = (0.01, 1.0)
_DEGENERATE = 1e-6
_PRIOR = ((1 / 500, 2.0), (1 / 8_000, 2.0))
"""(1/bytes, weight) of what is assumed to have been seen before the first answer, all at the assumed ratio."""


class Calibration(Struct, frozen=True):
    """What a model's reported usage has taught so far; `Calibration()` knows nothing yet."""

    weight: float = sum(w for _, w in _PRIOR)
    sum_inverse: float = sum(w * u for u, w in _PRIOR)
    sum_inverse_squared: float = sum(w * u * u for u, w in _PRIOR)
    sum_ratio: float = sum(w * ASSUMED_TOKENS_PER_BYTE for _, w in _PRIOR)
    sum_inverse_ratio: float = sum(w * u * ASSUMED_TOKENS_PER_BYTE for u, w in _PRIOR)
    upper: float = 1.15
    """Factor on the fitted input tokens that 19 of 20 requests stay under."""
    output_weight: float = 1.0
    output_bytes: float = 1_600.0
    output_tokens: float = 1_600.0 * ASSUMED_TOKENS_PER_BYTE
    answers: int = 0
    lengths: tuple[int, ...] = (0,) * _BINS
    # Worked out by `observe_input` and `observe_output`, since every request asks and only answers teach.
    constant: float = 0.0
    slope: float = ASSUMED_TOKENS_PER_BYTE
    mean_output: int = round(1_600.0 * ASSUMED_TOKENS_PER_BYTE)
    p99_output: int | None = None


def input_tokens(calibration: Calibration, text_bytes: int) -> float:
    """The central estimate of the tokens of a body with this many bytes of text."""
    tokens = calibration.constant + calibration.slope * text_bytes
    return tokens if tokens > 1.0 else 1.0


def output_tokens_per_byte(calibration: Calibration) -> float:
    """Billed output tokens (reasoning included) per byte of generated text that was seen."""
    return calibration.output_tokens / calibration.output_bytes


def mean_output_tokens(calibration: Calibration) -> int:
    """The length of a recent average answer."""
    return calibration.mean_output


def output_p99_tokens(calibration: Calibration) -> int | None:
    """A length that 99 % of the answers stayed under: the upper edge of its bin, so that a cap set by it does not
    creep down. None before 200 answers."""
    return calibration.p99_output


def observe_input(calibration: Calibration, text_bytes: int, tokens: int) -> Calibration:
    """Learn from a reported input count of a request that was text only. What cannot be true is not learned from."""
    if text_bytes <= 0 or not 0 < tokens <= text_bytes + 2_000:
        return calibration
    c = calibration
    factor = 1 + _STEP * _QUANTILE if tokens > input_tokens(c, text_bytes) * c.upper else 1 - _STEP * (1 - _QUANTILE)
    low, high = _UPPER_RANGE
    inverse = 1 / text_bytes
    ratio = tokens * inverse
    weight = c.weight * _KEEP_INPUT + 1
    sum_inverse = c.sum_inverse * _KEEP_INPUT + inverse
    sum_inverse_squared = c.sum_inverse_squared * _KEEP_INPUT + inverse * inverse
    sum_ratio = c.sum_ratio * _KEEP_INPUT + ratio
    sum_inverse_ratio = c.sum_inverse_ratio * _KEEP_INPUT + inverse * ratio
    constant, slope = _line(weight, sum_inverse, sum_inverse_squared, sum_ratio, sum_inverse_ratio)
    return structs.replace(
        c,
        weight=weight,
        sum_inverse=sum_inverse,
        sum_inverse_squared=sum_inverse_squared,
        sum_ratio=sum_ratio,
        sum_inverse_ratio=sum_inverse_ratio,
        upper=min(high, max(low, c.upper * factor)),
        constant=constant,
        slope=slope,
    )


def observe_output(calibration: Calibration, output_bytes: int, tokens: int) -> Calibration:
    """Learn from the reported output of a complete answer: all billed tokens, of one choice or several.

    Nothing bounds tokens by visible bytes, since reasoning may be hidden; but no answer is longer than a million.
    """
    if output_bytes <= 0 or not 0 < tokens <= _MOST_OUTPUT_TOKENS:
        return calibration
    c = calibration
    lengths, answers = list(c.lengths), c.answers
    if answers >= _MOST_ANSWERS:
        lengths = [count // 2 for count in lengths]
        answers = sum(lengths)
    lengths[_bin(tokens)] += 1
    answers += 1
    weight = c.output_weight * _KEEP_OUTPUT + 1
    sum_tokens = c.output_tokens * _KEEP_OUTPUT + tokens
    return structs.replace(
        c,
        output_weight=weight,
        output_bytes=c.output_bytes * _KEEP_OUTPUT + output_bytes,
        output_tokens=sum_tokens,
        answers=answers,
        lengths=tuple(lengths),
        mean_output=round(sum_tokens / weight),
        p99_output=_p99(answers, lengths),
    )


def _line(
    weight: float, sum_inverse: float, sum_inverse_squared: float, sum_ratio: float, sum_inverse_ratio: float
) -> tuple[float, float]:
    """(constant, tokens per byte) of the fit."""
    spread = weight * sum_inverse_squared - sum_inverse * sum_inverse
    constant = 0.0
    if spread > _DEGENERATE * weight * sum_inverse_squared:
        constant = (weight * sum_inverse_ratio - sum_inverse * sum_ratio) / spread
    low, high = _SLOPE_RANGE
    return constant, min(high, max(low, (sum_ratio - constant * sum_inverse) / weight))


def _p99(answers: int, lengths: list[int]) -> int | None:
    if answers < _LEAST_ANSWERS:
        return None
    above = answers // 100
    for position in range(_BINS - 1, -1, -1):
        above -= lengths[position]
        if above < 0:
            return _upper_edge(position)
    raise AssertionError("a histogram holds as many answers as were counted")


def _bin(tokens: int) -> int:
    bits = tokens.bit_length()
    half = (tokens >> (bits - 2)) & 1 if bits > 1 else 0
    return min(_BINS - 1, 2 * bits + half)


def _upper_edge(position: int) -> int:
    bits, half = divmod(position, 2)
    if bits < 2:
        return 1
    return (1 << bits) - 1 if half else (1 << (bits - 1)) + (1 << (bits - 2)) - 1
