"""Inputs of published calculations of 2026, and what follows from them: cases for the calculators."""

from pathlib import Path

ARTICLES = Path(__file__).parents[4] / "shared" / "data" / "articles.yaml"
"""Where the whole published table lies, if it does: beside the checkout."""

PRICES = {
    "claude-opus-4.6": ("15", "75"),
    "claude-sonnet-4.6": ("3", "15"),
    "gemini-3.1-flash": ("0.10", "0.40"),
    "gemini-3.1-pro": ("2", "12"),
}
"""As the articles print them, USD per million tokens."""

CONTENT = {
    "page": 500, "email": 200, "code_file": 800, "ticket": 300, "product_description": 150, "blog_post": 3000,
    "document": 5000,
}  # fmt: skip

ESTIMATES = [
    ("small SaaS", 5_000_000, 10_000_000, "claude-sonnet-4.6", "165"),
    ("medium SaaS", 50_000_000, 100_000_000, "claude-sonnet-4.6", "1650"),
    ("consumer", 2_000_000_000, 5_000_000_000, "gemini-3.1-flash", "2200"),
    ("enterprise", 200_000_000, 400_000_000, "claude-opus-4.6", "33000"),
]
"""Name, tokens a month in and out, model, USD. The article's "large SaaS" (8,840 for 500 million in, a billion out,
"mixed") cannot be derived: its mix is not given. It is a tenth of what the same article's mix costs, see `MIX`."""

MIX = [
    ("classification", 400_000, "gemini-3.1-flash", "0.001", 400),
    ("standard", 350_000, "claude-sonnet-4.6", "0.05", 17_500),
    ("analysis", 150_000, "claude-opus-4.6", "0.45", 67_500),
    ("multimodal", 100_000, "gemini-3.1-pro", "0.03", 3_000),
]
"""Task, calls a month, model, USD per call, USD a month."""

STATED = {"routing": ("0.40", "0.70"), "prompt_cache": ("0.20", "0.40"), "semantic_cache": ("0.20", "0.50"),
          "response_cache": ("0.10", "0.30"), "batch": ("0.50", "0.50")}  # fmt: skip
"""Savings of the bill as stated, from and to."""

AGENTS = [
    ("competitor prices", 1000, "0.002", 60),
    ("sentiment", 5000, "0.001", 150),
    ("supply chain", 2000, "0.003", 180),
    ("churn", 500, "0.005", 75),
    ("security log", 10000, "0.001", 300),
]
"""Agent, checks a day, USD per check, USD a month."""

SELF_HOSTING = [
    ("8x A100 80G fp16", "8.40", 1400, "1.667"),
    ("8x H100 SXM fp16", "19.20", 2800, "1.905"),
    ("8x H100 SXM fp8", "19.20", 5600, "0.952"),
]
"""Node, USD per hour, tokens per second, USD per million tokens to the third place."""
