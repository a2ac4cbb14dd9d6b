"""The form that providers' reports of an organisation have in common: pages of buckets of results, or rows of CSV."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from bascule.offline.imports.account import LeftOut, Part
from bascule.offline.imports.columns import given, moment

DAY_MS = 86_400_000


class Form(Struct, frozen=True):
    """How one provider names what all have."""

    what: str
    """The reports, in words."""
    start: str
    end: str
    """Of a bucket's span, [start, end); without an end it is a day."""
    columns: Mapping[str, str] = {}
    """The CSV's columns, and the API's names for them."""


def parts_of(
    found: dict[str, Any], form: Form, result: Callable[[dict[str, Any]], Iterator[Part | LeftOut]]
) -> Iterator[Part | LeftOut]:
    """What one object of a file tells: a page, a bucket, or a row of CSV. `result` reads one result, which has its
    bucket's span under the names of the API. Raises ValueError."""
    if isinstance(found.get("data"), list):
        for bucket in found["data"]:
            yield from parts_of(_object(bucket), form, result)
    elif isinstance(found.get("results"), list):
        span = {name: found.get(name) for name in (form.start, form.end)}
        for each in found["results"]:
            yield from result({**_object(each), **span})
    elif any(name in found for name in (form.start, form.end, *form.columns)):
        yield from result({form.columns.get(name, name): value for name, value in found.items() if value != ""})
    elif found.get("object") != "page" and "has_more" not in found:
        raise ValueError(f"no page, bucket or row of {form.what}: it has no {form.start}")


def span_of(found: Mapping[str, Any], form: Form) -> tuple[int, int]:
    """[start, end) of a result in milliseconds. Raises ValueError."""
    start_ms = given(found, form.start, moment)
    if start_ms is None:
        raise ValueError(f"{form.start}: a result needs the time when its span began")
    end_ms = given(found, form.end, moment) or start_ms + DAY_MS
    if end_ms <= start_ms:
        raise ValueError(f"{form.end}: not after {form.start}")
    return start_ms, end_ms


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("expected an object")
    return value
