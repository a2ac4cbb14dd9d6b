"""The scripted upstream's answers without its sockets, for a `ScriptedTransport`."""

from collections.abc import Callable

import orjson

from bascule.ports import UpstreamCall
from bascule.testing.response import plan_response
from bascule.testing.script import Choice, Dialect, ProviderRequest, chooser
from bascule.testing.transport import Reply


def scripted_provider(dialect: Dialect, choice: Choice, seed: int = 0) -> Callable[[UpstreamCall], Reply]:
    """Answers every call as `ScriptedUpstream(choice)` does; the faults of transport and of time are left out."""
    choose = chooser(choice)
    number = 0

    def answer(call: UpstreamCall) -> Reply:
        nonlocal number
        number += 1
        body = orjson.loads(call.body)
        request = ProviderRequest(
            number=number,
            dialect=dialect,
            path=call.target.partition("?")[0],
            model=str(body.get("model")),
            stream=body.get("stream") is True,
            headers={name.decode(): value.decode() for name, value in call.headers},
            body=body,
        )
        response = plan_response(request, choose(request), seed, f"req_{number}", "").response
        return Reply(
            status=response.status,
            headers=dict(response.headers),
            parts=[step.data for step in response.steps if step.data],
        )

    return answer
