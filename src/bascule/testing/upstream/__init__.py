"""A provider on loopback that does what a script says: `server` is it, `__main__` runs it as a process."""

from bascule.testing.upstream.server import ScriptedUpstream, closed_port

__all__ = ["ScriptedUpstream", "closed_port"]
