from bascule.decide.promotion.prompt import prompt_fingerprint

PROMPT = "You answer in French.\nToday is 2026-12-01, 09:30."


def test_dates_white_space_and_the_order_of_tools_change_nothing() -> None:
    later = "You answer  in French. Today is 2027-1-5, 23:59."
    assert prompt_fingerprint(PROMPT, ["a", "b"]) == prompt_fingerprint(later, ["b", "a", "a"])


def test_words_and_tools_do() -> None:
    found = {
        prompt_fingerprint(PROMPT, []),
        prompt_fingerprint(PROMPT.replace("French", "German"), []),
        prompt_fingerprint(PROMPT, ["a"]),
        prompt_fingerprint(PROMPT, ["ab"]),
        prompt_fingerprint(PROMPT, ["a", "b"]),
        prompt_fingerprint("", []),
    }
    assert len(found) == 6
    assert all(len(one) == 16 for one in found)
