"""Signing requests for AWS with botocore's own signer. Imported only where a request is to be signed: an extra.

Botocore may read files, call a service or ask the machine for its role, which blocks: `renewed` runs in a thread, and
`sign` only takes credentials that no longer change. Both read the clock.
"""

from json import JSONDecodeError

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, ReadOnlyCredentials, RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session
from msgspec.structs import replace

from bascule.ports import TransportError, UpstreamCall
from bascule.providers.signing import AwsKeys, SigV4

_SIGNED = frozenset({b"content-type"})
"""What is signed beside the host, the date and the body's hash: proxies may touch the other headers."""
_FAILURES = (BotoCoreError, ClientError, JSONDecodeError, RuntimeError)
"""How credentials fail to come: by botocore's own words, by the service that lends a role, by a process that does not
answer in JSON; and RuntimeError is botocore's where the renewed ones are out of date too."""


def renewed(found: Credentials | None) -> tuple[Credentials, ReadOnlyCredentials]:
    """Credentials as botocore finds them, or those that it `found`, renewed where they run out; and what they are now.
    Blocks. Raises TransportError (`auth`, nothing sent)."""
    try:
        found = found or Session().get_credentials()
        if found is not None:
            return found, found.get_frozen_credentials()
    except _FAILURES as error:
        what = f"AWS credentials cannot be had: {type(error).__name__}"
        raise TransportError("auth", what, request_sent=False) from error
    what = "no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
    raise TransportError("auth", what, request_sent=False)


def runs_out(found: Credentials, within_s: int | None = None) -> bool:
    """Whether credentials end within this time; None: whether it is time to renew them. Does not block."""
    return isinstance(found, RefreshableCredentials) and found.refresh_needed(within_s)


def given(keys: AwsKeys) -> ReadOnlyCredentials:
    """Credentials that were given outright."""
    token = keys.session_token
    return ReadOnlyCredentials(
        keys.access_key_id.reveal().decode(),
        keys.secret_access_key.reveal().decode(),
        None if token is None else token.reveal().decode(),
    )


def sign(call: UpstreamCall, signing: SigV4, credentials: ReadOnlyCredentials) -> UpstreamCall:
    """The call with the headers that prove who sends it."""
    headers = {name.decode(): value.decode() for name, value in call.headers if name in _SIGNED}
    request = AWSRequest(method=call.method, url=call.origin + call.target, data=call.body, headers=headers)
    SigV4Auth(credentials, signing.service, signing.region).add_auth(request)
    added = [
        (name.lower().encode(), str(value).encode())
        for name, value in request.headers.items()
        if name.lower().encode() not in _SIGNED
    ]
    return replace(call, headers=(*call.headers, *added), signing=None)
