"""Each dialect's wire by its name."""

from types import ModuleType

from bascule.testing import anthropic_wire, gemini_wire, openai_wire
from bascule.testing.script import Dialect

WIRES: dict[Dialect, ModuleType] = {"openai": openai_wire, "anthropic": anthropic_wire, "gemini": gemini_wire}
