"""One file per provider, each with one value named `SPEC`."""
