"""What systemd's exit statuses mean, in words (systemd.exec(5), "Process Exit Codes")."""

from __future__ import annotations

import signal

from .systemctl import UnitState

STATUS = {
    200: ("CHDIR", "WorkingDirectory= cannot be entered"),
    201: ("NICE", "Nice= cannot be set"),
    202: ("FDS", "file descriptors cannot be prepared"),
    203: ("EXEC", "the program in Exec...= cannot be executed: missing, not executable, or its interpreter is missing"),
    204: ("MEMORY", "out of memory"),
    205: ("LIMITS", "a Limit...= cannot be set"),
    206: ("OOM_ADJUST", "OOMScoreAdjust= cannot be set"),
    207: ("SIGNAL_MASK", "the signal mask cannot be set"),
    208: ("STDIN", "StandardInput= cannot be opened"),
    209: ("STDOUT", "StandardOutput= cannot be opened"),
    210: ("CHROOT", "RootDirectory= cannot be entered"),
    211: ("IOPRIO", "IOSchedulingPriority= cannot be set"),
    212: ("TIMERSLACK", "TimerSlackNSec= cannot be set"),
    213: ("SECUREBITS", "SecureBits= cannot be set"),
    214: ("SETSCHEDULER", "CPUSchedulingPolicy= cannot be set"),
    215: ("CPUAFFINITY", "CPUAffinity= cannot be set"),
    216: ("GROUP", "the group in Group= or SupplementaryGroups= does not exist"),
    217: ("USER", "the user in User= does not exist, or its namespace cannot be made"),
    218: ("CAPABILITIES", "capabilities cannot be set"),
    219: ("CGROUP", "the control group cannot be set up"),
    220: ("SETSID", "a session cannot be made"),
    221: ("CONFIRM", "the start was refused at the console"),
    222: ("STDERR", "StandardError= cannot be opened"),
    224: ("PAM", "PAMName= cannot be set up"),
    225: ("NETWORK", "PrivateNetwork= cannot be set up"),
    226: (
        "NAMESPACE",
        "the sandbox cannot be set up: a path in ReadWritePaths=, BindPaths= or the like does not exist",
    ),
    227: ("NO_NEW_PRIVILEGES", "NoNewPrivileges= cannot be set"),
    228: ("SECCOMP", "SystemCallFilter= or another system call filter cannot be set"),
    229: ("SELINUX_CONTEXT", "SELinuxContext= cannot be set"),
    230: ("PERSONALITY", "Personality= cannot be set"),
    231: ("APPARMOR", "AppArmorProfile= cannot be set"),
    232: ("ADDRESS_FAMILIES", "RestrictAddressFamilies= cannot be set"),
    233: ("RUNTIME_DIRECTORY", "RuntimeDirectory= cannot be made"),
    235: ("CHOWN", "a socket's owner cannot be set"),
    236: ("SMACK_PROCESS_LABEL", "SmackProcessLabel= cannot be set"),
    237: ("KEYRING", "the kernel keyring cannot be set up"),
    238: ("STATE_DIRECTORY", "StateDirectory= cannot be made"),
    239: ("CACHE_DIRECTORY", "CacheDirectory= cannot be made"),
    240: ("LOGS_DIRECTORY", "LogsDirectory= cannot be made"),
    241: ("CONFIGURATION_DIRECTORY", "ConfigurationDirectory= cannot be made"),
    242: ("NUMA_POLICY", "NUMAPolicy= cannot be set"),
    243: ("CREDENTIALS", "a credential cannot be set up: the file in LoadCredential= is missing or unreadable"),
    245: ("BPF", "a BPF restriction cannot be set"),
}

RESULT = {
    "protocol": "it ended before it said READY=1, or broke its Type='s protocol in another way",
    "timeout": "it was not ready, or not stopped, in time (TimeoutStartSec=, TimeoutStopSec=)",
    "exit-code": "it ended with a failure",
    "signal": "it was killed by a signal",
    "core-dump": "it crashed",
    "watchdog": "it did not ping the watchdog within WatchdogSec=",
    "exec-condition": "ExecCondition= said no",
    "start-limit-hit": "it was started too often (StartLimitBurst=)",
    "oom-kill": "it ran out of memory",
    "resources": "systemd could not prepare it: a missing EnvironmentFile=, or no more processes or memory",
    "trigger-limit-hit": "it triggered its service too often: the service ends without taking the connection",
    "service-start-limit-hit": "the service that it triggers was started too often",
}

EXITED = "1"


def told(state: UnitState) -> str:
    """Why a unit is not running, as systemd has it, in one line."""
    parts = [f"{state.active} ({state.sub})"]
    if state.result != "success":
        meaning = RESULT.get(state.result)
        parts.append(f"result {state.result}" + (f": {meaning}" if meaning else ""))
    elif state.active == "inactive":
        parts.append("it ended by itself, with success")
    status = state.get("ExecMainStatus")
    code = state.get("ExecMainCode")
    if status.isdigit() and int(status) and code == EXITED:
        parts.append("exit status " + status_name(int(status)))
    elif status.isdigit() and int(status) and code not in ("", "0"):
        parts.append("killed by " + signal_name(int(status)))
    return "; ".join(parts)


def status_short(status: int) -> str:
    """An exit status with systemd's name: `203/EXEC`."""
    known = STATUS.get(status)
    return f"{status}/{known[0]}" if known else str(status)


def status_name(status: int) -> str:
    """An exit status with systemd's name and what it means: `203/EXEC (...)`."""
    known = STATUS.get(status)
    return f"{status_short(status)} ({known[1]})" if known else str(status)


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
