from bascule.gateway.evidence.sessions import IncumbentSessions


def test_a_session_is_the_incumbent_s_until_it_pauses() -> None:
    sessions = IncumbentSessions(idle_s=100.0)
    assert not sessions.has("auto", "s", 0.0)
    sessions.note("auto", "s", 0.0)
    assert sessions.has("auto", "s", 100.0)
    assert not sessions.has("auto", "s", 100.1)
    assert not sessions.has("other", "s", 1.0)
    sessions.note("auto", "s", 90.0)
    assert sessions.has("auto", "s", 150.0)


def test_those_not_heard_of_for_the_longest_are_forgotten() -> None:
    sessions = IncumbentSessions(max_sessions=2)
    for at, name in enumerate(("a", "b", "a", "c")):
        sessions.note("auto", name, float(at))
    assert [name for name in "abc" if sessions.has("auto", name, 4.0)] == ["a", "c"]
