"""Which Host and Origin reach the gateway."""

import pytest

from bascule.server.guard import Guard, host_name


def guard(bound: str = "127.0.0.1", hosts: tuple[str, ...] = (), origins: tuple[str, ...] = ()) -> Guard:
    return Guard(bound_host=bound, allowed_hosts=hosts, allowed_origins=origins)


@pytest.mark.parametrize(
    ("value", "name"),
    [("localhost", "localhost"), ("LocalHost:8787", "localhost"), ("127.0.0.1:1", "127.0.0.1"), ("[::1]", "[::1]"),
     ("[::1]:8787", "[::1]"), ("localhost:", "localhost")],
)  # fmt: skip
def test_a_port_and_upper_case_do_not_matter(value: str, name: str) -> None:
    assert host_name(value) == name


@pytest.mark.parametrize("bound", ["127.0.0.1", "localhost", "::1", "127.0.0.2", "::ffff:127.0.0.1", "gw.localhost"])
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8787", "127.0.0.1.evil.example", "localhost.evil.example", "[::1].evil.example",
     "[::1]evil", "localhost:80@evil.example", "evil.example#127.0.0.1", "", ":8787", "[::1", "192.168.0.1", "\xff"],
)  # fmt: skip
def test_on_loopback_no_name_of_somebody_elses_is_served(bound: str, host: str) -> None:
    """DNS rebinding sends the attacker's name to any loopback address that we are bound to."""
    assert guard(bound).host_problem([host.encode("latin-1")]) is not None


@pytest.mark.parametrize("bound", ["127.0.0.1", "::1", "127.0.0.2"])
@pytest.mark.parametrize("host", ["127.0.0.1:8787", "localhost", "[::1]:8787"])
def test_loopback_names_are_served(bound: str, host: str) -> None:
    assert guard(bound).host_problem([host.encode()]) is None


def test_the_bound_address_itself_is_served() -> None:
    assert guard("127.0.0.2").host_problem([b"127.0.0.2:8787"]) is None
    assert guard("FE80::1", hosts=("a",)).host_problem([b"[fe80::1]:8787"]) is None


def test_exactly_one_host_header() -> None:
    for bound in ("127.0.0.1", "0.0.0.0"):
        assert guard(bound).host_problem([]) is not None
        assert guard(bound).host_problem([b"localhost", b"localhost"]) is not None


def test_off_loopback_every_host_unless_some_are_named() -> None:
    assert guard("0.0.0.0").host_problem([b"gw.example.com"]) is None
    named = guard("0.0.0.0", hosts=("GW.example.com",))
    assert named.host_problem([b"gw.example.com:443"]) is None
    assert named.host_problem([b"other.example.com"]) is not None


@pytest.mark.parametrize(
    "origin",
    [b"https://evil.example", b"null", b"", b"http://127.0.0.1:3000", b"http://localhost:8787", b"127.0.0.1:8787",
     b"http://127.0.0.1:8787.evil.example", b"\xff"],
)  # fmt: skip
def test_pages_of_other_origins_are_refused(origin: bytes) -> None:
    assert guard().origin_problem(origin, b"127.0.0.1:8787", None) is not None


def test_an_origin_without_an_address_does_not_match_an_empty_host() -> None:
    assert guard("0.0.0.0").origin_problem(b"null", b"", None) is not None


def test_the_own_origin_and_allowed_ones_pass() -> None:
    tools = guard(origins=("https://Tools.example.com/",))
    assert tools.origin_problem(b"http://127.0.0.1:8787", b"127.0.0.1:8787", b"same-origin") is None
    assert tools.origin_problem(b"https://tools.example.com", b"127.0.0.1:8787", b"cross-site") is None
    assert tools.origin_problem(b"http://tools.example.com", b"127.0.0.1:8787", None) is not None


@pytest.mark.parametrize(("site", "passes"), [(None, True), (b"none", True), (b"same-origin", True),
                                              (b"same-site", False), (b"cross-site", False)])  # fmt: skip
def test_without_an_origin_the_browser_says_where_it_comes_from(site: bytes | None, passes: bool) -> None:
    assert (guard().origin_problem(None, b"127.0.0.1", site) is None) is passes
