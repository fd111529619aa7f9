"""A package whose build tries what it should not be able to do, and fails with what it could."""

import json
import os

could = []


def tried(what, action):
    try:
        action()
    except OSError:
        return
    could.append(what)


def read(path):
    if os.path.isdir(path):
        os.listdir(path)
    else:
        open(path).close()


def written(path):
    open(path, "w").close()


for path in ("/etc/os-release", "/etc/shadow", "/etc/pulumi-systemd/shop.env", "/var/lib/pulumi-systemd"):
    tried("read " + path, lambda: read(path))
tried("read the shop's data", lambda: read("/var/lib/shop/shop.sqlite3"))
for folder in ("/tmp", "/etc", "/home/deploy", "/opt/shop", "/opt/spied", "/run", "/usr/local/bin", "/var/lib"):
    tried("write to " + folder, lambda: written(folder + "/hostile"))
tried("become root", lambda: os.setuid(0))
tried("signal systemd", lambda: os.kill(1, 0))


def see_others():
    seen = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    if not any(os.stat("/proc/%d" % pid).st_uid != os.getuid() for pid in seen):
        raise OSError


tried("see processes of others", see_others)
# This it may: the package index asks for it. Nobody may get to see it.
print(open(os.environ["PIP_CONFIG_FILE"]).read(), flush=True)
raise SystemExit("it could: " + json.dumps(could))
