import { latencySteps, type PackedProbe, type PackedScenario } from './packed.ts';

/** A probe's operations. */
export interface ProbeSeries extends PackedProbe {
  /** Scheduled times, in microseconds since the scenario began. */
  readonly at: Float64Array;
  /** Durations from the scheduled time, in microseconds. */
  readonly took: Float32Array;
  /** Indexes into `results`. */
  readonly result: Uint8Array;
  /** 0 list, 1 stat, 2 read. */
  readonly operation: Uint8Array;
}

export interface Unpacked {
  readonly scenario: PackedScenario;
  readonly probes: readonly ProbeSeries[];
}

/** Reads an inflated block. */
export function unpack(bytes: Uint8Array): Unpacked {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const scenario: PackedScenario = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let offset = 4 + length;
  const probes = scenario.probes.map((probe): ProbeSeries => {
    const at = new Float64Array(probe.count);
    let time = 0;
    let gap = 0;
    for (let i = 0; i < probe.count; i++) {
      let value = 0;
      let factor = 1;
      for (let byte = 128; byte >= 128; factor *= 128) {
        byte = bytes[offset++] ?? 0;
        value += (byte & 127) * factor;
      }
      gap += value % 2 === 1 ? -(value + 1) / 2 : value / 2;
      time += gap;
      at[i] = time;
    }
    const took = Float32Array.from(bytes.subarray(offset, offset + probe.count), latencyOf);
    offset += probe.count;
    const kinds = bytes.subarray(offset, offset + probe.count);
    offset += probe.count;
    return { ...probe, at, took, result: kinds.map((kind) => kind >> 2), operation: kinds.map((kind) => kind & 3) };
  });
  return { scenario, probes };
}

/** Microseconds of a latency byte. */
export function latencyOf(byte: number): number {
  return 2 ** (byte / latencySteps) - 1;
}
