import { deflateRawSync } from 'node:zlib';
import type { ProbeColumns } from '../../src/timeline/digest.ts';
import { largestResult, latencySteps, type PackedScenario } from '../page/packed.ts';

/** Packs the data of a scenario in the format of `packed.ts`. `zero` is the scenario's start. */
export function pack(scenario: PackedScenario, probes: readonly ProbeColumns[], zero: number): string {
  const json = Buffer.from(JSON.stringify(scenario));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const columns = probes.flatMap((probe) => columnsOf(probe, zero));
  return deflateRawSync(Buffer.concat([length, json, ...columns]), { level: 9 }).toString('base64');
}

function columnsOf(probe: ProbeColumns, zero: number): Uint8Array[] {
  const { count } = probe;
  // A second difference of two times within a day has at most six bytes.
  const times = new Uint8Array(count * 8);
  const latencies = new Uint8Array(count);
  const kinds = new Uint8Array(count);
  let length = 0;
  let before = 0;
  let gap = 0;
  for (let i = 0; i < count; i++) {
    const time = Math.round((probe.at(i) - zero) / 1e3);
    const change = time - before - gap;
    gap = time - before;
    before = time;
    let rest = change < 0 ? -2 * change - 1 : 2 * change;
    for (; rest >= 128; rest = Math.floor(rest / 128)) times[length++] = (rest % 128) + 128;
    times[length++] = rest;
    latencies[i] = latencyByte(probe.took(i) / 1e3);
    kinds[i] = probe.operation(i) | (Math.min(probe.resultIndex(i), largestResult) << 2);
  }
  return [times.subarray(0, length), latencies, kinds];
}

function latencyByte(micros: number): number {
  return Math.min(255, Math.round(Math.log2(Math.max(0, micros) + 1) * latencySteps));
}
