"""Parquet files of what the ledger holds, beside it: made anew from it at any time, and never more than it says."""
