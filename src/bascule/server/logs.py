"""Logs on standard error: one JSON object a line, or plain lines where a person looks on at a terminal.

Every known secret is cut out at the sink, whatever the form.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

from bascule.decide.redaction import Redactor

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message"}


class JsonFormatter(logging.Formatter):
    """`ts level logger message`, the extra fields, and a traceback where there is one."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({name: value for name, value in record.__dict__.items() if name not in _STANDARD})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return self._redactor.clean(_json(line))


def _json(line: dict[str, Any]) -> str:
    try:
        return orjson.dumps(line, default=repr).decode()
    except TypeError:  # a lone surrogate, a huge integer or a key that is no text: written all the same
        return json.dumps({name: repr(value) for name, value in line.items()})


class PlainFormatter(logging.Formatter):
    """`HH:MM:SS level message (field=value, …)`, UTC, for a terminal."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        told = [f"{name}={value}" for name, value in record.__dict__.items() if name not in _STANDARD]
        line = (
            f"{datetime.fromtimestamp(record.created, UTC):%H:%M:%S} {record.levelname.lower()} {record.getMessage()}"
        )
        if told:
            line += f" ({', '.join(told)})"
        if record.exc_info:
            line += f"\n{self.formatException(record.exc_info)}"
        return self._redactor.clean(line)


def configure_logging(redactor: Redactor, *, level: str) -> None:
    """Send everything, uvicorn's own lines included, through one handler."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainFormatter(redactor) if sys.stderr.isatty() else JsonFormatter(redactor))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
