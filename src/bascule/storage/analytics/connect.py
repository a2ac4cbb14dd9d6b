"""One DuckDB connection, in memory, within stated limits."""

from pathlib import Path
from typing import TYPE_CHECKING

from bascule.ports import AnalyticsMissing

__all__ = ["MISSING", "AnalyticsMissing", "connect"]

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

THREADS = 2
MEMORY_LIMIT = "700MB"
"""Of what DuckDB counts; the process stays under a gigabyte. Beyond it DuckDB writes to its temporary folder."""


MISSING = "reports need DuckDB, which is not installed; pip install 'bascule[analytics]'"


def connect(temporary: Path) -> "DuckDBPyConnection":
    """An empty database in memory; what does not fit goes to `temporary`. Nothing is fetched from the network.

    Raises AnalyticsMissing.
    """
    try:
        import duckdb
    except ImportError as error:
        raise AnalyticsMissing(MISSING) from error
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": THREADS,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(temporary),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
        },
    )
    connection.execute("SET parquet_metadata_cache = true")
    return connection
