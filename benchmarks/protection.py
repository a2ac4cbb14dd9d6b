"""`python -m benchmarks.protection`: how long requests are searched for what a key does not let out.

Prose, code and texts made to be hard for each pattern, at three sizes. Time in proportion to the text is what matters.
"""

import json
import time
from pathlib import Path

from bascule.decide.protect import search
from bascule.gateway.recognisers import recognisers

SIZES = (8_000, 100_000, 1_000_000)
HARD = ("a", "1", "1 ", "A1 ", "a@", "a.", "+1 ", "sk-", "eyJ", "AB12 ", "-----BEGIN ", "4-")


def milliseconds(text: str) -> float:
    """The best of three."""
    wanted = recognisers()
    assert wanted is not None, "pip install 'bascule[protection]'"
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        search([text], wanted, frozenset(), len(text))
        best = min(best, time.perf_counter() - began)
    return best * 1_000


def main() -> None:
    code = "".join([path.read_text(encoding="utf-8") for path in sorted(Path("src").rglob("*.py"))[:200]])
    prose = "".join([path.read_text(encoding="utf-8") for path in sorted(Path("docs").rglob("*.md"))])
    texts = {"code": code, "prose": prose, **{f"hard {unit!r}": unit for unit in HARD}}
    for name, text in texts.items():
        sizes = [(text * (size // len(text) + 1))[:size] for size in SIZES]
        times = {f"{size // 1000} KB": round(milliseconds(cut), 2) for size, cut in zip(SIZES, sizes, strict=True)}
        print(json.dumps({"text": name, **times}))


if __name__ == "__main__":
    main()
