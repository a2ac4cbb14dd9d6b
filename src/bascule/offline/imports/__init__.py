"""What others have recorded, read into ledger rows: logs of agents, and rows of any program as JSON Lines or CSV.

Readers are pure: bytes in, `Observed` usage or a `BadLine` out; nothing that a log holds is fatal, and no prompt or
answer leaves a reader, only counts, names and times. `booking` prices what was observed at the book price of its own
day, `run` sees to it that nothing is counted twice.
"""
