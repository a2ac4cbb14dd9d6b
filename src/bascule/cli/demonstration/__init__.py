"""The parts of `bascule demo`: the scenario, the processes, the traffic, and the story read from the ledger."""
