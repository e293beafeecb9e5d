/**
 * What a report carries for its script, one packed block for each scenario: a JSON part (`PackedScenario`) and the probes'
 * operations as columns of bytes. Shared by who packs (`reports/html/pack.ts`) and who unpacks (`unpack.ts`).
 *
 * Block: base64 of raw deflate of `<u32 length of the JSON><JSON in UTF-8><columns of each probe>`; all numbers little-endian.
 * Columns of a probe with n operations: n second differences of the due time as zigzag varints, n bytes of latency, n bytes of
 * operation and result (`operation | result << 2`, results beyond 62 as 63).
 */

/** Whole microseconds since the scenario began. */
export type Micros = number;

export type Look = 'ok' | 'bad' | 'warn' | 'odd' | 'wrong' | 'calm' | 'plain';

export type Shape =
  | 'dot'
  | 'circle'
  | 'ring'
  | 'square'
  | 'box'
  | 'diamond'
  | 'up'
  | 'down'
  | 'cross'
  | 'plus'
  | 'hexagon'
  | 'bar'
  | 'bolt';

export interface Span {
  readonly from: Micros;
  readonly to: Micros;
  /** `thin`: as it should be. `thick`: look here. `dashed`: nothing there. */
  readonly weight: 'thin' | 'thick' | 'dashed';
  readonly look: Look;
  readonly title: string;
  /** Words beside the span, where there is room. */
  readonly label?: string;
  /** Line of the lane, from 0: where spans overlap. */
  readonly row?: number;
}

export interface Mark {
  readonly at: Micros;
  readonly shape: Shape;
  readonly look: Look;
  readonly title: string;
  readonly label?: string;
}

export interface Lane {
  readonly name: string;
  readonly spans: readonly Span[];
  readonly marks: readonly Mark[];
}

/** A stretch of time that is shaded across all lanes. */
export interface Window {
  readonly from: Micros;
  readonly to: Micros;
  readonly kind: 'outage' | 'fault';
  readonly says: string;
}

export interface PackedProbe {
  readonly name: string;
  readonly count: number;
  readonly results: readonly {
    readonly name: string;
    readonly shape: Shape;
    readonly look: Look;
    readonly count: number;
  }[];
  /** Operations that did not come back while anybody looked, or very late. */
  readonly hangs: readonly Span[];
}

/** Something that happened, and what was true at that instant. */
export interface PackedEvent {
  readonly at: Micros;
  /** Since the last fault before it. */
  readonly after?: Micros;
  readonly who: string;
  readonly says: string;
  readonly shape: Shape;
  readonly look: Look;
  readonly truth: string;
  /** It says that all is well, and it is not. */
  readonly contradicted?: true;
}

export interface PackedLine {
  readonly at: Micros;
  readonly program: string;
  readonly text: string;
  readonly error?: true;
}

export interface PackedTable {
  readonly where: string;
  /** `before`, `during`, `after`, with the time in words. */
  readonly title: string;
  /** Sign, and the line of the mount table; `''` as sign for a line that stayed. */
  readonly lines: readonly (readonly ['' | '+' | '−', string])[];
  /** Lines that stayed and are not of FUSE volumes: not shown. */
  readonly others: number;
}

export interface PackedScenario {
  readonly from: Micros;
  readonly to: Micros;
  /** Where to look closer. */
  readonly closeUps: readonly { readonly from: Micros; readonly to: Micros; readonly name: string }[];
  readonly faults: readonly { readonly at: Micros; readonly name: string; readonly title: string }[];
  readonly windows: readonly Window[];
  readonly probes: readonly PackedProbe[];
  readonly lanes: readonly Lane[];
  readonly events: readonly PackedEvent[];
  readonly output: readonly PackedLine[];
  readonly tables: readonly PackedTable[];
  /** Lists that were cut, and by how many. */
  readonly left: { readonly events: number; readonly output: number };
}

/** Eight steps to the doubling: 9 % of the latency. 255 is 2^32 µs. */
export const latencySteps = 8;

export const largestResult = 63;
