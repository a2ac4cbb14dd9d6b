"""Append-only journals: one file series and one hash chain per (replica, worker, epoch), locked by its writer."""
