import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeviceId, Nanoseconds } from '../engine/model.ts';
import { keptFileName } from './protocol.ts';

/** A FUSE connection that the keeper keeps for a daemon that is away. */
export interface KeptConnection {
  readonly device: DeviceId;
  /** CLOCK_MONOTONIC: when the keeper closes it. */
  readonly until: Nanoseconds;
}

/** Replaces the file. Throws if it cannot be written. */
export function writeKeptFile(directory: string, kept: readonly KeptConnection[]): void {
  const path = join(directory, keptFileName);
  writeFileSync(`${path}.new`, JSON.stringify(kept.map(({ device, until }) => ({ device, until: String(until) }))));
  renameSync(`${path}.new`, path);
}

/**
 * Reads the file of a keeper. It is none if there is no such file or it is damaged. A keeper that has died leaves an old file: the kernel
 * then ends the connections that it names, so that they answer ENOTCONN, which counts for more than this file.
 */
export function readKeptFile(directory: string): readonly KeptConnection[] {
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(directory, keptFileName), 'utf8'));
    return Array.isArray(parsed) ? parsed.flatMap(toKeptConnection) : [];
  } catch {
    return [];
  }
}

function toKeptConnection(value: unknown): readonly KeptConnection[] {
  if (typeof value !== 'object' || value === null || !('device' in value) || !('until' in value)) return [];
  const { device, until } = value;
  if (typeof device !== 'string' || typeof until !== 'string' || !/^\d+$/.test(until)) return [];
  return [{ device: device as DeviceId, until: BigInt(until) as Nanoseconds }];
}
