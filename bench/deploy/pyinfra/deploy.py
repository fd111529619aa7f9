import json
import os

from pyinfra.operations import files, server, systemd

with open(os.environ["BENCH_INPUT"], encoding="utf-8") as source:
    state = json.load(source)

for user in state["users"]:
    server.user(
        name=f"Account {user['name']}",
        user=user["name"],
        system=True,
        home=user["home"],
        create_home=False,
        shell="/usr/sbin/nologin",
    )
for path in state["directories"]:
    files.directory(name=f"Directory {path}", path=path, user="root", group="root", mode="755")
written = {}
for each in [*state["files"], *state["units"]]:
    written[each["path"]] = files.put(
        name=f"File {each['path']}",
        src=each["source"],
        dest=each["path"],
        user="root",
        group="root",
        mode=each["mode"].lstrip("0"),
    )
paths = [unit["path"] for unit in state["units"]]
systemd.daemon_reload(name="daemon-reload", _if=lambda: any(written[path].did_change() for path in paths))
for unit in state["units"]:
    # Restarts only what runs already, so a new unit is started once.
    systemd.service(
        name=f"Restart {unit['name']}",
        service=unit["name"],
        running=None,
        restarted=True,
        _if=written[unit["path"]].did_change,
    )
    systemd.service(name=f"Start {unit['name']}", service=unit["name"], running=True, enabled=True)
