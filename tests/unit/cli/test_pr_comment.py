"""A pull request's comment: from a real repository and agents' logs to GitHub's API, and what goes wrong on the way."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.claude_session import COST_NANOUSD, write_session
from tests.unit.cli.github_fake import TOKEN, GitHubFake, serving
from tests.unit.cli.repository import Repo

from bascule.cli.github_api import ApiError, GitHub
from bascule.offline.comment import MARKER, marker

CAPTURED = Path(__file__).parents[4] / "shared" / "data" / "agent-logs" / "claude"
ROOT = Path(__file__).parents[3]
NOW = int(time.time())
TITLE = "### Agent cost: "


@pytest.fixture
def github() -> Iterator[GitHubFake]:
    with serving(GitHubFake()) as fake:
        yield fake
    assert fake.wrong == []


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited between tries, without waiting."""
    found: list[float] = []
    monkeypatch.setattr(GitHub.__init__, "__kwdefaults__", {"sleep": found.append, "now_s": time.time})
    return found


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, github: GitHubFake, run: Any) -> Path:
    """A repository with a branch `login`, its session imported, and a runner's environment for its pull request."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bascule.yaml").write_text("data_dir: data\n")
    repo = Repo(tmp_path / "web")
    repo.git("remote", "add", "origin", "https://github.com/acme/web.git")
    repo.commit("start", NOW - 90_000)
    repo.branch("login")
    repo.commit("login", NOW - 3_000)
    write_session(tmp_path / ".claude", "s-login", branch="login", start_s=NOW - 4_000, messages=3, subagent=False)
    event = {
        "number": 12,
        "pull_request": {
            "number": 12, "title": "Login", "merged": False, "closed_at": None,
            "head": {"ref": "login", "repo": {"full_name": "acme/web"}},
            "base": {"ref": "main", "repo": {"full_name": "acme/web"}},
        },
        "repository": {"full_name": "acme/web"},
    }  # fmt: skip
    (tmp_path / "event.json").write_text(json.dumps(event))
    for name, value in {
        "GITHUB_REPOSITORY": "acme/web", "GITHUB_HEAD_REF": "login", "GITHUB_BASE_REF": "main",
        "GITHUB_REF": "refs/pull/12/merge", "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"), "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": github.url,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    assert run("import", "claude-code", str(tmp_path / ".claude")).code == 0
    return tmp_path


Comment = Callable[..., Any]


@pytest.fixture
def comment(run: Any, work: Path) -> Comment:
    return lambda *more: run("pr-comment", "--checkout", "web", "--artifact", "cost.json", *more)


def usd(nanousd: int) -> str:
    return f"{nanousd // 10**9}.{nanousd % 10**9:09d}"


def test_one_comment_made_and_then_changed_in_place(comment: Comment, github: GitHubFake, work: Path, run: Any) -> None:
    for text in ("First!", f"> {MARKER}\n> quoted", f"about {MARKER}", "Second", "Third"):
        github.add(text)
    first = comment()
    assert first.code == 0, first.err
    assert "Posted http://127.0.0.1" in first.out
    assert [method for method, _ in github.calls] == ["GET", "GET", "GET", "POST"]
    ours = github.comments[-1]
    assert ours["body"].startswith(marker("acme/web") + f"\n{TITLE}$0.18\n")
    assert (work / "summary.md").read_text() == ours["body"]
    document = json.loads((work / "cost.json").read_text())
    assert document["cost_usd"] == usd(3 * COST_NANOUSD)  # three messages; each stands in three lines
    assert (document["requests"], document["sessions"], document["gate"]) == (3, ["s-login"], "none")
    assert document["comment"]["posted"] is True
    assert document["comment"]["created"] is True
    github.add("A later remark")

    write_session(work / ".claude", "s-more", branch="login", start_s=NOW - 2_000, messages=1)
    assert run("import", "claude-code", str(work / ".claude")).code == 0
    github.calls.clear()
    second = comment()
    assert second.code == 0, second.err
    assert "Updated" in second.out
    assert [method for method, _ in github.calls] == ["GET", "GET", "GET", "PATCH"]
    assert len([each for each in github.comments if each["body"].startswith(MARKER)]) == 1
    assert github.body_of(ours["id"]).startswith(marker("acme/web") + f"\n{TITLE}$0.25\n")
    assert "claude-haiku-4-5" in github.body_of(ours["id"])
    assert "cost_usd=0.2" in (work / "output").read_text()

    other = comment("--key", "nightly")
    assert other.code == 0
    assert len([each for each in github.comments if each["body"].startswith(MARKER)]) == 2


def test_where_contracts_exist_what_is_paid_stands_beside_the_list_price(
    comment: Comment, github: GitHubFake, work: Path
) -> None:
    assert comment().code == 0
    assert "After contracts" not in github.comments[-1]["body"]
    (work / "bascule.yaml").write_text("data_dir: data\ncontracts: [{provider: anthropic, discount: 0.5}]\n")
    assert comment("--budget-usd", "0.17").code == 3  # a budget is at list price
    document = json.loads((work / "cost.json").read_text())
    assert document["cost_usd"] == usd(3 * COST_NANOUSD)
    assert document["effective_usd"] == usd(3 * COST_NANOUSD // 2)
    body = github.comments[-1]["body"]
    assert "| **Cost** | **$0.18** at list price |" in body
    assert "| **After contracts** | $0.088 effective |" in body


def test_this_project_s_history_and_a_captured_session(
    comment: Comment, github: GitHubFake, work: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log that Claude Code itself wrote, where it is at hand: its model has no price, a gap, not a zero."""
    logs = CAPTURED if CAPTURED.exists() else ROOT / "tests" / "fixtures" / "agent-logs" / "claude"
    sessions = sorted(path.stem for path in logs.glob("projects/*/*.jsonl"))
    assert sessions
    assert run("import", "claude-code", str(logs)).code == 0
    monkeypatch.delenv("GITHUB_HEAD_REF")
    arguments = [item for session in sessions for item in ("--session", session)]
    for expected in ("Posted", "Updated"):
        found = run(
            "pr-comment", "--checkout", str(ROOT), "--branch", "agents", "--artifact", "a.json",
            "--since", "2026-01-01", *arguments,
        )  # fmt: skip
        assert found.code == 0, found.err
        assert expected in found.out
    (body,) = [each["body"] for each in github.comments]
    document = json.loads(Path("a.json").read_text())
    assert document["requests"] > 0
    assert set(document["sessions"]) < set(sessions) or logs == CAPTURED  # of those made up one names another's
    if logs == CAPTURED:
        assert document["sessions"] == sessions
        assert document["cost_usd"] is None
        assert "unknown: no usage with a known price is recorded for it, which is not zero" in body
        assert "a gap, not a zero" in body
        assert document["agents"][1]["agent"] is not None
    shallow = (ROOT / ".git" / "shallow").exists()
    assert ("The clone is shallow" in body) == shallow


