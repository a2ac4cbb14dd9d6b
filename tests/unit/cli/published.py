"""A table of published figures in the layout that `trend --from`, `market --from` and `viable --from` read."""

from pathlib import Path

TABLE = """\
price_history:
  - {date: 2023-03, model: gpt-4,            input: 30.00, output: 60.00, capability: 1.00}
  - {date: 2023-11, model: gpt-4-turbo,      input: 10.00, output: 30.00, capability: 1.10}
  - {date: 2024-04, model: claude-3-haiku,   input: 0.25,  output: 1.25,  capability: 0.90}
  - {date: 2024-07, model: gpt-4o-mini,      input: 0.15,  output: 0.60,  capability: 0.95}
  - {date: 2024-12, model: gemini-2.0-flash, input: 0.10,  output: 0.40,  capability: 1.05}
  - {date: 2025-06, model: claude-haiku-4,   input: 0.08,  output: 0.32,  capability: 1.15}
  - {date: 2026-01, model: gemini-3.0-flash, input: 0.05,  output: 0.20,  capability: 1.30}
  - {date: 2026-04, model: gemini-3.1-flash, input: 0.10,  output: 0.40,  capability: 1.50}
trends:
  - {what: GPT-3 class, from: {date: 2021-11, price: 60.00}, to: {date: 2024-11, price: 0.06}, published: "1,000x in about three years", computed: {fold: 1000, per_year: 10.0}}
  - {what: GPT-3.5 class, from: {date: 2022-11, price: 20.00}, to: {date: 2024-10, price: 0.07}, published: "over 280-fold in about 18 months", computed: {fold: 285.7, months: 23, per_year: 19.1}}
  - {what: cheapest model, from: {date: 2023, price: 2.00}, to: {date: 2026, price: 0.05}, published: 40x, computed: {fold: 40}}
  - {what: dearest model, from: {date: 2023, price: 60.00}, to: {date: 2026, price: 15.00}, published: 4x, computed: {fold: 4}, note: an output price with an input price}
  - {what: spread over the whole market, dearest: 15.00, cheapest: 0.05, published: 300x, computed: {fold: 300}}
  - {what: spread for the same job, published: "over 50x on input, up to 250x on output"}
  - {what: deepseek-v4-flash against claude-opus-4.7, published: 36 to 89 times cheaper, computed: {input_fold: 107.1, output_fold: 267.9}}
  - {what: published decline rates per year, a16z: 10, epoch_median: 50, epoch_range: [9, 900], algorithmic_only_mit: 3}
catalog_2026:
  - {model: claude-opus-4.7,   input: 15.00, output: 75.00}
  - {model: claude-opus-4.6,   input: 15.00, output: 75.00}
  - {model: claude-mythos-5,   input: 30.00, output: 150.00}
  - {model: gpt-5.4,           input: 12.00, output: 60.00}
  - {model: grok-4,            input: 10.00, output: 40.00}
  - {model: claude-sonnet-4.6, input: 3.00,  output: 15.00, swe_bench: 67.2, gpqa_diamond: 71.3}
  - {model: gpt-5.4-mini,      input: 1.50,  output: 6.00,  swe_bench: 62.8, gpqa_diamond: 65.1}
  - {model: gemini-3.1-pro,    input: 2.00,  output: 12.00, swe_bench: 68.3, gpqa_diamond: 74.1}
  - {model: grok-4-mini,       input: 2.00,  output: 8.00,  swe_bench: 64.5, gpqa_diamond: 63.8}
  - {model: gemini-3.1-flash,  input: 0.10,  output: 0.40}
  - {model: deepseek-v4-flash, input: 0.14,  output: 0.28, cache_read: 0.0028, context: 1000000, licence: Apache-2.0}
  - {model: qwen-3.5-9b,       input: 0.05}
prompt_caching:
  anthropic: {write: 1.25, read: 0.10}
  openai:    {write: 1.00, read: 0.50}
  google:    {write: 1.00, read: 0.25}
"""


def write_table(folder: Path, *swaps: tuple[str, str]) -> Path:
    """The table as a file, with each text replaced by another; each must stand there exactly once."""
    text = TABLE
    for old, new in swaps:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "published.yaml"
    path.write_text(text)
    return path
