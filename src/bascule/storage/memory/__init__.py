"""Stores that live in the process and end with it: for tests and for `demo`."""
