"""
When croniter, a maintained library, runs the schedules of crontabs within a span of time: how often, and a digest of the
minutes. Input and output are JSON: [{"lines": [...], "after": seconds, "until": seconds}] and [{"runs": n, "digest": hex}].
"""

import hashlib
import json
import sys

from croniter import croniter


def minutes_of(lines, after, until):
    """Unix times in minutes. As Vixie cron has it, a day field that begins with a star does not count as restricted."""
    found = set()
    for line in lines:
        runs = croniter(line, after, max_years_between_matches=50, implement_cron_bug=True)
        while True:
            at = runs.get_next(float)
            if at >= until:
                break
            found.add(int(at) // 60)
    return sorted(found)


answers = []
for question in json.load(sys.stdin):
    minutes = minutes_of(question["lines"], question["after"], question["until"])
    text = "".join(f"{minute}\n" for minute in minutes)
    answers.append({"runs": len(minutes), "digest": hashlib.sha256(text.encode()).hexdigest()})
json.dump(answers, sys.stdout)
