import json
import os

from pyinfra.operations import files, server, systemd

with open(os.environ["BENCH_INPUT"], encoding="utf-8") as source:
    state = json.load(source)

for unit in state["units"]:
    systemd.service(name=f"Stop {unit['name']}", service=unit["name"], running=False, enabled=False)
for each in [*state["files"], *state["units"]]:
    files.file(name=f"Remove {each['path']}", path=each["path"], present=False)
for path in state["directories"]:
    files.directory(name=f"Remove {path}", path=path, present=False)
systemd.daemon_reload(name="daemon-reload")
for user in state["users"]:
    server.user(name=f"Remove {user['name']}", user=user["name"], present=False)
