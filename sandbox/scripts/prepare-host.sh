#!/usr/bin/env bash
# prepare-host.sh STATE ROOT ID HOSTNAME
# As root: gives the host in folder STATE its own network link, its own writable view of ROOT in STATE/mount, and its
# identity. Prints "ADDRESS HOSTKEY": the host's IPv4 address and its public ed25519 host key.
set -euo pipefail
state=$1 root=$2 id=$3 hostname=$4
mount=$state/mount

mkdir -p "$mount" "$state/overlay/upper" "$state/overlay/work"
overlay() {
  mkdir -p "$state/overlay/upper" "$state/overlay/work"
  mount -t overlay "$id" -o "lowerdir=$root,upperdir=$state/overlay/upper,workdir=$state/overlay/work" "$mount"
}
# An overlay's upper layer cannot lie on every file system (not on another overlay, as in a container): memory can.
overlay 2>"$state/overlay.error" || { mount -t tmpfs "$id" "$state/overlay" && overlay; }

echo "$hostname" >"$mount/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 %s\n::1 localhost\n' "$hostname" >"$mount/etc/hosts"
tr -d - </proc/sys/kernel/random/uuid >"$mount/etc/machine-id"
ssh-keygen -q -t ed25519 -N '' -C "$hostname" -f "$mount/etc/ssh/ssh_host_ed25519_key"
install -m 600 "$state/id_ed25519.pub" "$mount/home/deploy/.ssh/authorized_keys"
chroot "$mount" chown deploy:deploy /home/deploy/.ssh/authorized_keys

# 198.18.0.0/15 is set aside for test links (RFC 2544), so that its upper half meets no real network. Each host takes a
# /30. The lock is one for the whole machine: hosts of other checkouts and of other users choose from the same block.
exec 9>/run/lock/pulumi-systemd-links
flock 9
taken=$(ip -oneline -4 address show | grep -oE '198\.19\.[0-9]+\.[0-9]+' || true)
for ((block = 0; ; block++)); do
  [ "$block" -lt 16384 ] || { echo "every /30 of 198.19.0.0/16 is taken: take hosts down" >&2; exit 1; }
  outside=198.19.$((block / 64)).$((block % 64 * 4 + 1))
  grep -qxF "$outside" <<<"$taken" || break
done
inside=${outside%.*}.$((${outside##*.} + 1))
ip netns add "$id"
ip link add "$id" type veth peer name host0 netns "$id"
ip address add "$outside/30" dev "$id"
flock -u 9
ip link set "$id" up
ip -n "$id" link set lo up
ip -n "$id" address add "$inside/30" dev host0
ip -n "$id" link set host0 up
ip -n "$id" route add default via "$outside"

echo "$inside $(cut -d' ' -f1,2 "$mount/etc/ssh/ssh_host_ed25519_key.pub")"
