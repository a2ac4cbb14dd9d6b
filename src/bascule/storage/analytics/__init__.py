"""Ledger rows as columns: DuckDB over Parquet segments and over what is not in them yet."""
