#!/usr/bin/env bash
# remove-host.sh STATE ID [PID:START...]
# As root: takes a host away, whatever state it is in: its processes, its mounts, its link, its folder STATE.
set -euo pipefail
state=$1 id=$2
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
rm -rf --one-file-system "$state"
