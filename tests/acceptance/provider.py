"""The scripted upstream in a thread of this process, so that a script may be any function of the request."""

from bascule.testing.upstream.threaded import ThreadedUpstream as Provider
from bascule.testing.upstream.threaded import from_body

__all__ = ["Provider", "from_body"]