def test_the_gate_is_told_after_posting(comment: Comment, github: GitHubFake) -> None:
    over = comment("--budget-usd", "0.10")
    assert over.code == 3
    assert "**exceeded by $0.075**" in github.comments[0]["body"]
    assert "above its budget" in over.err
    assert comment("--budget-usd", "0.18").code == 0
    assert "kept, 97 % used" in github.comments[0]["body"]
    assert comment("--budget-usd", "nothing").code == 2


def test_an_unknown_cost_neither_keeps_nor_breaks_a_budget(
    comment: Comment, github: GitHubFake, work: Path, run: Any
) -> None:
    write_session(work / ".claude", "s-odd", branch="login", start_s=NOW - 900, messages=1, model="house-model")
    assert run("import", "claude-code", str(work / ".claude")).code == 0
    kept = comment("--budget-usd", "5")
    assert kept.code == 0
    assert "cannot be told" in kept.err
    body = github.comments[0]["body"]
    assert f"{TITLE}at least $0.19" in body
    assert "1 attempt without a known cost (no price, no usage, or still open): a gap, not a zero." in body
    assert comment("--budget-usd", "5", "--unknown-fails").code == 3
    assert comment("--budget-usd", "0.01").code == 3


def test_nothing_recorded_is_unknown_not_zero(comment: Comment, github: GitHubFake, work: Path, run: Any) -> None:
    found = run("pr-comment", "--branch", "other", "--checkout", "web", "--budget-usd", "1")
    assert found.code == 0
    assert f"{TITLE}unknown" in github.comments[0]["body"]
    (work / "empty.yaml").write_text("data_dir: nowhere\n")
    assert run("pr-comment", "-c", "empty.yaml", "--key", "second").code == 0
    assert "No use of agents is recorded here at all" in github.comments[1]["body"]
    assert not (work / "nowhere").exists()


