"""The statements of this store."""

from bascule.storage.named_sql import named_sql


def statements(file_name: str) -> dict[str, str]:
    """The statements of one of the `.sql` files beside this one, by name."""
    return named_sql(__package__, file_name)
