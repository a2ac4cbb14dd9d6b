"""How often the shipped task classifier is right, and how often it is unsure.

`python -m benchmarks.routing.classifier [--json]`: on prompts that it was not trained on (`task_cases.yaml`), with
exact 95 % intervals; then on questions of public benchmarks, whose kind is known, where they lie beside the checkout.
"""

import argparse
import json
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bascule.decide.evidence.binomial import clopper_pearson
from bascule.decide.task import task_of
from bascule.learned import outcomes
from bascule.learned.embedder import Embedder
from bascule.learned.task_classifier import TaskClassifier, shipped
from bascule.model.facts import Facts

CASES = Path(__file__).parent / "task_cases.yaml"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "routing"
_SUBJECTS = ("biology", "health", "history", "law", "philosophy", "psychology")
KNOWN = {
    "zeroeval": {"zeroeval/gsm": "math", "zeroeval/math-l5": "math", "zeroeval/crux": "reasoning"},
    "mmlupro": {f"mmlu-pro/{subject}": "question_answering" for subject in _SUBJECTS},
}
"""Public sets, and those of their labels whose kind of work is beyond doubt: a question of physics may be a sum."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routing.classifier", description=__doc__)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(arguments)
    classifier = shipped(Embedder())
    cases: dict[str, list[str]] = YAML(typ="safe").load(CASES)
    written = [(text, task) for task, texts in cases.items() for text in texts]
    told = {"written apart": _told("written apart from what it was trained on", classifier, written)}
    for name, task_of_label in KNOWN.items():
        if not DATA.is_dir():
            print(f"{name}: not at {DATA}")
            continue
        found = outcomes.read(DATA, name).questions
        pairs = zip(found.prompts, found.labels, strict=True)
        known = [(text, task_of_label[label]) for text, label in pairs if label in task_of_label]
        told[name] = _told(f"{name}, public questions", classifier, known)
    _confused(classifier, written)
    _timed(classifier, [text for text, _ in written])
    if args.json:
        print(json.dumps(told))
    return 0


def _told(name: str, classifier: TaskClassifier, known: list[tuple[str, str]]) -> dict[str, Any]:
    by_rule = sum([task_of(None, Facts(model="m", first_user_text=text))[0] is not None for text, _ in known])
    answers = [(classifier("", text), task) for text, task in known]
    sure = [(said, task) for said, task in answers if said is not None]
    right = sum([said == task for said, task in sure])
    low, high = clopper_pearson(right, len(sure)) if sure else (0.0, 1.0)
    print(
        f"{name}: {len(known)} prompts. Plain rules know {by_rule / len(known):.1%}. The classifier is sure of"
        f" {len(sure) / len(known):.1%}, and of these right in {right / max(1, len(sure)):.1%} [{low:.1%}, {high:.1%}]"
    )
    return {"prompts": len(known), "sure": len(sure), "right": right, "low": low, "high": high}


def _confused(classifier: TaskClassifier, known: list[tuple[str, str]]) -> None:
    print("\ntask                  sure  right  else taken for")
    for task in classifier.tasks:
        said = [classifier("", text) for text, of in known if of == task]
        wrong = Counter([one for one in said if one not in (None, task)])
        print(
            f"{task:20}  {sum(one is not None for one in said):2} of {len(said)}  {said.count(task):4}  "
            f"{', '.join([f'{name} {count}' for name, count in wrong.most_common()])}"
        )


def _timed(classifier: TaskClassifier, texts: list[str]) -> None:
    took = []
    for text in texts * 3:
        begun = time.process_time()
        classifier("You are a helpful assistant.", text)
        took.append(1e3 * (time.process_time() - begun))
    most = statistics.quantiles(took, n=100)[98]
    print(f"\nprocessor time of one prompt: median {statistics.median(took):.3f} ms, 99 % within {most:.3f} ms")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