def test_without_a_token_or_with_one_of_a_fork(
    comment: Comment, github: GitHubFake, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    alone = comment("--budget-usd", "0.01")
    assert alone.code == 3  # the gate does not need a comment
    assert "Not posted: GITHUB_TOKEN is not set." in alone.out
    assert github.calls == []
    assert (work / "summary.md").read_text().startswith(MARKER)

    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    event = json.loads((work / "event.json").read_text())
    event["pull_request"]["head"]["repo"]["full_name"] = "bob/web"
    (work / "event.json").write_text(json.dumps(event))
    github.faults = [(403, {}, "Resource not accessible by integration")]
    fork = comment()
    assert fork.code == 0
    assert "comes from a fork" in fork.out
    assert json.loads((work / "cost.json").read_text())["comment"]["posted"] is False

    event["pull_request"]["head"]["repo"]["full_name"] = "acme/web"
    (work / "event.json").write_text(json.dumps(event))
    github.faults = [(403, {}, "Resource not accessible by integration")]
    own = comment()
    assert own.code == 1
    assert "permissions: pull-requests: write" in own.err


@pytest.mark.parametrize(
    ("status", "message", "remedy"),
    [
        (401, "Bad credentials", "GITHUB_TOKEN"),
        (404, "Not Found", "no such pull request in acme/web"),
        (301, "Moved Permanently", "has moved"),
        (422, "Validation Failed", "not accepted"),
    ],
)
def test_what_cannot_pass_is_said_once_with_a_remedy(
    comment: Comment, github: GitHubFake, waits: list[float], status: int, message: str, remedy: str
) -> None:
    headers = {"Location": f"{github.url}/elsewhere"} if status == 301 else {}
    github.faults = [(status, headers, message)]
    found = comment()
    assert found.code == 1
    assert remedy in found.err
    assert message in found.err
    assert TOKEN not in found.err + found.out
    assert waits == []
    assert len(github.calls) == 1


def test_a_server_error_and_a_rate_limit_pass(comment: Comment, github: GitHubFake, waits: list[float]) -> None:
    github.faults = [
        (502, {}, "Bad Gateway"),
        (429, {"Retry-After": "7"}, "slow down"),
        (403, {"Retry-After": "3"}, "You have exceeded a secondary rate limit"),
    ]
    assert comment().code == 0
    assert waits == [1.0, 7.0, 3.0]
    assert len(github.comments) == 1


def test_a_rate_limit_that_lasts_is_given_up(comment: Comment, github: GitHubFake, waits: list[float]) -> None:
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(NOW + 3_000)}
    github.faults = [(403, headers, "API rate limit exceeded")]
    found = comment()
    assert found.code == 1
    assert "rate limit is used up" in found.err
    assert waits == []


def test_a_comment_that_was_made_in_doubt_is_not_made_again(
    comment: Comment, github: GitHubFake, waits: list[float]
) -> None:
    github.fault_after = [("POST", 502)]
    found = comment()
    assert found.code == 0, found.err
    assert [method for method, _ in github.calls] == ["GET", "POST", "GET", "PATCH"]
    assert len(github.comments) == 1


def test_errors_without_end_are_given_up(comment: Comment, github: GitHubFake, waits: list[float]) -> None:
    github.faults = [(503, {}, "Unavailable")] * 50
    found = comment()
    assert found.code == 1
    assert "503 Unavailable" in found.err
    assert len(waits) == 3


def test_no_server_at_all(comment: Comment, waits: list[float]) -> None:
    found = comment("--api-url", "http://127.0.0.1:9")
    assert found.code == 1
    assert "refused" in found.err


def test_a_token_is_not_sent_in_the_clear() -> None:
    for address in ("http://github.example/api", "ftp://x", "github.com"):
        with pytest.raises(Exception, match="no address to send a token to"):
            GitHub(address, "acme/web", TOKEN)


def test_pages_of_another_origin_are_not_followed(github: GitHubFake) -> None:
    api = GitHub(github.url, "acme/web", TOKEN)
    assert api._next(f'<{github.url}/x?page=2>; rel="next"') == f"{github.url}/x?page=2"
    assert api._next('<https://evil.example/x?page=2>; rel="next"') is None
    with pytest.raises(ApiError):
        GitHub(github.url, "acme/web", "wrong").upsert(12, "x", "y")


