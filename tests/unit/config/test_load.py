"""Reading bascule.yaml: what is right is understood exactly, and every mistake is found at once, with its line."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.config.load import Document, load_file, load_text
from bascule.config.shape import Config
from bascule.model.errors import ConfigError

CANARY = "sk-live-CANARY0123456789"


def read(text: str) -> Document:
    return load_text(text, "f.yaml")


def good(text: str) -> Config:
    document = read(text)
    assert document.problems == ()
    return document.config


def places(text: str) -> list[str]:
    return [problem.where for problem in read(text).problems]


def only_problem(text: str) -> tuple[str, str]:
    (problem,) = read(text).problems
    assert problem.remedy
    return problem.where, problem.what


FIVE = f"""\
server:
  prot: 8787
providers:
  openai: {{api_key: {CANARY}}}
routes:
  auto:
    candidates: [openai/gpt-4o]
    objective: cheepest
    rules:
      - {{when: 'tsk == "x"', quality: high}}
budgets:
  - {{scope: kee:ci, limit_usd: 50, window: day}}
"""


def test_five_mistakes_are_five_problems_with_their_lines() -> None:
    document = read(FIVE)
    found = [(problem.where, problem.what) for problem in document.problems]
    assert sorted(where for where, _ in found) == sorted(
        ["f.yaml:2:3", "f.yaml:4:21", "f.yaml:8:16", "f.yaml:10:16", "f.yaml:12:13"]
    )
    text = "\n".join(f"{problem.where} {problem.what} {problem.remedy}" for problem in document.problems)
    assert "`port`" in text
    assert "`cheapest`" in text
    assert "`task`" in text
    assert "env:NAME" in text
    assert "CANARY" not in text


def test_an_empty_document_is_the_default() -> None:
    for text in ("", "# nothing\n", "{}", "server:\n", "providers:\nmodels: ~\nbudgets:\n"):
        assert good(text) == Config()
    assert good("").server.host == "127.0.0.1"


def test_json_is_yaml() -> None:
    config = good('{"server": {"port": 1234}, "budgets": [{"scope": "key:a", "limit_usd": "0.1", "window": "day"}]}')
    assert config.server.port == 1234
    assert config.budgets[0].limit_nanousd == 100_000_000


def test_money_is_never_a_float() -> None:
    text = "budgets: [{scope: key:a, limit_usd: 0.1, window: day}, {scope: key:b, limit_usd: 1e3, window: day}]"
    assert [budget.limit_nanousd for budget in good(text).budgets] == [100_000_000, 1_000_000_000_000]
    price = "models: {m: {endpoints: [{provider: p, model: x}], price: {input: 0.0028, output: 1.1}}}"
    model = good(price).models["m"]
    assert not isinstance(model.price, tuple)
    assert model.price is not None
    assert (model.price.input, model.price.output) == (2_800, 1_100_000)
    assert only_problem(price.replace("0.0028", "0.00000001"))[1].endswith("finer than a pico-dollar per token")
    assert only_problem(text.replace("0.1", "0.0000000001"))[1].endswith("finer than a nano-dollar")
    assert "negative" in only_problem(text.replace("0.1", "-1"))[1]


@pytest.mark.parametrize(
    "number", [".inf", ".nan", "1_000", "0x1F", "0o17", "017", "five", "true", "[1]", "1e9999", ""]
)
def test_odd_numbers_are_refused_not_guessed(number: str) -> None:
    where, _ = only_problem(f"budgets:\n  - {{scope: key:a, window: day, limit_usd: {number}}}\n")
    assert where.startswith("f.yaml:2:")
    where, _ = only_problem(f"server:\n  port: {number or '~'}\n")
    assert where.startswith("f.yaml:2:")


def test_yaml_1_2_words_are_words() -> None:
    config = good("aliases: {no: yes, on: 'off', 4.1: 3.5, null: y, 1e3: 0o17}")
    assert config.aliases == {"no": "yes", "on": "off", "4.1": "3.5", "null": "y", "1e3": "0o17"}
    assert good("keys: {k: {secret: env:A, user: 007, org: 1e3}}").keys["k"].user == "007"
    assert "true or false" in only_problem("cache: {exact: {enabled: no}}")[1]
    assert good("cache: {exact: {enabled: false}}").cache.exact.enabled is False
    assert "%YAML" in read("%YAML 1.1\n---\nmode: observe\n").problems[0].remedy


def test_whole_numbers_may_be_written_as_1e6_but_not_halves() -> None:
    assert good("keys: {k: {secret: env:A, rate: {tpm: 1e6}}}").keys["k"].rate.tpm == 1_000_000
    assert "whole" in only_problem("keys: {k: {secret: env:A, rate: {tpm: 1.5}}}")[1]
    assert "too large" in only_problem("server: {port: 70000}")[1]
    assert "too small" in only_problem("server: {port: -1}")[1]
    assert "too large" in only_problem("keys: {k: {secret: env:A, rate: {tpm: 1e30}}}")[1]


def test_duplicate_keys_are_named_with_both_lines() -> None:
    where, what = only_problem("mode: observe\nserver: {}\nmode: enforce\n")
    assert where == "f.yaml:3:1"
    assert "line 1" in what
    assert only_problem("models:\n  a/b: {endpoints: [{provider: p, model: x}]}\n  a/b: {}\n")[0] == "f.yaml:3:3"


def test_names_may_be_anything_printable() -> None:
    for name in ("a/b:c", "meta-llama/Llama-3.3-70B-Instruct:free", "模型-é", "with space", "{x}", "@cf/x", "a'b"):
        quoted = '"' + name + '"'
        config = good(
            f"models: {{{quoted}: {{endpoints: [{{provider: p, model: {quoted}}}]}}}}\naliases: {{x: {quoted}}}"
        )
        assert config.models[name].endpoints[0].model == name
        assert config.aliases["x"] == name
    assert "not a name" in only_problem('aliases: {"a\\u0007b": x}')[1]
    assert "not a name" in only_problem("aliases: {' a': x}")[1]


def test_unknown_keys_suggest_what_was_meant() -> None:
    document = read("sever: {}\nkeys: {k: {secrets: env:A}}\nbananas: 1\n")
    remedies = {problem.where: problem.remedy for problem in document.problems}
    assert remedies["f.yaml:1:1"] == "Did you mean `server`?"
    assert remedies["f.yaml:2:12"] == "Did you mean `secret`?"
    assert remedies["f.yaml:3:1"].startswith("Known keys: server, data_dir")


def test_wrong_kinds_of_values() -> None:
    assert "not a mapping" in only_problem("server: 5")[1]
    assert "not a mapping" in only_problem("[1, 2]")[1]
    assert "not a list" in only_problem("budgets: {scope: x}")[1]
    assert "is a list" in only_problem("data_dir: [a]")[1]
    assert "YAML tag" in only_problem("data_dir: !python/object x")[1]
    assert "empty list" in only_problem("routes: {r: {candidates: []}}")[1]
    assert "has no `candidates`" in only_problem("routes: {r: {}}")[1]
    assert "a key must be" in only_problem("{[a, b]: c}")[1]


@pytest.mark.parametrize(
    "text",
    ["a: [1\n", "a:\n\t- b\n", "a: *x\n", "a: b: c\n", "a: 1\n---\nb: 2\n", "a: \x00\n", "a: 'x\n", "- a\n b: ]\n"],
)
def test_broken_yaml_has_a_line_and_no_excerpt(text: str) -> None:
    broken = f"x: {CANARY}\n{text}"
    problems = read(broken).problems
    assert problems
    assert problems[0].where.startswith("f.yaml:")
    assert "CANARY" not in str([*problems])


def test_hostile_documents_are_bounded() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [{','.join(['*' + a] * 10)}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)
    )
    assert any("too deep or too large" in problem.what for problem in read(bomb).problems)
    assert read("a: &a [*a]\n").problems
    assert read("[" * 5_000).problems
    assert read("x: " + "[" * 200 + "]" * 200).problems
    assert read("#" * (4 * 1024 * 1024 + 1)).problems


def test_secrets_are_places_never_values() -> None:
    config = good("keys: {a: {secret: env:A_KEY}, b: {secret: 'file:/run/secrets/b'}}\nproviders: {x: {api_key: none}}")
    assert [key.secret for key in config.keys.values()] == ["env:A_KEY", "file:/run/secrets/b"]
    for value in (CANARY, f"env:{CANARY}", f'"{CANARY} "', f"[{CANARY}]", f"{{x: {CANARY}}}", "5", "~", "file:"):
        for text in (f"keys: {{a: {{secret: {value}}}}}", f"providers: {{x: {{api_key: {value}}}}}"):
            problems = read(text).problems
            assert len(problems) == (0 if value == "~" and "api_key" in text else 1)
            assert "CANARY" not in str(problems)
    assert "cannot be `none`" in only_problem("admin: {secret: none}")[1]


@pytest.mark.parametrize(
    "url",
    [
        f"https://user:{CANARY}@x.example/v1",
        f"https://x.example/v1?key={CANARY}",
        f"ftp://{CANARY}",
        f"https://x.example:99999/{CANARY}",
        f"https://ex ample/{CANARY}",
        f"https:///{CANARY}",
        f"https://x.example/#{CANARY}",
        f"https://[::1/{CANARY}",
        f"https://é.example/{CANARY}",
    ],
)
def test_base_urls_are_checked_and_not_echoed(url: str) -> None:
    (problem,) = read(f"providers: {{x: {{dialect: openai_chat, base_url: '{url}'}}}}").problems
    assert "CANARY" not in str(problem)
    assert problem.where == "f.yaml:1:49"


def test_what_is_not_in_this_release_says_so() -> None:
    text = "cache:\n  exact: {persist: true}\n  semantic: {enabled: true}\n"
    problems = read(text).problems
    assert [problem.where.split(":")[1] for problem in problems] == ["2", "3"]
    assert all("not in this release" in problem.what for problem in problems)


def test_a_password_in_the_url_of_the_database_is_refused_and_not_echoed() -> None:
    (problem,) = read("database: postgresql://u:CANARY@h/db").problems
    assert problem.where == "f.yaml:1:11"
    assert "env:NAME" in problem.remedy
    assert "CANARY" not in str(problem)
    assert read("database: env:BASCULE_DATABASE").problems == read("database: postgresql://u@h/db").problems == ()


def test_prices_must_be_whole() -> None:
    def model(price: str) -> str:
        return f"models: {{m: {{endpoints: [{{provider: p, model: x}}], price: {price}}}}}"

    assert good(model("{input: 1, output: 2, tiers: [{above_input_tokens: 10, input: 2, output: 3}]}"))
    assert good(model("[{input: 2}, {from: 2026-05-01, input: 1}]"))
    assert good(
        model("{input: 1, windows: [{from: '16:30', to: '00:30', input: 0.5}], variants: {batch: {input: 0.5}}}")
    )
    assert "lacks output" in only_problem(model("{input: 1, output: 2, tiers: [{above_input_tokens: 9, input: 2}]}"))[1]
    assert "same day" in only_problem(model("[{input: 2}, {input: 1}]"))[1]
    assert "no `input`" in only_problem(model("{output: 1}"))[1]
    assert (
        "rising"
        in only_problem(
            model("{input: 1, tiers: [{above_input_tokens: 9, input: 2}, {above_input_tokens: 8, input: 3}]}")
        )[1]
    )
    assert (
        "begins when it ends" in only_problem(model("{input: 1, windows: [{from: '01:00', to: '01:00', input: 1}]}"))[1]
    )
    assert "not a day" in only_problem(model("{from: 2026-02-30, input: 1}"))[1]


def test_headers_that_the_gateway_owns_are_refused() -> None:
    text = f"providers: {{openai: {{headers: {{Authorization: {CANARY}, x-team: a, 'b d': c, X-Bascule-Tag: d}}}}}}"
    problems = read(text).problems
    assert len(problems) == 3
    assert "CANARY" not in str(problems)


def test_rules_budgets_and_levels() -> None:
    assert "changes nothing" in only_problem("routes: {r: {candidates: [m], rules: [{when: stream}]}}")[1]
    assert "quality level" in only_problem("routes: {r: {candidates: [m], quality: hihg}}")[1]
    assert good("quality_levels: {ok: 0.6}\nroutes: {r: {candidates: [m], quality: ok}}").quality_levels == {"ok": 0.6}
    budget = "{scope: key:a, limit_usd: 1, window: day}"
    assert "second budget" in only_problem(f"budgets: [{budget}, {budget}]")[1]
    assert "itself an alias" in only_problem("aliases: {a: b, b: c}")[1]
    assert "is a pattern" in only_problem("aliases: {a: 'b-*'}")[1]
    document = read("models: {m: {endpoints: [{provider: p, model: x}]}}\naliases: {m: x}")
    assert document.problems == ()
    assert document.warnings[0].where == "f.yaml:2:14"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_file(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_file(tmp_path)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"mode: observe\ndata_dir: \xe9\n")
    with pytest.raises(ConfigError, match=r"latin\.yaml:2:1: not UTF-8"):
        load_file(latin)
    marked = tmp_path / "bom.yaml"
    marked.write_bytes(b"\xef\xbb\xbfmode: observe\n")
    document = load_file(marked)
    assert document.config.mode == "observe"
    assert document.directory == tmp_path


def test_the_same_configuration_has_the_same_bytes() -> None:
    config = good(FIVE.replace("prot", "port").replace(CANARY, "env:K").replace("cheep", "cheap").replace("tsk", "task")
                  .replace("kee:", "key:"))  # fmt: skip
    encoded = msgspec.json.encode(config, order="deterministic")
    assert encoded == msgspec.json.encode(config, order="deterministic")
    assert b'"limit_usd":50000000000' in encoded


@given(st.text(alphabet="{}[]:,-#&*!|>'\"%@\n \t~?<=.01ae\x00\x85\ufeff", max_size=80), st.integers(0, len(FIVE)))
def test_no_text_makes_reading_crash(noise: str, at: int) -> None:
    for text in (noise, FIVE[:at] + noise + FIVE[at:]):
        for problem in read(text).problems:
            assert problem.where.startswith("f.yaml")
            assert problem.what
            assert problem.remedy
