"""Runs commands side by side to their end, and tells what that cost: wall time, CPU time, and the largest memory.

Standard input: {"commands": [{"argv", "stdin"}], "timeoutSec"}; `stdin` is the path of a file. Standard output: JSON.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time


def main():
    asked = json.load(sys.stdin)
    begin = time.monotonic()
    running = []
    for command in asked["commands"]:
        source = open(command["stdin"] or "/dev/null", "rb")
        said = tempfile.TemporaryFile()
        process = subprocess.Popen(command["argv"], stdin=source, stdout=said, stderr=subprocess.STDOUT)
        running.append((process, said))
    ended = []
    for process, said in running:
        try:
            code = process.wait(max(begin + asked["timeoutSec"] - time.monotonic(), 0.001))
        except subprocess.TimeoutExpired:
            process.terminate()
            code = "not ended after %d s" % asked["timeoutSec"]
        ended.append(code)
    seconds = time.monotonic() - begin
    outputs = []
    for _, said in running:
        said.seek(0)
        outputs.append(said.read().decode("utf-8", "replace"))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    json.dump(
        {
            "seconds": seconds,
            "cpuSeconds": used.ru_utime + used.ru_stime,
            "megabytes": used.ru_maxrss / 1024,
            "codes": ended,
            "outputs": outputs,
        },
        sys.stdout,
    )


main()
