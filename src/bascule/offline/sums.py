"""Sums of ledger rows, under the name by which offline work knows them: see `model.sums`."""

from bascule.model.sums import TOKENS, Sums, answering, duration_s, failed

__all__ = ["TOKENS", "Sums", "answering", "duration_s", "failed"]
