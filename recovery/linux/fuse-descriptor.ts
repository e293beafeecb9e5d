import { fstatSync, readFileSync, writeSync } from 'node:fs';
import type { DeviceId } from '../engine/model.ts';
import type { Result } from '../engine/ports.ts';
import { isSince } from './kernel-tier.ts';
import { libc } from './libc.ts';
import { done, errnoOf, failed } from './result.ts';

/** Major 10, minor 229, as in `st_rdev`. */
const fuseDevice = (10 << 8) | 229;
const POLLERR = 0x8;
const FUSE_NOTIFY_RESEND = 7;

/** Why connections cannot be taken over on a kernel, in a sentence with a remedy; undefined if they can. `release`: `uname -r`. */
export function takeoverUnsupported(release: string): string | undefined {
  // By its version, because a kernel can only be asked about a connection that is in use.
  if (isSince(release, '6.9')) return undefined;
  return `Linux ${release} cannot send the unanswered requests of a FUSE connection again (FUSE_NOTIFY_RESEND): run Linux 6.9 or later on this node`;
}

/** Whether a descriptor is /dev/fuse. */
export function isFuseDescriptor(fd: number): boolean {
  const status = fstatSync(fd);
  return status.isCharacterDevice() && status.rdev === fuseDevice;
}

/**
 * The device of a /dev/fuse descriptor's mount; undefined if it has none yet, the kernel does not show it (before 6.16), or this process may
 * open no file.
 */
export function deviceOfDescriptor(fd: number): DeviceId | undefined {
  try {
    const shown = /^fuse_connection:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
    return shown === undefined ? undefined : (`0:${shown}` as DeviceId);
  } catch {
    return undefined;
  }
}

/** Whether the connection of a descriptor was aborted, or its last mount is gone. */
export function hasConnectionEnded(fd: number): boolean {
  const poll = Buffer.alloc(8);
  poll.writeInt32LE(fd, 0);
  return Number(libc.poll(poll, 1, 0)) > 0 && (poll.readInt16LE(6) & POLLERR) !== 0;
}

/** Makes the kernel send all requests again that a daemon has read and not answered. EINVAL: before Linux 6.9. */
export function requestResend(fd: number): Result<void> {
  // `struct fuse_out_header` of a notification, whose number stands in place of an error.
  const notification = Buffer.alloc(16);
  notification.writeUInt32LE(notification.length, 0);
  notification.writeInt32LE(FUSE_NOTIFY_RESEND, 4);
  try {
    writeSync(fd, notification);
    return done;
  } catch (error) {
    return failed({ errno: errnoOf(error), call: 'write', path: '/dev/fuse', step: 'resend' });
  }
}
