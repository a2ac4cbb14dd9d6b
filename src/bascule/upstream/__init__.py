"""HTTP/1.1 to the providers: pooled connections, timeouts by phase, backpressure, proxies, TLS.

`client.HttpUpstream` implements `ports.Upstream`. One asyncio protocol per connection, one `Reply` per request:
state of a response never lives on a pooled connection.
"""
