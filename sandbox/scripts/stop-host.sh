#!/usr/bin/env bash
# stop-host.sh STATE ID PID:START...
# As root: pulls the plug. Ends the processes named, each by pid and start time (in clock ticks since boot, as in
# /proc/PID/stat), and whatever else is in the host's own cgroup, and waits until they have gone.
set -euo pipefail
state=$1 id=$2
shift 2

start_of() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  stat=${stat##*) }
  # shellcheck disable=SC2086
  set -- $stat
  case $1 in Z | X) ;; *) echo "${20}" ;; esac
}
living() {
  local process
  for process in "$@"; do
    if [ "$(start_of "${process%%:*}")" = "${process##*:}" ]; then echo "${process%%:*}"; fi
  done
  find /sys/fs/cgroup/"$id" /sys/fs/cgroup/*/"$id" -name cgroup.procs -exec cat {} + 2>/dev/null || true
}
deadline=$((SECONDS + 20))
while pids=$(living "$@") && [ -n "$pids" ]; do
  [ "$SECONDS" -lt "$deadline" ] || { echo "processes do not end: $(tr '\n' ' ' <<<"$pids")" >&2; exit 1; }
  # shellcheck disable=SC2086
  kill -KILL $pids 2>/dev/null || true
  sleep 0.02
done
for cgroup in /sys/fs/cgroup/"$id" /sys/fs/cgroup/*/"$id"; do
  if [ -d "$cgroup" ]; then find "$cgroup" -depth -type d -exec rmdir {} \; ; fi
done
rm -f "$state/nspawn.pid"
rmdir "/run/systemd/nspawn/propagate/$id" 2>/dev/null || true
# nspawn, ended so, leaves the lock that it names after the device and inode of the host's root folder.
rm -f "/run/systemd/nspawn/locks/inode-$(stat --format=%d:%i "$state/mount" 2>/dev/null || echo none)"
