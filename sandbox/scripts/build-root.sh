#!/usr/bin/env bash
# build-root.sh SUITE DIR PACKAGES [MIRROR]
# As root: makes the Debian root that sandbox hosts of one kind share, in DIR, which must not exist.
set -euo pipefail
suite=$1 dir=$2 packages=$3 mirror=${4:-}
mmdebstrap --mode=root --variant=minbase --include="$packages" "$suite" "$dir" ${mirror:+"$mirror"}

# What belongs to one host is made when the host is; see prepare-host.sh. (The RSA and ECDSA keys, slow to make, are not
# pinned by anybody and stay common.)
rm -f "$dir"/etc/ssh/ssh_host_ed25519_key* "$dir/etc/resolv.conf"
: >"$dir/etc/machine-id"
rm -f "$dir/var/lib/dbus/machine-id"

chroot "$dir" useradd --create-home --shell /bin/bash deploy
echo 'deploy ALL=(ALL) NOPASSWD: ALL' >"$dir/etc/sudoers.d/deploy"
chmod 440 "$dir/etc/sudoers.d/deploy"
install -d -m 700 "$dir/home/deploy/.ssh"
chroot "$dir" chown deploy:deploy /home/deploy/.ssh

cat >"$dir/etc/ssh/sshd_config.d/sandbox.conf" <<'CONF'
UseDNS no
PermitRootLogin no
PasswordAuthentication no
CONF

# A test host does only what its test asks: no timers of the distribution, no console login, no redis unless started.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
  fstrim.timer man-db.timer logrotate.timer console-getty.service getty@tty1.service redis-server.service; do
  if chroot "$dir" systemctl list-unit-files --no-legend "$unit" 2>/dev/null | grep -q .; then
    chroot "$dir" systemctl --quiet disable "$unit"
  fi
done
ln -sf /dev/null "$dir/etc/systemd/system/console-getty.service"
