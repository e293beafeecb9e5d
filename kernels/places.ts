/** A place for a checkout: a kind of directory, or another system. */
export interface Place {
  readonly name: string;
  readonly description: string;
  /** Shell, run as root in a private mount namespace, before the project is copied. May change `checkout`, `as` and the environment. */
  readonly prepare?: string;
  /** Shell, between the installation and the checks. */
  readonly afterInstallation?: string;
  /** All promises are judged, instead of some. */
  readonly whole?: boolean;
}

const spaces = `checkout="$scratch/mein Projekt – Überprüfung 検査"`;
const noexec = 'mount -t tmpfs -o noexec,mode=1777 tmp /tmp';
const overlay = `mkdir "$scratch"/{lower,overlay} && mount -t tmpfs -o mode=755 layers "$scratch/lower"
mkdir "$scratch"/lower/{below,above,work}
mount -t overlay -o "lowerdir=$scratch/lower/below,upperdir=$scratch/lower/above,workdir=$scratch/lower/work" overlay "$scratch/overlay"`;

/** Changes root to a release of Debian, with Node and npm of this machine. */
const debian = (suite: string) => `
system=$cache/${suite}
if [ ! -d "$system" ]; then
  debootstrap --variant=minbase --include=make,procps,iproute2,ca-certificates ${suite} "$system.part" >&2 && mv "$system.part" "$system"
fi
# Changes stay in memory.
root=$scratch/system && mkdir -p "$root" "$scratch/changes" && mount -t tmpfs -o mode=755 changes "$scratch/changes"
mkdir "$scratch"/changes/{above,work}
mount -t overlay -o "lowerdir=$system,upperdir=$scratch/changes/above,workdir=$scratch/changes/work" overlay "$root"
for name in proc sys dev; do mount --rbind "/$name" "$root/$name"; done
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
cp "$(command -v node)" "$root/usr/local/bin/node" && cp -r "$(npm root -g)/npm" "$root/usr/local/lib/npm"
ln -s ../lib/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
mkdir -p "$root/npm-cache" && mount --bind "$(npm config get cache)" "$root/npm-cache" && export npm_config_cache=/npm-cache
mkdir "$root/checkout" && checkout=$root/checkout
# With chroot alone, a process that enters another mount namespace would be in the root of this machine again.
pivot='cd "$0" && mkdir -p old && pivot_root . old && cd /checkout && umount -l /old && exec env HOME=/root "$@"'
as=(unshare --mount --propagation private sh -c "$pivot" "$root")`;

export const places: readonly Place[] = [
  { name: 'plain', description: 'a fresh copy, installed without development packages' },
  {
    name: 'node-24',
    description: 'with a Node from 24 on, which is not installed a second time',
    prepare: 'mkdir "$scratch/bin" && cp "$newNode" "$scratch/bin/node" && PATH=$scratch/bin:$PATH',
  },
  {
    name: 'closed-parent',
    description: 'below a directory that others cannot enter',
    prepare: 'mkdir -m 0700 "$scratch/closed" && checkout=$scratch/closed/project',
  },
  { name: 'letters', description: 'on a path with spaces and non-ASCII letters', prepare: spaces },
  { name: 'overlay', description: 'on overlayfs', prepare: `${overlay}\ncheckout=$scratch/overlay/project` },
  { name: 'noexec-tmp', description: 'programs in /tmp cannot be started', prepare: noexec },
  { name: 'umask', description: 'umask 077', prepare: 'umask 077' },
  {
    name: 'proxy',
    description: 'behind a proxy, which must be asked for nothing of this machine',
    afterInstallation: 'export {http,https,all}_proxy=http://127.0.0.1:9 {HTTP,HTTPS,ALL}_PROXY=http://127.0.0.1:9',
  },
  {
    name: 'offline',
    description: 'without a network once installed',
    afterInstallation: 'as=(unshare --net sh -c \'ip link set lo up && exec "$@"\' sh)',
  },
  {
    name: 'without-root',
    description: 'by a user without rights, who may open /dev/fuse',
    prepare: `mkdir "$scratch/devices" && mount -t tmpfs -o mode=0755 devices "$scratch/devices"
mknod -m 0666 "$scratch/devices/fuse" c 10 229 && mount --bind "$scratch/devices/fuse" /dev/fuse
mkdir "$scratch/home" && chown 1000:1000 "$scratch/home" && owner=1000:1000
as=(setpriv --reuid=1000 --regid=1000 --clear-groups --no-new-privs env HOME="$scratch/home" npm_config_cache="$scratch/home/cache")`,
  },
  {
    name: 'cgroup-v2',
    description: 'only cgroup v2 is mounted',
    prepare: 'umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup',
  },
  {
    name: 'cgroup-v1',
    description: 'only cgroup v1 is mounted',
    prepare: `umount -R /sys/fs/cgroup && mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
for name in memory cpu pids; do mkdir "/sys/fs/cgroup/$name" && mount -t cgroup -o "$name" "$name" "/sys/fs/cgroup/$name"; done`,
  },
  { name: 'debian-12', description: 'Debian 12', prepare: debian('bookworm') },
  { name: 'debian-13', description: 'Debian 13', prepare: debian('trixie') },
  {
    name: 'all-at-once',
    description: 'spaces and letters, umask 077, programs in /tmp cannot be started, overlayfs',
    prepare: `umask 077\n${noexec}\n${overlay}\ncheckout="$scratch/overlay/mein Projekt – Überprüfung 検査"`,
    whole: true,
  },
];

