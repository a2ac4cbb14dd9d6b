from bascule.model.money import Rates
from bascule.model.report import Cell
from bascule.model.sums import Sums
from bascule.offline.right_sizing import Candidate, right_sizing, right_sizing_payload

USD = 1_000_000
OPUS = Rates(input=15 * USD, output=75 * USD)
SONNET = Rates(input=3 * USD, output=15 * USD)
FLASH = Rates(input=100_000, output=400_000)


def cell(task: str | None, size: str | None, rates: Rates | None, cost: int | None) -> Cell:
    sums = Sums(requests=2, cost_nanousd=cost, unpriced_attempts=int(cost is None))
    return Cell(values=(task, size, "anthropic", "opus"), rates=rates, sums=sums, users=0, sessions=0)


def offer(model: str, rates: Rates, *, provider: str = "anthropic", configured: bool = False) -> Candidate:
    return Candidate(model=model, provider=provider, rates=rates, configured=configured)


CELLS = [
    cell("classification", "large", OPUS, 50),
    cell("classification", "small", OPUS, 5),
    cell("code_generation", "small", OPUS, 20),
    cell(None, "small", OPUS, 7),
    cell(None, "large", OPUS, 11),
    cell("classification", "small", SONNET, 100),
    cell("classification", "small", None, 3),
    cell("chat", "small", OPUS, None),
]


def test_premium_spend_is_told_apart_by_what_is_known_of_its_work() -> None:
    made = right_sizing(CELLS, [])
    assert (made.cost_nanousd, made.unpriced_attempts, made.unknown_market_nanousd) == (196, 1, 3)
    assert (made.premium_nanousd, made.plausible_nanousd, made.short_nanousd) == (93, 55, 7)
    assert [(one.task, one.cost_nanousd) for one in made.questions] == [("classification", 55), (None, 7), ("chat", 0)]


def test_configured_models_come_before_the_catalog() -> None:
    offers = [offer("opus", OPUS, configured=True), offer("sonnet", SONNET), offer("flash", FLASH, provider="google")]
    (first, *_) = right_sizing(CELLS, offers).questions
    assert [one.model for one in first.candidates] == ["sonnet"]
    offers.append(offer("mine", FLASH, provider="home", configured=True))
    document = right_sizing_payload(right_sizing(CELLS, offers))
    assert document["questions"][0]["candidates"] == [
        {"model": "mine", "provider": "home", "configured": True, "price_ratio": 171.4}
    ]


def test_no_saving_is_claimed() -> None:
    document = right_sizing_payload(right_sizing(CELLS, [offer("sonnet", SONNET)]))
    assert not [key for key in (*document, *document["questions"][0]) if "sav" in key]
    assert document["evidence"] is None
