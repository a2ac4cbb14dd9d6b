"""Test results in JUnit's XML, as pytest, Jest, Gradle and most others write it. Pure."""

from contextlib import suppress
from xml.parsers import expat

from msgspec import Struct


class JunitResults(Struct, frozen=True, kw_only=True):
    passed: int
    failed: int
    """Failures and errors."""
    skipped: int
    seconds: float | None

    def plus(self, other: "JunitResults") -> "JunitResults":
        known = [each for each in (self.seconds, other.seconds) if each is not None]
        return JunitResults(
            passed=self.passed + other.passed,
            failed=self.failed + other.failed,
            skipped=self.skipped + other.skipped,
            seconds=sum(known) if known else None,
        )


class _Counter:
    """Counts test cases, as the sums at the top of such files are not written by all. No case: no results."""

    def __init__(self) -> None:
        self.cases = self.failed = self.skipped = 0
        self.seconds: float | None = None
        self._within: set[str] | None = None
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and name not in ("testsuites", "testsuite"):
            raise ValueError(f"its root is <{name}>, not <testsuites> or <testsuite>")
        if name == "testcase":
            self.cases += 1
            self._within = set()
            with suppress(ValueError):  # a case without a time is a case all the same
                self.seconds = (self.seconds or 0.0) + float(attributes.get("time", "").replace(",", ""))
        elif self._within is not None:
            self._within.add(name)

    def end(self, name: str) -> None:
        self._depth -= 1
        if name == "testcase" and self._within is not None:
            if self._within & {"failure", "error"}:
                self.failed += 1
            elif "skipped" in self._within:
                self.skipped += 1
            self._within = None


def read_junit(document: bytes) -> JunitResults:
    """The results in a file. Raises ValueError for what is no such file; entities are not expanded but refused."""
    counter = _Counter()
    parser = expat.ParserCreate()
    parser.StartElementHandler = counter.start
    parser.EndElementHandler = counter.end
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise ValueError(f"not XML: {error}") from None
    return JunitResults(
        passed=counter.cases - counter.failed - counter.skipped,
        failed=counter.failed,
        skipped=counter.skipped,
        seconds=counter.seconds,
    )


def _refuse(*declaration: object) -> None:
    raise ValueError("it declares a document type, which test results do not need")
