"""Computes in every way that a sandbox may forbid, prints the answers, says READY=1 and stays.

One line of JSON: `answers` of what must work in every profile, `reached` of what only some profiles allow: the answer, or
the exception as a program would log it.
"""

import asyncio
import ctypes
import json
import mmap
import multiprocessing
import os
import pwd
import signal
import socket
import subprocess
import tempfile
import threading
from multiprocessing import shared_memory

import numpy as np


def squared(number):
    return number * number


def by_callback():
    compare_type = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 4)(3, 1, 2, 0)
    compare = compare_type(lambda a, b: a[0] - b[0])
    ctypes.CDLL(None).qsort(numbers, 4, ctypes.sizeof(ctypes.c_int), compare)
    return list(numbers)


def by_processes(method):
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map(squared, range(4))


def by_shared_memory():
    memory = shared_memory.SharedMemory(create=True, size=8)
    try:
        child = multiprocessing.get_context("fork").Process(target=memory.buf.__setitem__, args=(0, 42))
        child.start()
        child.join()
        return memory.buf[0]
    finally:
        memory.close()
        memory.unlink()


def by_threads():
    answers = []
    threads = [threading.Thread(target=lambda n=n: answers.append(n)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


async def by_asyncio():
    child = await asyncio.create_subprocess_exec("echo", "from a child", stdout=subprocess.PIPE)
    output, _ = await child.communicate()
    return output.decode()


def by_file():
    with tempfile.NamedTemporaryFile("w+", dir=os.environ["STATE_DIRECTORY"]) as file:
        file.write("kept")
        file.seek(0)
        return file.read()


def answers():
    return {
        "numpy": np.linalg.solve(np.array([[2.0, 0.0], [0.0, 4.0]]), [2.0, 8.0]).tolist(),
        "matrix product": float((np.ones((200, 200)) @ np.ones((200, 200))).sum()),
        "ctypes callback": by_callback(),
        "subprocess": subprocess.run(
            ["sh", "-c", "echo $((6 * 7))"], capture_output=True, text=True, check=True
        ).stdout,
        "asyncio": asyncio.run(by_asyncio()),
        "fork": by_processes("fork"),
        "spawn": by_processes("spawn"),
        "shared memory": by_shared_memory(),
        "threads": by_threads(),
        "own file": by_file(),
        "temporary file": tempfile.NamedTemporaryFile().name.startswith("/tmp/"),
    }


def redis():
    with socket.create_connection(("127.0.0.1", 6379), 2) as connection:
        connection.sendall(b"PING\r\n")
        return connection.recv(100).decode().strip()


def listen():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[0]


def own_chown():
    path = os.path.join(os.environ["STATE_DIRECTORY"], "chown")
    open(path, "w").close()
    os.chown(path, os.getuid(), -1)
    return "ok"


def affinity():
    os.sched_setaffinity(0, os.sched_getaffinity(0))
    return "ok"


def executable_memory():
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
    return "ok"


def create(path):
    open(path, "w").close()
    os.unlink(path)
    return "ok"


def command(*words):
    run = subprocess.run(words, capture_output=True, text=True)
    return run.stderr.strip().splitlines()[0] if run.stderr.strip() else run.returncode


def setuid_bit():
    path = os.path.join(os.environ["STATE_DIRECTORY"], "setuid")
    open(path, "w").close()
    os.chmod(path, 0o4700)
    return "ok"


probes = {
    "connect to a local port": redis,
    "listen on a port": listen,
    "multiprocessing by forkserver": lambda: by_processes("forkserver"),
    "socket.if_nameindex()": lambda: [name for _, name in socket.if_nameindex()][:1],
    "os.chown()": own_chown,
    "os.sched_setaffinity()": affinity,
    "os.nice(1)": lambda: os.nice(1),
    "os.getloadavg()": lambda: len(os.getloadavg()),
    "os.cpu_count()": lambda: type(os.cpu_count()).__name__,
    "read /proc/meminfo": lambda: open("/proc/meminfo").read(8),
    "see process 1": lambda: open("/proc/1/comm").read().strip(),
    "owner of /var/lib/redis": lambda: pwd.getpwuid(os.stat("/var/lib/redis").st_uid).pw_name,
    "list /home": lambda: os.listdir("/home"),
    "write to /usr": lambda: create("/usr/probe"),
    "write to /srv/shared": lambda: create("/srv/shared/probe"),
    "see /dev/console": lambda: os.path.lexists("/dev/console"),
    "executable memory": executable_memory,
    "sudo": lambda: command("sudo", "-n", "true"),
    "user namespace": lambda: command("unshare", "--user", "true"),
    "chmod u+s": setuid_bit,
}


def reached(probe):
    try:
        return probe()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def say_ready():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "answers": answers(),
                "reached": {name: reached(probe) for name, probe in probes.items()},
            }
        ),
        flush=True,
    )
    say_ready()
    signal.pause()
