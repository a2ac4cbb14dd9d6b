"""What is learned from outcomes: which model is likely to be right about a prompt, and at what cost.

Numbers are NumPy's (extra `routing`), so nothing that serves a request without a learned router imports this.
"""
