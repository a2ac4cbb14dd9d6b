"""Bascule: one endpoint in front of every model, a true ledger, budgets that hold."""

__version__ = "0.1.0"
