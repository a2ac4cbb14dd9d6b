"""What `check` says of broken configurations: the place, what is wrong, and what to do, in words for a person."""

from pathlib import Path
from typing import Any

import pytest

BROKEN = [
    ("server: {port: 99999}", "1:16: `server.port` is too large. Write a whole number from 0 up to 65535"),
    ("server: {host: 0.0.0.0}", "1:16: `0.0.0.0` can be reached from outside, and no keys are configured. Add a key"),
    ("provders: {}", "1:1: `provders` is not a known key. Did you mean `providers`?"),
    ("providers: {x: {preset: opanai}}", "1:25: there is no preset `opanai`. Did you mean `openai`?"),
    ("providers: {x: {api_key: sk-a-literal-key}}", "1:26: `providers.x.api_key` is not env:NAME, file:PATH or none"),
    ("providers: {x: {dialect: openai_chat}}", "1:13: `x` is no preset and has no `base_url`. Give it both"),
    ('providers: {y: {base_url: "http://u:p@x/v1"}}', "1:13: `y` is no preset and has no `dialect`. Give it both"),
    ('providers: {y: {base_url: "http://u:p@x/v1"}}', "`providers.y.base_url` is a URL that holds a user or password;"),
    ("providers: {x: {data: {retention: 3 weeks}}}", "is not a length of time. Write none, or hours or days such as"),
    ("providers: {x: {api_version: a b}}", "`providers.x.api_version` is not a version. Write it as Azure's pages do"),
    ("providers: {x: {headers: {a: é}}}", "1:30: `a` is not a header with a value. Use letters, digits and hyphens"),
    ("models: {m: {endpoints: []}}", "1:25: `models.m.endpoints` is an empty list. Give it at least one entry"),
    ("models: {m: {endpoints: [{provider: lokal, model: x}]}}", "there is no provider `lokal`. Did you mean `local`?"),
    ("routes: {r: {candidates: [nosuch]}}", "1:27: there is no model `nosuch`. Add it under `models`, or write"),
    ("routes: {r: {candidates: [smal]}}\nmodels: {small: {endpoints: [{provider: local, model: x}]}}",
     "there is no model `smal`. Did you mean `small`? Add it under `models`"),
    ("routes: {r: {candidates: [local/x], strategy: cascade}}", "`cascade` needs settings. Write `{cascade: {…}}`"),
    ("routes: {r: {candidates: [local/x], strategy: {}}}", "names 0 strategies. Write one of cascade, verify"),
    ("routes: {r: {candidates: [local/x], strategy: {cascade: {accept: {regex: a}}}}}", "cascade has one model only"),
    ("routes: {r: {candidates: [local/x, local/y], strategy: {cascade: {accept: {}}}}}", "has no test, so that every"),
    (
        "routes: {r: {candidates: [local/x, local/y], strategy: {cascade: {accept: {output_contract: {}}}}}}",
        "has no rule",
    ),
    ("routes: {r: {candidates: [local/x, local/y], strategy: {cascade: {accept: {regex: '('}}}}}", "cannot be used:"),
    ("routes: {r: {candidates: [local/x, local/y], strategy: {cascade: {accept: {schema: 'a'}}}}}", "is not JSON:"),
    ("routes: {r: {candidates: [local/x, local/y], strategy: {cascade: {accept: {command: {run: [nosuch]}}}}}}",
     "there is no program `nosuch`. Write its whole path"),
    ("routes: {r: {candidates: [local/x, local/y], strategy: {cascade: {accept: {verifier: {name: nosuch}}}}}}",
     "no installed package brings a verifier `nosuch`. Install it; it is found by its entry point"),
    ("routes: {r: {candidates: [local/x], strategy: race}}", "race has one model only. Give the route at least two"),
    ("routes: {r: {candidates: [local/x, local/y], strategy: {race: {accept: {judge: {model: local/z}}}}}}",
     "`judge` would have to be waited for while others run. Use schema, regex, output_contract or"),
    ("routes: {r: {candidates: [local/x], strategy: {verify: {check: {model: local/z}}}}}",
     "`local/x` would answer, and answer anew. Name a dearer model"),
    ("routes: {r: {candidates: [local/x], strategy: {delegate: {frontier: local/x, worker: local/x}}}}",
     "`local/x` would hand its work to itself. Name a cheaper model"),
    ("routes: {r: {candidates: [m], strategy: {delegate: {frontier: m, worker: local/x}}}}\n"
     "models: {m: {endpoints: [{provider: local, model: x}], tools: false}}", "`m` calls no tools, so it cannot"),
    ("routes: {r: {candidates: [local/x, local/y], hedge: {after_s: 1}, strategy: race}}",
     "hedges, and has a strategy that plans its calls itself. Remove one of the two"),
    ("routes: {r: {candidates: [local/x, local/y], strategy: {cascade: {accept: {regex: a}, order: [local/x, local/z]}}"
     "}}", "`local/z` is no candidate of the route. Did you mean"),
    ("routes: {r: {candidates: [local/x, local/y], strategy: {cascade: {accept: {judge: {model: nosuch}}}}}}",
     "there is no model `nosuch`. Add it under `models`"),
    ("routes: {r: {candidates: [local/x, local/y], quality: 0.8, strategy: {cascade: {accept: {regex: a}}}}}",
     "has a floor, and a strategy whose own test says what is good enough. Remove one of the two"),
    ("routes: {r: {candidates: [local/x, local/y], strategy: {cascade: {accept: {judge: {model: m}}}}}}\n"
     "models: {m: {endpoints: [{provider: local, model: x}], json_schema: false}}", "`m` cannot answer in a schema"),
    ("routes: {r: {candidates: [local/x], rules: [{when: 'task =='}]}}", "the rule is not CEL: at 1:8"),
    ("routes: {r: {candidates: [r]}}", "the candidate `r` is a route. Name models: a route cannot lead to another"),
    ("aliases: {a: b, b: local/x}", "1:14: `b` is itself an alias. Write `local/x` here"),
    ("aliases: {a: b, b: a}", "1:14: `b` is itself an alias. They lead in a circle: name a route or a model"),
    ("mode: watch", "1:7: `mode` is none of the choices. Write one of enforce, observe"),
    ("budgets: [{scope: 'keys:ci', limit_usd: 1, window: day}]", "`budgets.0.scope` is not a scope. Write e.g. key:ci"),
    ("budgets: [{scope: 'key:ci', limit_usd: 1, window: daily}]", "`budgets.0.window` is none of the choices. Did you"),
    ("server: {allowed_origins: [tools.example.com]}", "`tools.example.com` is not an origin. Write scheme and host"),
    ("server: {allowed_hosts: ['http://x']}", "`http://x` is not a host name. Write the name alone"),
    ("privacy: {record_content: full}", "1:27: content would be recorded, and there is no key to seal it under. Add"),
    ("privacy: {encryption: off, content_key: env:HOME}", "1:23: there are keys, and encryption is off. Remove"),
    ("privacy: {record_content: full, content_key: none}", "1:46: this secret cannot be `none`. Write env:NAME or"),
    ("privacy: {record_content: full, content_key: env:HOME}", "this key for recordings has fewer than 32 characters"),
    ("- a", "1:1: the document is not a mapping. Write `key: value` lines"),
    ("mode: enforce\nmode: observe", "2:1: `mode` stands here again; it is already on line 1. Keep one of the two"),
    ("providers:\n\tx: {}", "2:1: a tab is used for indentation. Indent with spaces"),
    ("admin: {secret: none}", "1:17: this secret cannot be `none`. Write env:NAME or file:PATH"),
]  # fmt: skip
LOCAL = "local: {dialect: openai_chat, base_url: 'http://127.0.0.1:9/v1', api_key: none}"


