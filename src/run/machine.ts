import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import type { RunRecord } from '../timeline/record.ts';

/** Describes the machine for the record. */
export function describeMachine(): RunRecord['machine'] {
  return {
    kernel: release(),
    os: /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease())?.[1] ?? 'Linux',
    cpus: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    root: process.getuid?.() === 0,
  };
}

function osRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8');
  } catch {
    return '';
  }
}
