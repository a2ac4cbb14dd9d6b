import pytest

from bascule.offline.imports.documents import objects
from bascule.offline.imports.lines import BadLine, Lines


def read(text: bytes, *, is_csv: bool = False) -> list:
    return list(objects("f", iter([Lines(1, text.split(b"\n"))] if text else []), is_csv=is_csv))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'{"a": 1}', [(1, {"a": 1})]),
        (b'{\n "a": 1\n}\n', [(1, {"a": 1})]),
        (b'[{"a": 1}, {"a": 2}]', [(1, {"a": 1}), (1, {"a": 2})]),
        (b'{"a": 1}\n\n{"a": 2}\n', [(1, {"a": 1}), (3, {"a": 2})]),
        (b"", []),
    ],
)
def test_documents_arrays_and_lines(text: bytes, found: list) -> None:
    assert read(text) == found


def test_a_bad_line_among_good_ones_is_named_by_its_number() -> None:
    found = read(b'{"a": 1}\n{"a": 2}\n{"a":\n')
    assert [number for number, _ in found] == [1, 2, 3]
    assert found[2][1] == BadLine("f", 3, "cut off in the middle")


@pytest.mark.parametrize("text", [b"nonsense", b'{"a": ', b"\xff\xfe", b"[1"])
def test_what_is_no_json_is_one_bad_file(text: bytes) -> None:
    ((number, bad),) = read(text)
    assert (number, bad.line) == (0, 0)
    assert "neither JSON nor JSON Lines" in bad.why


def test_rows_of_csv_carry_the_number_of_their_line() -> None:
    found = read(b"\xef\xbb\xbfa,b\r\n1,2\r\n3\r\n", is_csv=True)
    assert found[0] == (2, {"a": "1", "b": "2"})
    assert found[1][1].why == "1 cells under 2 columns"