/** Systems that cannot be had by the means of this project, so that nothing is known of them. */
export const untriedSystems = ['Fedora', 'RHEL and its like', 'Ubuntu', 'openSUSE', 'Arch', 'Bottlerocket', 'WSL 2'];

/** What is checked in a place. `command`: shell in the checkout. */
export interface PlaceCheck {
  readonly name: 'doctor' | 'conform' | 'tests';
  readonly command: string;
  /** The part of the output that says what came of it. */
  readonly summary: RegExp;
}

/** Tests of what touches the machine: programs, mounts, users, paths. */
const tests = 'packaging src/cli/command.test.ts src/doctor clusters/sandbox clusters/bundled-packages.test.ts';

/** `brief`: no scenarios. */
export function placeChecks({ whole }: Place, brief = false): readonly PlaceCheck[] {
  const scenarios = whole ? '' : " ARGS='--jobs 1 features/5-crash-and-recovery.feature'";
  const more = whole ? ' fakes/fuse' : '';
  return [
    { name: 'doctor', command: 'make doctor', summary: /This machine can.*/ },
    ...(brief
      ? []
      : [{ name: 'conform', command: `make conform${scenarios}`, summary: /^\d+ scenarios: .*$/m } as const]),
    { name: 'tests', command: `make test ARGS='${tests}${more}'`, summary: /(?<=^ *Tests +)\S.*/m },
  ];
}

/**
 * A bash script that makes a place and the checks in it, and leaves `<name>.log` and `<name>.status` in `$out`. It needs `$scratch`, which
 * has `sources.tar`, and `$cache`. `brief`: no scenarios.
 */
export function placeCommand(place: Place, brief = false): string {
  const { prepare = '', afterInstallation } = place;
  return [
    'set -euo pipefail',
    // Those of the make that runs this.
    'unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL ARGS',
    'export NO_COLOR=1',
    'checkout=$scratch/project owner=0:0 as=()',
    prepare,
    'mkdir -p "$checkout"',
    // As git does, the user's umask decides.
    'tar -C "$checkout" --no-same-owner --no-same-permissions -xf "$scratch/sources.tar"',
    'chown -R "$owner" "$checkout"',
    'cd "$checkout"',
    'check() {',
    '  local name=$1 began=$SECONDS status=0',
    `  timeout --kill-after=10 1200 "\${as[@]}" bash -c "$2" >"$out/$name.log" 2>&1 </dev/null || status=$?`,
    '  echo "$status $((SECONDS - began))" >"$out/$name.status"',
    '}',
    // Nothing can be installed later.
    ...(afterInstallation === undefined
      ? []
      : [`"\${as[@]}" make test ARGS=packaging/install-scripts.test.ts`, afterInstallation]),
    ...placeChecks(place, brief).map(({ name, command }) => `check ${name} ${JSON.stringify(command)}`),
  ].join('\n');
}
