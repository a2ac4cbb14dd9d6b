"""Journals and stores: where ledger lines, keys, budgets and audit entries are kept."""
