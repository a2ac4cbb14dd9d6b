"""The admin API under `/bascule/api/`: keys, budgets, ledger, reports, sessions, configuration, audit trail."""
