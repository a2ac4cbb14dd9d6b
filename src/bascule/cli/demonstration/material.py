"""What the demo's people write: tickets, threads, code. Made up, and the same for the same dice."""

from random import Random

_CUSTOMERS = ("Ada", "Bram", "Chen", "Dora", "Emil", "Fay", "Goran", "Hana", "Ivo", "Jun", "Kofi", "Lea")
_COMPLAINTS = (
    "I was charged twice for the same order and would like one of the two payments back.",
    "The tracking page has said 'on its way' for nine days now, and the shop's chat has no answer either.",
    "After the update the app asks for my password each time I open it, even when I tick the box.",
    "The blue one arrived although I ordered the green one; the delivery note says green as well.",
    "Your invoice shows the old address of our company, and our accounting cannot book it like that.",
    "I cannot find where to end the subscription, and the link in the help page leads to an error.",
)
_DETAILS = (
    "It happened on the phone and on the laptop, so it is not the browser.",
    "I have attached the receipt and the photo that your colleague asked for last week.",
    "This is the third time I write; the first two messages were answered by a robot.",
    "Please tell me by Friday, since I am travelling after that.",
    "The order went to the office, not to my home, in case that matters.",
    "A friend of mine has the same trouble with an order of the same day.",
    "I am otherwise happy with the shop and would like to stay a customer.",
)
_THREAD = (
    "The nightly export died again, this time at 03:12, with exit status 137.",
    "That is the kernel ending it for using too much memory; the machine has 4 GB.",
    "Could we give it 8 GB until we know more? Customers are waiting for the file.",
    "We could, but the number of lines doubles every quarter, so that lasts until March.",
    "I looked at the code: all rows are collected in a list before the first is written.",
    "Writing them as they come keeps memory flat; I have tried it with 200,000 lines.",
    "Does anything read the list afterwards? The totals at the end of the file, perhaps.",
    "They can be summed on the way. I have put that into the same change.",
    "Who tells the two customers that the limit stays at 10,000 lines until Thursday?",
    "I can write to them this afternoon, if somebody confirms the date.",
)
_INVOICE = (
    "INVOICE R-2026-{n}. Supplier: Nordlicht GmbH, Hafenstrasse 12. Pallets of packing film, 40 x 31.00 EUR,"
    " net 1240.00 EUR, VAT 19 % 235.60 EUR, total 1475.60 EUR. Thank you for your order of the {d} of November."
)
_SUPPLIERS = (
    "Supplier one asks 31.00 EUR a unit from 400 units on, delivers in 12 working days and renews itself each year.",
    "Supplier two asks 33.40 EUR a unit at any quantity, delivers in 5 working days and ends without notice.",
    "In the last 40 weeks supplier one was late 11 times; supplier two was late twice and told us before.",
    "Both have the certificates that purchasing asks for, and both invoice in euros but buy in dollars.",
    "Returns cost us 3.1 % of the volume with supplier one; for supplier two there is no figure yet.",
)
CODE = """\
def serve_file(request, root):
    name = request.query["name"]
    path = os.path.join(root, name)
    if not path.startswith(root):
        return error(403, f"not below {root}: {path}")
    if request.headers.get("x-token") == SETTINGS.token:
        with open(path, "rb") as file:
            return Response(200, file.read())
    return error(401, f"no access to {path}")
"""
MODULE = (
    '''\
CENT = Decimal("0.01")


class Invoice:
    """Lines of an order with their prices, taxes and the total that the customer sees."""

    def __init__(self, lines, tax):
        self.lines = lines
        self.tax = tax

    def line_total(self, line):
        return round(line.price * line.count * (1 + self.tax), 2)

    def total(self):
        return round(sum(self.line_total(line) for line in self.lines), 2)

'''
    * 6
)
TEST_OUTPUT = """\
tests/test_invoice.py::test_one_line PASSED
tests/test_invoice.py::test_three_lines FAILED
>       assert Invoice(lines, tax).total() == Decimal("1.01")
E       AssertionError: assert Decimal('1.02') == Decimal('1.01')
tests/test_invoice.py:41: AssertionError: 1 failed, 1 passed
"""


def ticket(dice: Random) -> str:
    """About 150 tokens."""
    told = [dice.choice(_COMPLAINTS), *dice.sample(_DETAILS, 4)]
    return f"Ticket {dice.randrange(10_000, 99_999)} from {dice.choice(_CUSTOMERS)}: {' '.join(told)}"


def thread(dice: Random) -> str:
    """A discussion of 1,000 to 2,500 tokens."""
    said = [
        f"{dice.choice(_CUSTOMERS)} {day:02}.11. {dice.randrange(8, 18):02}:{dice.randrange(60):02}: {line}"
        for day in range(1, dice.randrange(5, 12))
        for line in _THREAD
    ]
    return "\n".join(said)


def invoice(dice: Random) -> str:
    return _INVOICE.format(n=dice.randrange(100, 999), d=dice.randrange(1, 20))


def suppliers(dice: Random) -> str:
    """A file of 600 to 1,500 tokens."""
    return "\n".join([f"Week {week}. {dice.choice(_SUPPLIERS)}" for week in range(1, dice.randrange(25, 60))])
