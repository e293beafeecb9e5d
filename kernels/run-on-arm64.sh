#!/usr/bin/env bash
# Runs a command as root in this project on linux/arm64: in an emulated machine that is made for it and is gone afterwards.
# Needs root, qemu-system-aarch64, debootstrap, mke2fs, cpio, dpkg-deb, xz and npm.
set -euo pipefail

usage='usage: run-on-arm64.sh [--out DIR] [--log FILE] [--timeout S] KERNEL -- COMMAND

  KERNEL       a package of Debian: linux-image-*-cloud-arm64_*.deb
  COMMAND      one argument, given to bash in the folder of the project. Its output and exit status are those of the script
  --out DIR    receives what the command wrote to $OUT
  --log FILE   receives the messages of the kernel

Exit status: that of the command; 124 if the time is over; 125 if the guest did not get that far; 2 for wrong usage.'
fail() { echo "run-on-arm64: $2" >&2; exit "$1"; }

out='' log=/dev/null timeout=3600
while [[ ${1:-} == --* ]]; do
  case $1 in
    --out | --log | --timeout) declare "${1#--}=$2" && shift 2 ;;
    *) fail 2 "$usage" ;;
  esac
done
[[ $# == 3 && -f $1 && $2 == -- ]] || fail 2 "$usage"
kernel=$1 command=$3

umask 022
cache=${XDG_CACHE_HOME:-$HOME/.cache}/rekindle/arm64
project=$(realpath "$(dirname "$0")/..")
mkdir -p "$cache"
work=$(mktemp -d "${TMPDIR:-/tmp}/rekindle-arm64.XXXXXX")
trap 'rm -rf "$work"' EXIT

unpacked=$cache/$(basename "$kernel" .deb)
if [[ ! -d $unpacked ]]; then
  dpkg-deb -x "$kernel" "$work/kernel" && mv "$work/kernel" "$unpacked"
fi

# image NAME FREE_MIB FOLDER: a disk that holds the folder.
image() {
  local size
  size=$(($(du -sm --apparent-size "$3" | cut -f 1) * 3 / 2 + $2))
  mke2fs -q -F -t ext4 -m 0 -O ^has_journal -N 131072 -E root_owner=0:0 -d "$3" "$work/$1.ext4" "${size}M" >&2
  mv "$work/$1.ext4" "$cache/$1.ext4"
}

# Debian's packages are unpacked and not configured, which would need an emulated processor. From trixie on all files are below /usr,
# so that no package replaces a directory of links.
if [[ ! -f $cache/root.ext4 ]]; then
  debootstrap --foreign --arch=arm64 --variant=minbase --include=busybox-static,iproute2,kmod,make,procps \
    trixie "$work/root" >"$work/debootstrap.log" 2>&1 || { tail -n 5 "$work/debootstrap.log" >&2; fail 125 'debootstrap failed'; }
  for package in "$work"/root/var/cache/apt/archives/*.deb; do dpkg-deb -x "$package" "$work/root"; done
  rm -rf "$work"/root/var/cache/apt/archives "$work"/root/var/lib/apt/lists "$work"/root/debootstrap
  cp "$work"/root/usr/share/base-passwd/passwd.master "$work"/root/etc/passwd
  cp "$work"/root/usr/share/base-passwd/group.master "$work"/root/etc/group
  mkdir -p "$work"/root/{project,out,job}
  cp "$work"/root/usr/bin/busybox "$cache/busybox"
  image root 1024 "$work/root"
  rm -rf "$work/root"
fi

# The project with the packages of the other processor, as the lock file names them.
mkdir "$work/tree"
tar -C "$project" --exclude=./.git --exclude=./results --exclude=./node_modules -cf - . | tar -C "$work/tree" -xf -
key=$(cd "$work/tree" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
if [[ $(cat "$cache/tree.key" 2>/dev/null) != "$key" ]]; then
  (cd "$work/tree" && npm ci --silent --omit=dev --ignore-scripts --cpu=arm64 --os=linux --prefer-offline) ||
    fail 125 'the packages for arm64 cannot be installed'
  rm -f "$cache/tree.key"
  image tree 512 "$work/tree"
  echo "$key" >"$cache/tree.key"
fi
rm -rf "$work/tree"

initial=$work/initial
mkdir -p "$initial"/{bin,proc,dev,root}
cp "$cache/busybox" "$initial/bin/busybox"
for module in virtio_blk overlay; do
  xz -dc "$(find "$unpacked" -name "$module.ko.xz" | head -n 1)" >"$initial/$module.ko"
done
printf '%s\n' "$command" >"$initial/command"
cat >"$initial/init" <<'INIT'
#!/bin/busybox sh
export PATH=/bin
busybox mount -t proc proc /proc
busybox mount -t devtmpfs dev /dev
for module in /*.ko; do busybox insmod $module; done
busybox mount -t ext4 /dev/vda /root && busybox mount -t ext4 /dev/vdb /root/project || exec busybox poweroff -f
busybox cp /start /command /root/job/
busybox mount -o move /dev /root/dev
busybox umount /proc
exec busybox switch_root /root /usr/bin/bash /job/start
INIT
cat >"$initial/start" <<'START'
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LANG=C.UTF-8 OUT=/out
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs -o mode=755,nosuid run /run
mount -t tmpfs -o mode=1777,nosuid tmp /tmp
mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620 pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t fusectl fusectl /sys/fs/fuse/connections
mount --make-rshared /
hostname guest
ip link set lo up
mount -t cgroup2 cgroup2 /sys/fs/cgroup
# As under systemd: controllers are handed down from the root, and processes are in a leaf.
mkdir /sys/fs/cgroup/session
echo $$ >/sys/fs/cgroup/session/cgroup.procs
for controller in cpu memory pids; do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control; done
cd /project
stty -F /dev/ttyAMA0 raw -echo
bash /job/command </dev/null 2>&1 | cat >/dev/ttyAMA0
echo "${PIPESTATUS[0]}" >/out/.status
dmesg >/out/.kernel
tar -C /out -cf /dev/vdc . || echo 'run-on-arm64: what is in $OUT does not fit' >/dev/ttyAMA0
sync
busybox poweroff -f
START
chmod +x "$initial/init"
(cd "$initial" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd"
truncate -s 256M "$work/out"

# The clock of the guest goes by instructions, so that deadlines mean what they mean elsewhere, however busy this machine is.
status=0
timeout "$timeout" qemu-system-aarch64 -machine virt -cpu neoverse-n1 -m 4096 -nodefaults -display none -no-reboot \
  -accel tcg,thread=single,tb-size=1024 -smp 1 -icount shift=0 -rtc clock=vm \
  -kernel "$(find "$unpacked" -name 'vmlinuz*' | head -n 1)" -initrd "$work/initrd" \
  -append 'console=ttyAMA0 loglevel=3 panic=-1 mitigations=off random.trust_cpu=on' \
  -chardev stdio,id=console,signal=off -serial chardev:console \
  -drive "file=$cache/root.ext4,format=raw,if=virtio,snapshot=on" \
  -drive "file=$cache/tree.ext4,format=raw,if=virtio,snapshot=on" \
  -drive "file=$work/out,format=raw,if=virtio" </dev/null || status=$?
((status != 124)) || fail 124 "not done in $timeout s"
mkdir "$work/unpacked"
tar -C "$work/unpacked" -xf "$work/out" 2>/dev/null && [[ -f $work/unpacked/.status ]] || fail 125 'the guest ended without an answer'
status=$(cat "$work/unpacked/.status")
cp "$work/unpacked/.kernel" "$log"
rm "$work"/unpacked/.{status,kernel}
[[ ! $out ]] || { mkdir -p "$out" && cp -a "$work/unpacked/." "$out/"; }
exit "$status"
