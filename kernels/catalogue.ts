/** A kernel that a package of Debian has, and how it is booted. */
export interface DebianKernel {
  readonly name: string;
  /** A program of this machine: boots in seconds, but by the real clock and with one processor. Or a whole machine, emulated. */
  readonly boots: 'user-mode' | 'emulated';
  /** By default that of this machine. */
  readonly processor?: 'arm64';
  /** Debian's releases that have it, the newest version of which is taken. */
  readonly suites: readonly string[];
  /** Packages that are unpacked beside it. */
  readonly besides?: readonly string[];
}

/** From the oldest that is promised to the newest that Debian has. */
export const kernels: readonly DebianKernel[] = [
  { name: 'user-mode-5.10', boots: 'user-mode', suites: ['bullseye'] },
  { name: 'user-mode-6.1', boots: 'user-mode', suites: ['bookworm'] },
  // Built for the C library of their releases.
  { name: 'user-mode-6.12', boots: 'user-mode', suites: ['trixie'], besides: ['libc6'] },
  { name: 'user-mode-newest', boots: 'user-mode', suites: ['sid'], besides: ['libc6'] },
  { name: '5.10', boots: 'emulated', suites: ['bullseye', 'bullseye-security'] },
  { name: '6.1', boots: 'emulated', suites: ['bookworm', 'bookworm-security'] },
  { name: '6.12', boots: 'emulated', suites: ['trixie', 'trixie-security'] },
  { name: 'newest', boots: 'emulated', suites: ['trixie-backports'] },
  { name: 'arm64', boots: 'emulated', processor: 'arm64', suites: ['trixie', 'trixie-security'] },
];

/** The user-mode kernels in the order in which they are tried for a commit until one boots: in time, all. `hash`: hexadecimal. */
export function kernelsForCommit(hash: string): readonly DebianKernel[] {
  const userMode = kernels.filter(({ boots }) => boots === 'user-mode');
  const number = Number.parseInt(hash.slice(0, 8), 16) || 0;
  const first = number % userMode.length;
  return [...userMode.slice(first), ...userMode.slice(0, first)];
}
