import { z } from 'zod';
import type { HistoryEvent, ProbeEvent } from './record.ts';

/** The shape of a line of `history.ndjson`, checked where it is read. */

const ns = z.number();
const text = z.string();
const happening = { at: ns, scenario: text.exactOptional() };
const operation = z.enum(['list', 'stat', 'read']);

export const historyEvent: z.ZodType<HistoryEvent> = z.discriminatedUnion('kind', [
  z.object({
    ...happening,
    kind: z.literal('probe'),
    probe: text,
    op: operation,
    startedAt: ns,
    finishedAt: ns,
    result: text,
    call: text.exactOptional(),
  }),
  z.object({ ...happening, kind: z.literal('hang'), probe: text, op: operation, since: ns, over: z.boolean() }),
  z.object({
    ...happening,
    kind: z.literal('process'),
    role: z.enum(['daemon', 'agent', 'container', 'program', 'store', 'control-plane']),
    name: text,
    change: z.enum(['started', 'ready', 'exited']),
    pid: z.number().exactOptional(),
    exitCode: z.number().exactOptional(),
    signal: text.exactOptional(),
  }),
  z.object({
    ...happening,
    kind: z.literal('mount'),
    where: text,
    change: z.enum(['added', 'removed']),
    id: z.number(),
    device: text,
    mountPoint: text,
    fstype: text,
    options: text,
    readOnlySuperblock: z.boolean().exactOptional(),
  }),
  z.object({
    ...happening,
    kind: z.literal('agent'),
    event: z.enum(['noticed', 'skipped', 'replaced', 'recovered', 'failed', 'passed']),
    volume: text.exactOptional(),
    where: text.exactOptional(),
    path: text.exactOptional(),
    reason: text.exactOptional(),
    tookNs: z.number().exactOptional(),
    line: z.record(text, z.unknown()),
  }),
  z.object({
    ...happening,
    kind: z.literal('event'),
    type: text,
    reason: text,
    message: text,
    object: text,
    count: z.number(),
  }),
  z.object({
    ...happening,
    kind: z.literal('kubelet'),
    event: z.enum(['restart-scheduled', 'restarted', 'publish', 'unpublish', 'pod-started', 'pod-removed']),
    pod: text,
    container: text.exactOptional(),
    delayNs: z.number().exactOptional(),
    restartCount: z.number().exactOptional(),
    detail: text.exactOptional(),
  }),
  z.object({
    ...happening,
    kind: z.literal('fault'),
    fault: text,
    phase: z.enum(['injected', 'healed']),
    target: text,
    detail: text.exactOptional(),
  }),
  z.object({ ...happening, kind: z.literal('output'), program: text, stream: z.enum(['stdout', 'stderr']), text }),
  z.object({ ...happening, kind: z.literal('snapshot'), where: text, label: text, lines: z.array(text) }),
  z.object({ ...happening, kind: z.literal('note'), text }),
]);

/** The same check for a probe's line, by hand: nearly all lines of a long run are such lines. */
export function isProbeEvent(value: object): value is ProbeEvent {
  const event = value as Partial<Record<keyof ProbeEvent, unknown>>;
  return (
    event.kind === 'probe' &&
    typeof event.at === 'number' &&
    typeof event.probe === 'string' &&
    (event.op === 'list' || event.op === 'stat' || event.op === 'read') &&
    typeof event.startedAt === 'number' &&
    typeof event.finishedAt === 'number' &&
    typeof event.result === 'string' &&
    (event.scenario === undefined || typeof event.scenario === 'string') &&
    (event.call === undefined || typeof event.call === 'string')
  );
}
