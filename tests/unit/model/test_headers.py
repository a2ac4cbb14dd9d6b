from bascule.model.headers import Headers


def test_repeated_names_keep_the_first_and_all_in_order() -> None:
    headers = Headers([(b"a", b"1"), (b"b", b"2"), (b"a", b"3")])
    assert headers.get(b"a") == b"1"
    assert headers.all(b"a") == [b"1", b"3"]
    assert headers.all(b"b") == [b"2"]
    assert headers.all(b"c") == []
    assert headers.get(b"c") is None
    assert sorted(headers.names()) == [b"a", b"b"]
