"""Calculations over recorded requests: rows, reports, sessions, estimates, proofs. No I/O; rows come through ports."""
