"""The guess at a language: right where it is clear, `unknown` where it is not."""

import pytest

from bascule.decide.language import language_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Please tell me what the weather is like on Mondays and how to dress for it.", "en"),
        ("Bitte fasse den Text in drei Sätzen zusammen und nenne die Quellen.", "de"),
        ("Résume le texte dans une phrase pour les clients qui ne sont pas au courant.", "fr"),
        ("Resume el texto en una frase para los clientes y explica cómo se hace.", "es"),
        ("Riassumi il testo in una frase e spiega come si usa per gli utenti.", "it"),
        ("Resuma o texto em uma frase para os clientes e não use siglas.", "pt"),
        ("Vat het artikel samen voor een klant en leg uit wat dat is.", "nl"),
        ("この文章を要約してください。", "ja"),
        ("请总结这篇文章", "zh"),
        ("이 글을 요약해 주세요", "ko"),
        ("Кратко изложи этот текст", "ru"),
        ("لخص هذا النص", "ar"),
    ],
)
def test_clear_texts(text: str, code: str) -> None:
    assert language_of(text) == code


@pytest.mark.parametrize("text", ["", "17 * 23", "ok", "x = foo(bar)[0] + 1", "🙂🙂"])
def test_what_is_no_language_is_unknown(text: str) -> None:
    assert language_of(text) == "unknown"
