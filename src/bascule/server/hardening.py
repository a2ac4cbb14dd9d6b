"""What a process that holds keys does not let happen to it."""

import resource


def forbid_core_dumps() -> None:
    """A crash must not write the process's memory, keys and prompts included, to a file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