@pytest.mark.parametrize(("text", "said"), BROKEN)
def test_a_mistake_has_its_place_and_its_remedy(run: Any, place: Path, text: str, said: str) -> None:
    if "provider" not in text.split(":")[0] and not text.startswith("-"):
        text += f"\nproviders: {{{LOCAL}}}"
    (place / "bascule.yaml").write_text(text)
    found = run("check")
    assert found.code == 2
    (line,) = [line for line in found.err.splitlines() if said in line]
    assert line.startswith("bascule.yaml:")
    told = run("check", "--json").json["problems"]
    assert all(problem["where"] and problem["what"] and problem["remedy"] for problem in told)
    assert len(told) == len(found.err.splitlines()) - 1


WARNED = [
    ("budgets: [{scope: 'key:cii', limit_usd: 1, window: day}]", "no key of this file is called `cii`. It counts once"),
    (
        "aliases: {m: local/x}\nmodels: {m: {endpoints: [{provider: local, model: x}]}}",
        "alias is never used. Remove",
    ),
]


@pytest.mark.parametrize(("text", "said"), WARNED)
def test_what_works_but_is_hardly_meant_is_a_warning(run: Any, place: Path, text: str, said: str) -> None:
    (place / "bascule.yaml").write_text(f"{text}\nproviders: {{{LOCAL}}}")
    found = run("check")
    assert found.code == 0, found.err
    (line,) = found.err.splitlines()
    assert line.startswith("warning: bascule.yaml:")
    assert said in line


def test_an_address_without_its_path_is_a_warning(run: Any, place: Path) -> None:
    (place / "bascule.yaml").write_text("providers: {ollama: {base_url: 'http://127.0.0.1:11434'}}")
    said = run("check").err
    assert "1:32: the address of `ollama` has no path. " in said
    assert "http://127.0.0.1:11434/v1" in said


def test_no_choice_about_the_prompt_cache_is_a_warning(run: Any, place: Path) -> None:
    for text in ("", "cache: {prompt: {inject: off}}\n", "cache: {prompt: {inject: always}}\n"):
        (place / "bascule.yaml").write_text(f"{text}providers: {{{LOCAL}}}")
        assert run("check").err == ""
