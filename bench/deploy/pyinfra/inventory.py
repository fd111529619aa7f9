import json
import os

with open(os.environ["BENCH_INPUT"], encoding="utf-8") as source:
    state = json.load(source)

hosts = [
    (
        host["name"],
        {
            "ssh_hostname": host["address"],
            "ssh_port": host["port"],
            "ssh_user": host["user"],
            "ssh_key": host["privateKeyFile"],
            "ssh_known_hosts_file": state["knownHosts"],
            "ssh_strict_host_key_checking": "yes",
            "ssh_allow_agent": False,
            "ssh_look_for_keys": False,
            "_sudo": True,
        },
    )
    for host in state["hosts"]
]
