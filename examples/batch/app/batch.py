"""A nightly batch on numpy: sums up the day's measurements, and replaces the report in one step."""

import json
import os
import sys
from pathlib import Path

import numpy as np


def summary(values: np.ndarray) -> dict[str, float]:
    """What the report says of the values."""
    return {
        "count": float(values.size),
        "mean": round(float(values.mean()), 3),
        "p99": round(float(np.percentile(values, 99)), 3),
    }


def main() -> int:
    if sys.argv[1:] == ["--sample"]:
        # The check of a release: the whole calculation on a little data, and nothing is written.
        print(json.dumps(summary(np.arange(1000.0))))
        return 0
    state = Path(os.environ["STATE_DIRECTORY"])
    # A real batch would read a database.
    values = np.random.default_rng(1).normal(20.0, 5.0, 1_000_000)
    partial = state / "report.json.partial"
    partial.write_text(json.dumps(summary(values)))
    partial.replace(state / "report.json")
    print(f"report of {values.size} values")
    return 0


sys.exit(main())
