"""A worker's borrowing from the authority that several share: its rounds, and what the ledger says of chains."""
