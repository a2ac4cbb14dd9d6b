"""Harm done to a real gateway on loopback, and proof of what it made of it.

`reconcile` holds the ledger against what the scripted upstream counted, `overspend` fires at small budgets,
`scenarios` are what `bascule chaos` runs. Tests of this project stand on the same parts.
"""
