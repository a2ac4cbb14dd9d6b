"""Signing requests for AWS with botocore's own signer. Imported only where a request is to be signed: an extra.

It reads the clock, and botocore may read files or ask the machine for its role, which blocks: `prepare` runs in a
thread.
"""

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import BotoCoreError
from botocore.session import Session
from msgspec.structs import replace

from bascule.ports import TransportError, UpstreamCall
from bascule.providers.signing import AwsKeys, SigV4

_SIGNED = frozenset({b"content-type"})
"""What is signed beside the host, the date and the body's hash: proxies may touch the other headers."""


class Signer:
    """Signs calls. Credentials that botocore found are kept and renewed as they run out."""

    def __init__(self) -> None:
        self._found: Credentials | None = None

    def is_ready(self, signing: SigV4) -> bool:
        """Whether `sign` can do without `prepare`."""
        if signing.keys is not None:
            return True
        found = self._found
        return found is not None and not (isinstance(found, RefreshableCredentials) and found.refresh_needed())

    def prepare(self, signing: SigV4) -> None:
        """Find or renew the credentials. Blocks. Raises TransportError (`auth`, nothing sent)."""
        if signing.keys is not None:
            return
        try:
            if self._found is None:
                self._found = Session().get_credentials()
            if self._found is not None:
                self._found.get_frozen_credentials()
                return
        except BotoCoreError as error:
            what = f"AWS credentials cannot be had: {type(error).__name__}"
            raise TransportError("auth", what, request_sent=False) from error
        what = "no AWS credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
        raise TransportError("auth", what, request_sent=False)

    def sign(self, call: UpstreamCall, signing: SigV4) -> UpstreamCall:
        """The call with the headers that prove who sends it. `prepare` has made ready what it needs."""
        headers = {name.decode(): value.decode() for name, value in call.headers if name in _SIGNED}
        request = AWSRequest(method=call.method, url=call.origin + call.target, data=call.body, headers=headers)
        SigV4Auth(self._credentials(signing.keys), signing.service, signing.region).add_auth(request)
        added = [
            (name.lower().encode(), str(value).encode())
            for name, value in request.headers.items()
            if name.lower().encode() not in _SIGNED
        ]
        return replace(call, headers=(*call.headers, *added), signing=None)

    def _credentials(self, keys: AwsKeys | None) -> Credentials:
        if keys is None:
            assert self._found is not None
            return self._found.get_frozen_credentials()
        token = keys.session_token
        return Credentials(
            keys.access_key_id.reveal().decode(),
            keys.secret_access_key.reveal().decode(),
            None if token is None else token.reveal().decode(),
        )
