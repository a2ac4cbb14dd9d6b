"""The store of several replicas: PostgreSQL 15 or newer. Needs the extra `postgres`."""
