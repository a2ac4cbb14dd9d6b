"""How a challenger comes to serve, and how it stops. Pure.

`trial` is the value that is kept of one challenger, `step` its transitions, `serving` who answers a session.
"""
