#!/usr/bin/env bash
# start-host.sh STATE ID SECONDS
# As root: boots the prepared host and waits until its systemd reports `running`. Prints "NSPAWN LEADER", the pids of
# systemd-nspawn and of the host's process 1; on failure says what the host reports.
set -euo pipefail
state=$1 id=$2 seconds=$3
deadline=$((SECONDS + seconds))
cgroups=/sys/fs/cgroup
# Its network being its own, it may do there what any host may (systemd itself does, for PrivateNetwork=).
args=(--register=no --boot --directory="$state/mount" --machine="$id" --network-namespace-path="/run/netns/$id"
  --capability=CAP_NET_ADMIN --console=read-only --resolv-conf=off --timezone=off --link-journal=no)

# Where systemd runs this machine it gives the host a scope of its own. Elsewhere nobody does: two hosts in one cgroup
# would end each other's services, so each is put into its own before it starts.
own_cgroup=no
if [ ! -d /run/systemd/system ]; then
  own_cgroup=yes
  args+=(--keep-unit)
fi
# On a machine with cgroups of both versions the host gets version 2, as Debian has it from 11 on.
[ -d "$cgroups/unified" ] && export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1

rm -f "$state/nspawn.pid"
# shellcheck disable=SC2016
setsid bash -c '
  state=$1 id=$2 own_cgroup=$3; shift 3
  if [ "$own_cgroup" = yes ]; then
    for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
      [ -e "$hierarchy/cgroup.procs" ] || continue
      mkdir -p "$hierarchy/$id"
      echo $$ >"$hierarchy/$id/cgroup.procs"
    done
  fi
  echo $$ >"$state/nspawn.pid"
  exec systemd-nspawn "$@"' start "$state" "$id" "$own_cgroup" "${args[@]}" </dev/null >>"$state/console.log" 2>&1 &

fail() {
  echo "$1" >&2
  exit 1
}
nspawn=
leader=
status=
while [ "$SECONDS" -lt "$deadline" ]; do
  if [ -z "$nspawn" ]; then
    nspawn=$(cat "$state/nspawn.pid" 2>/dev/null || true)
  elif [ ! -d "/proc/$nspawn" ]; then
    fail "systemd-nspawn ended during boot"
  elif [ -z "$leader" ]; then
    # Children come and go while nspawn sets up; the host's is the one that is process 1 in its own pid namespace.
    for child in $(cat "/proc/$nspawn/task/$nspawn/children" 2>/dev/null || true); do
      if grep -qsE '^NSpid:.*[[:space:]]1$' "/proc/$child/status"; then leader=$child; fi
    done
  else
    status=$(nsenter --target "$leader" --all systemctl is-system-running 2>/dev/null || true)
    case $status in
    running)
      echo "$nspawn $leader"
      exit 0
      ;;
    degraded | maintenance)
      fail "the host booted to \`$status\`; failed units: $(nsenter --target "$leader" --all systemctl --failed --no-legend --plain | cut -d' ' -f1 | tr '\n' ' ')"
      ;;
    esac
  fi
  sleep 0.05
done
fail "the host was not \`running\` within $seconds s (it says \`${status:-nothing}\`)"
