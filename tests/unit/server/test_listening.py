"""What is said where the address to listen on cannot be had."""

import socket
from collections.abc import Iterator

import pytest

from bascule.model.errors import BasculeError
from bascule.server.listening import judge_address


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_what_to_do(taken: int) -> None:
    with pytest.raises(BasculeError, match=rf"server\.port {taken} is taken: .*127\.0\.0\.1:{taken}.*--port"):
        judge_address("127.0.0.1", taken)


def test_a_free_address_stays_free() -> None:
    judge_address("127.0.0.1", 0)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    judge_address("127.0.0.1", port)
    judge_address("127.0.0.1", port)


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(BasculeError, match=r"server\.host '192\.0\.2\.1'"):
        judge_address("192.0.2.1", 0)