def test_tests_outcome_and_the_others(comment: Comment, github: GitHubFake, work: Path, run: Any) -> None:
    repo = Repo(work / "web")
    for number in range(1, 7):
        start = NOW - 80_000 + number * 1_000
        repo.on("main")
        repo.branch(f"old-{number}")
        repo.commit(f"old {number}", start + 100)
        repo.merge(f"old-{number}", f"Merge pull request #{number} from acme/old-{number}", start + 500)
        write_session(
            work / ".claude", f"old-{number}", branch=f"old-{number}", start_s=start, messages=number, subagent=False
        )
    (work / "junit.xml").write_text(
        '<testsuites><testsuite><testcase time="1.5"/><testcase time="2"><failure/></testcase>'
        "<testcase><skipped/></testcase></testsuite></testsuites>"
    )
    assert comment().code == 0
    assert "too few to say: 0 other pull requests of acme/web" in github.comments[0]["body"]
    assert run("import", "claude-code", str(work / ".claude")).code == 0
    assert run("outcome", "s-login", "useful").code == 0
    assert comment("--tests", "junit.xml").code == 0
    body = github.comments[0]["body"]
    assert ":x: 1 passed, 1 failed, 1 skipped in 4 s" in body
    assert "| **Outcome** | useful |" in body
    assert "dearer than 2 of 6 other pull requests of acme/web: within their p10 $0.058 to p90 $0.35" in body
    (work / "evil.xml").write_text('<!DOCTYPE x [<!ENTITY a "b">]><testsuites/>')
    assert comment("--tests", "evil.xml").code == 1


def test_earlier_uses_of_the_branch_s_name_and_other_pull_requests_are_left_out(
    comment: Comment, github: GitHubFake, work: Path, run: Any
) -> None:
    repo = Repo(work / "web")
    repo.on("main")
    repo.branch("fix")
    repo.commit("first fix", NOW - 50_000)
    repo.merge("fix", "Merge pull request #3 from acme/fix", NOW - 49_000)
    write_session(work / ".claude", "before", branch="fix", start_s=NOW - 51_000, messages=5, subagent=False)
    write_session(work / ".claude", "now", branch="fix", start_s=NOW - 800, messages=1, subagent=False)
    write_session(work / ".claude", "api", branch="fix", start_s=NOW - 700, messages=1, cwd="/home/user/api")
    assert run("import", "claude-code", str(work / ".claude")).code == 0
    assert comment("--branch", "fix").code == 0
    document = json.loads((work / "cost.json").read_text())
    assert document["sessions"] == ["now"]
    assert document["cost_usd"] == usd(COST_NANOUSD)


def test_shared_work_is_split_and_the_parts_sum(github: GitHubFake, work: Path, run: Any, comment: Comment) -> None:
    """A session that worked on the base, then on two branches: what it did before is half each."""
    home = work / ".claude"
    for branch, at_s in (("main", NOW - 2_900), ("login", NOW - 2_800), ("cart", NOW - 2_700)):
        path = write_session(home, f"s-{branch}", branch=branch, start_s=at_s, messages=1, subagent=False)
        text = path.read_text().replace(f'"sessionId": "s-{branch}"', '"sessionId": "s-all"')
        path.write_text(text)
    assert run("import", "claude-code", str(home)).code == 0
    found = {}
    for branch, number in (("login", "12"), ("cart", "13")):
        assert comment("--branch", branch, "--pr", number, "--dry-run").code == 0
        found[branch] = json.loads((work / "cost.json").read_text())
    whole = {"login": 3, "cart": 1}  # of its first session one message is now the new session's
    for branch, document in found.items():
        assert document["cost_usd"] == usd(whole[branch] * COST_NANOUSD + COST_NANOUSD // 2)
        assert document["shared_usd"] == usd(COST_NANOUSD // 2)
        assert len(document["shared_with"]) == 1
    assert github.calls == []


def test_wrong_use(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("pr-comment").code == 2
    (tmp_path / "bad.json").write_text("{")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "bad.json"))
    assert "holds no event" in run("pr-comment", "--pr", "1").err
