"""How claims are named among the settings of a store."""


def claim_name(name: str, until_ms: int) -> str:
    """They stand in the order in which they are forgotten."""
    return f"claim {until_ms:015d} {name}"
