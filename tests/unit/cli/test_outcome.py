"""Outcomes said by people, and derived from a repository that git itself made."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from tests.unit.cli.repository import Repo

from bascule.cli.git import Git
from bascule.cli.outcome import read_repository
from bascule.model.session_outcome import SessionOutcome
from bascule.offline.git_outcomes import DAY_MS, derive, news
from bascule.offline.parts import Part

T = 1_790_000_000
HOUR = 3_600


def part(session: str, branch: str | None, at_s: int, *, pr: str | None = None, project: str | None = None) -> Part:
    return Part(
        session_id=session, pr=pr, branch=branch, project=project, first_ms=at_s * 1000, last_ms=(at_s + 600) * 1000
    )


def told(repo: Repo, *parts: Part, now_s: int = T + 400 * 24 * HOUR, **more: Any) -> dict[str | None, Any]:
    """Word, work and note by session."""
    seen = read_repository(Git(repo.folder), list(parts), more.pop("base", None), ())
    derived = derive(parts, seen, now_ms=now_s * 1000, **more)
    return {each.session_id: (each.outcome, each.work, (each.note or "").partition(" ")[0]) for each in derived}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "web")
    made.commit("start", T)
    return made


def test_merges_by_their_titles(repo: Repo) -> None:
    for number, (name, title) in enumerate(
        {
            "login": "Merge pull request #12 from acme/login",
            "feature/search": "Merge branch 'feature/search'",
            "cart": "Merge branch 'cart' into 'main'\n\nSee merge request acme/web!14",
            "pay": "Merged in pay (pull request #15)",
            "far": "Merge remote-tracking branch 'origin/far'",
        }.items()
    ):
        repo.branch(name)
        repo.commit(name, T + number * HOUR + 60)
        repo.merge(name, title, T + number * HOUR + 120)
        repo.git("branch", "-D", name)
    found = told(
        repo,
        *[part(name, name, T + 10) for name in ("login", "feature/search", "cart", "pay", "far")],
        part("never", "other", T + 10),
    )
    assert {name: each[0] for name, each in found.items()} == {
        "login": "merged", "feature/search": "merged", "cart": "merged", "pay": "merged", "far": "merged",
        "never": "abandoned",
    }  # fmt: skip
    assert (found["login"][1], found["cart"][1], found["pay"][1]) == ("#12", "#14", "#15")


def test_a_reused_branch_name_belongs_to_the_first_merge_since(repo: Repo) -> None:
    repo.branch("fix")
    repo.commit("one", T + 100)
    first = repo.merge("fix", "Merge branch 'fix'", T + 200)
    repo.git("branch", "-D", "fix")
    repo.branch("fix")
    repo.commit("two", T + 1100)
    second = repo.merge("fix", "Merge branch 'fix'", T + 1200)
    found = told(repo, part("a", "fix", T + 50), part("b", "fix", T + 1050), part("c", "fix", T + 5000), now_s=T + 9000)
    assert found["a"][1] == first[:12]
    assert found["b"][1] == second[:12]
    assert found["c"][0] is None  # begun after the last merge: open, not merged


def test_squashed_with_a_number_by_number_or_by_content(repo: Repo) -> None:
    repo.branch("search")
    repo.commit("wip", T + 100)
    repo.commit("wip 2", T + 150)
    repo.squash("search", "Search (#31)", T + 300)
    repo.branch("nameless")
    repo.commit("more", T + 350)
    sha = repo.squash("nameless", "A title of its own", T + 400)
    found = told(
        repo,
        part("by-number", "gone", T + 50, pr="31"),
        part("by-content", "search", T + 50),
        part("no-number", "nameless", T + 340),
    )
    assert found["by-number"] == ("merged", "#31", "squash")
    assert found["by-content"] == ("merged", "#31", "squash")
    assert found["no-number"] == ("merged", sha[:12], "squash")


def test_rebased_and_fast_forwarded_branches(repo: Repo) -> None:
    repo.branch("rebased")
    repo.commit("theirs", T + 100, "theirs.txt")
    repo.on("main")
    repo.commit("other", T + 150)
    repo.git("cherry-pick", "rebased", at_s=T + 200)
    repo.branch("forward")
    repo.commit("quick", T + 300)
    repo.on("main")
    repo.git("merge", "-q", "--ff-only", "forward")
    repo.branch("empty")  # has nothing that main has not
    found = told(
        repo, part("r", "rebased", T + 50), part("f", "forward", T + 250), part("e", "empty", T + 900), now_s=T + 9000
    )
    assert found["r"][0] == "merged"
    assert found["f"] == ("merged", found["f"][1], "fast-forward")
    assert found["e"][0] is None


def test_reverts_and_reverts_of_reverts(repo: Repo) -> None:
    for name, at_s in (("a", T + 100), ("b", T + 200), ("c", T + 300), ("d", T + 400)):
        repo.branch(name)
        repo.commit(name, at_s)
        merge = repo.merge(name, f"Merge branch '{name}'", at_s + 10)
        if name == "b":
            repo.revert(merge, T + 1000, "-m", "1")
        if name == "c":
            once = repo.revert(merge, T + 1100, "-m", "1")
            repo.revert(once, T + 1200)
        if name == "d":
            repo.revert(repo.git("rev-parse", "d"), T + 1300)
    squashed = repo.commit("Pay (#40)", T + 500)
    assert squashed
    repo.commit('Revert "Pay (#40)" (#41)\n\nReverts acme/web#40', T + 1400)
    titled = repo.commit("Odd thing", T + 600)
    assert titled
    repo.commit('Revert "Odd thing"', T + 1500)
    found = told(
        repo,
        *[part(name, name, T + 50) for name in "abcd"],
        part("p", None, T + 50, pr="40"),
        part("r", None, T + 1350, pr="41"),
    )
    assert {name: each[0] for name, each in found.items()} == {
        "a": "merged", "b": "reverted", "c": "merged", "d": "reverted", "p": "reverted", "r": "merged",
    }  # fmt: skip
    direct = told(repo, part("t", "main", T + 590))
    assert direct["t"][0] == "reverted"


def test_a_reverted_pull_request_that_came_in_by_a_reverted_branch_stands(repo: Repo) -> None:
    """Merge, revert by a branch of its own, and that merge taken out again."""
    repo.branch("work")
    repo.commit("work", T + 100)
    work = repo.merge("work", "Merge pull request #1 from acme/work", T + 110)
    repo.branch("revert-1-work")
    repo.revert(work, T + 200, "-m", "1")
    undo = repo.merge("revert-1-work", "Merge pull request #2 from acme/revert-1-work", T + 210)
    assert told(repo, part("w", "work", T + 50))["w"][0] == "reverted"
    repo.revert(undo, T + 300, "-m", "1")
    assert told(repo, part("w", "work", T + 50))["w"][0] == "merged"
    assert told(repo, part("u", "revert-1-work", T + 150))["u"][0] == "reverted"


def test_work_on_the_base_is_bounded_by_time(repo: Repo) -> None:
    sha = repo.commit("direct", T + HOUR)
    found = told(
        repo,
        part("in", "main", T + HOUR - 1200),  # ended ten minutes before the commit
        part("late", "main", T + HOUR + 1),
        part("early", "main", T - 3 * HOUR),
        part("both", "main", T + HOUR - 60),
        part("both", "feature", T + HOUR - 30),
    )
    assert found["in"] == ("merged", sha[:12], "direct")
    assert found["late"][0] is None
    assert found["early"][0] is None
    assert found["both"][0] == "abandoned"  # its branch; what it did on main is no work of its own


def test_branches_merged_into_others_and_the_base_merged_back(repo: Repo) -> None:
    repo.branch("inner")
    repo.commit("inner", T + 100)
    repo.branch("outer", "main")
    repo.commit("outer", T + 110)
    repo.git("merge", "-q", "--no-ff", "-m", "Merge branch 'inner' into outer", "inner", at_s=T + 120)
    repo.on("main")
    repo.commit("other", T + 130)
    repo.on("outer")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge branch 'main' into outer", "main", at_s=T + 140)
    before = told(repo, part("i", "inner", T + 50), part("o", "outer", T + 50), now_s=T + 1000)
    assert before["i"][0] is None
    repo.merge("outer", "Merge branch 'outer'", T + 200)
    after = told(repo, part("i", "inner", T + 50), part("o", "outer", T + 50), now_s=T + 1000)
    assert (after["i"][0], after["o"][0]) == ("merged", "merged")


def test_what_is_still_moving_is_not_abandoned(repo: Repo) -> None:
    repo.branch("slow")
    repo.commit("slow", T + 20 * 24 * HOUR)
    one = part("s", "slow", T + 100)
    assert told(repo, one, now_s=T + 45 * 24 * HOUR)["s"][0] is None
    assert told(repo, one, now_s=T + 51 * 24 * HOUR)["s"][0] == "abandoned"
    assert told(repo, one, now_s=T + 45 * 24 * HOUR, quiet_ms=7 * DAY_MS)["s"][0] == "abandoned"
    closed = told(repo, part("c", "x", T + 100, pr="9"), now_s=T + 200, closed={9: T * 1000})
    assert closed["c"][0] == "abandoned"


def test_a_shallow_clone_says_only_what_it_can_see(repo: Repo, tmp_path: Path) -> None:
    repo.branch("old")
    repo.commit("old", T + 100)
    repo.merge("old", "Merge branch 'old'", T + 200)
    repo.commit("new", T + 10_000)
    shallow = Repo(tmp_path / "clone")
    shallow.git("fetch", "-q", "--depth=1", f"file://{repo.folder}", "main")
    shallow.git("checkout", "-q", "-B", "main", "FETCH_HEAD")
    seen = read_repository(Git(shallow.folder), [part("s", "old", T + 50)], None, ())
    assert seen.history.complete_since_ms == (T + 10_000) * 1000
    found = told(shallow, part("s", "old", T + 50), part("later", "gone", T + 20_000))
    assert found["s"][0] is None  # it was merged: nobody may call it abandoned
    assert found["later"][0] == "abandoned"


def test_rows_of_other_projects_and_repositories_are_left_alone(repo: Repo) -> None:
    repo.git("remote", "add", "origin", "git@github.com:Acme/Web.git")
    repo.branch("fix")
    repo.commit("fix", T + 100)
    repo.merge("fix", "Merge pull request #3 from acme/fix", T + 200)
    found = told(
        repo,
        part("mine", "fix", T + 50, project="web"),
        part("unsaid", "fix", T + 50),
        part("other", "fix", T + 50, project="api"),
        part("elsewhere", "fix", T + 50, pr="acme/api#3"),
        part("named", "fix", T + 50, pr="acme/web#3", project="checkout-2"),
    )
    assert set(found) == {"mine", "unsaid", "named"}
    assert {each[1] for each in found.values()} == {"acme/web#3"}


def test_only_news_is_recorded_and_what_no_longer_holds_is_taken_back() -> None:
    said = SessionOutcome(
        session_id="s", part="fix", at_ms=1, outcome="merged", work="#1", source="git", note="merge a"
    )
    nothing = structs.replace(said, outcome=None, work=None, note=None)
    assert news([said], []) == [said]
    assert news([said], [said]) == []
    assert news([nothing], []) == []
    assert news([nothing], [said]) == [nothing]


def test_this_project_s_own_history_is_read() -> None:
    """The checkout's log, as it is: whole, or shallow and then said to be."""
    root = Path(__file__).parents[3]
    if not (root / ".git").exists():
        pytest.skip("these sources are no git checkout, so there is no history to read")
    git = Git(root)
    seen = git.repository(None, 0)
    assert seen.history.taken_ms
    assert len(seen.history.commits) == len(seen.history.taken_ms)
    assert git.top == root
    first = min(seen.history.commits.values(), key=lambda commit: commit.committed_ms)
    # A merge is nobody's own work: what it brought is.
    own = [commit for commit in seen.history.commits.values() if len(commit.parents) <= 1]
    newest = max(own, key=lambda commit: commit.authored_ms)
    assert (seen.history.complete_since_ms is None) or seen.history.complete_since_ms >= first.committed_ms
    session = part("s", seen.history.base, newest.authored_ms // 1000 - 60)
    (made,) = derive([session], seen, now_ms=newest.committed_ms + DAY_MS)
    assert made.outcome == "merged"


def fill(book: Any, start: int) -> None:
    book.attempt(session_id="s1", branch="login", start=start)
    book.attempt(session_id="s2", branch="dead", start=start)
    book.drain()


def test_the_command_end_to_end(run: Any, book: Any, tmp_path: Path) -> None:
    noon_s = 1_795_262_400
    repo = Repo(tmp_path / "web")
    repo.commit("start", noon_s - 1000)
    repo.branch("login")
    repo.commit("login", noon_s + 100)
    repo.merge("login", "Merge pull request #12 from acme/login", noon_s + 200)
    fill(book, noon_s * 1000)
    arguments = ("outcome", "--from-git", str(repo.folder), "--since", "2026-11-01", "--json")
    first = run(*arguments)
    assert first.code == 0, first.err
    assert first.json["recorded"] == 1
    (made,) = [each for each in first.json["outcomes"] if each["session_id"] == "s1"]
    assert (made["outcome"], made["work"], made["part"], made["source"]) == ("merged", "#12", "login", "git")
    assert run(*arguments).json["recorded"] == 0
    text = run(*arguments[:-1])
    assert "2 sessions of this repository against main" in text.out
    repo.revert(repo.git("rev-parse", "HEAD"), noon_s + 300, "-m", "1")
    assert run(*arguments).json["outcomes"][0]["outcome"] == "reverted"
    assert [each["outcome"] for each in run("outcome", "s1", "--json").json] == ["merged", "reverted"]


def test_a_person_s_word(run: Any, book: Any) -> None:
    fill(book, 1_795_262_400_000)
    assert run("outcome", "s1", "useful", "--note", "shipped", "--source", "ann").code == 0
    assert run("outcome", "s1", "score", "0.25", "--json").json["score"] == 0.25
    first, _ = run("outcome", "s1", "--json").json
    assert (first["outcome"], first["score"], first["source"]) == ("useful", None, "ann")
    assert "shipped" in run("outcome", "s1").out
    assert run("outcome", "nope", "useful").code == 1
    for wrong in (
        ("outcome", "s1", "great"),
        ("outcome", "s1", "score", "2"),
        ("outcome",),
        ("outcome", "s1", "score"),
    ):
        assert run(*wrong).code == 2, wrong
