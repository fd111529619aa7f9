"""Runs on a host: what of the wanted state (JSON on standard input) does not hold, and the invocation of each unit."""

import hashlib
import json
import os
import pwd
import stat
import subprocess
import sys


def file_problems(path, mode, digest):
    try:
        info = os.lstat(path)
        with open(path, "rb") as source:
            found = hashlib.sha256(source.read()).hexdigest()
    except OSError as problem:
        return ["%s: %s" % (path, problem.strerror)]
    problems = []
    if found != digest:
        problems.append("%s: other content" % path)
    if (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)) != (0, 0, int(mode, 8)):
        problems.append("%s: owner or mode is %d:%d %o" % (path, info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)))
    return problems


def shown(names):
    keys = "ActiveState,UnitFileState,NeedDaemonReload,MainPID,InvocationID"
    argv = ["systemctl", "show", "--no-pager", "-p", keys, "--"] + names
    text = subprocess.run(argv, stdout=subprocess.PIPE, check=True, universal_newlines=True).stdout
    return [dict(line.split("=", 1) for line in block.splitlines()) for block in text.strip().split("\n\n")]


def unit_problems(name, state, environment):
    wanted = {"ActiveState": "active", "UnitFileState": "enabled", "NeedDaemonReload": "no"}
    problems = ["%s: %s=%s" % (name, key, state.get(key)) for key, value in wanted.items() if state.get(key) != value]
    if not problems:
        with open("/proc/%s/environ" % state["MainPID"], "rb") as source:
            running = source.read().decode("utf-8", "replace").split("\0")
        problems += ["%s: its process has not %s" % (name, entry) for entry in environment if entry not in running]
    return problems


def main():
    wanted = json.load(sys.stdin)
    problems = []
    for each in wanted["files"]:
        problems += file_problems(each["path"], each["mode"], each["sha256"])
    for name in wanted["users"]:
        try:
            pwd.getpwnam(name)
        except KeyError:
            problems.append("user %s: there is none" % name)
    invocations = {}
    for unit, state in zip(wanted["units"], shown([unit["name"] for unit in wanted["units"]])):
        problems += unit_problems(unit["name"], state, unit["environment"])
        invocations[unit["name"]] = state["InvocationID"]
    json.dump({"problems": problems, "invocations": invocations}, sys.stdout)


main()
