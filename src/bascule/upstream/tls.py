"""TLS towards providers: the system's trust, or a CA file of the operator's."""

import ssl
from pathlib import Path

from bascule.model.errors import ConfigError, Problem


def client_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """A verifying client context that speaks HTTP/1.1. With `ca_file`, that file's certificates are trusted alone.

    Raises ConfigError where the file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError) as error:
        problem = Problem(str(ca_file), f"cannot be used as a CA file: {error}", "Give a PEM file of certificates.")
        raise ConfigError((problem,)) from None
    context.set_alpn_protocols(["http/1.1"])
    return context
