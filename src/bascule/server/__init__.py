"""The HTTP edge: hot routes in raw ASGI, everything else on Starlette."""
