"""Which of Anthropic's models think as they see fit (`adaptive`) and which within a budget.

Budgets are refused from Opus 4.7 on, `adaptive` before version 4.6 (platform.claude.com, "Adaptive thinking", read in
November 2026). Adaptive thinking has a further merit here: it need not be switched off while tools work whose calls
came without a signed thought, and each switch loses what is cached of the messages.
"""

_SINCE = (4, 6)


def thinks_adaptively(model: str) -> bool:
    """By its name: `claude-FAMILY-MAJOR-MINOR` with anything before and behind. False for names of another form."""
    _, _, rest = model.partition("@")[0].replace(".", "-").partition("claude-")
    version: list[int] = []
    for part in rest.split("-")[1:]:
        if not part.isdecimal() or len(part) > 2:  # a date is no version
            break
        version.append(int(part))
    return tuple(version) >= _SINCE and not rest[0].isdecimal()
