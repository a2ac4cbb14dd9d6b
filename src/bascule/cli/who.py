"""Who runs a command, for the audit trail."""

import getpass


def who() -> str:
    """`command:` and the user's name on this machine."""
    try:
        return f"command:{getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name, as in many containers
        return "command"
