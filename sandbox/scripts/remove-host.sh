#!/usr/bin/env bash
# remove-host.sh STATE ID [PID:START...]
# As root: takes a host away, whatever state it is in: its processes, its mounts, its link, its folder STATE.
set -euo pipefail
state=$1 id=$2
# Whoever comes second, while the host is being taken away by another process, waits and finds nothing left to do.
{ exec 9<"$state"; } 2>/dev/null || exit 0
flock 9
grep -qsF "\"$id\"" "$state/record.json" || exit 0
bash "$(dirname "$0")/stop-host.sh" "$@"
for mount in "$state/mount" "$state/overlay"; do
  # A mount that was just let go of may be busy for a moment.
  for ((try = 0; try < 100; try++)); do
    mountpoint --quiet "$mount" || break
    umount "$mount" 2>"$state/umount.error" || sleep 0.05
  done
  if mountpoint --quiet "$mount"; then cat "$state/umount.error" >&2; exit 1; fi
done
if [ -e "/sys/class/net/$id" ]; then ip link delete "$id"; fi
if [ -e "/run/netns/$id" ]; then ip netns delete "$id"; fi
# The record goes last: a removal that is cut short can be taken up again.
find "$state" -mindepth 1 -maxdepth 1 ! -name record.json -exec rm -rf --one-file-system {} +
rm -rf --one-file-system "$state"
