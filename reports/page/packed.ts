/**
 * The data for the page's script, one packed block for each scenario: a JSON part (`PackedScenario`) and the probes' operations as
 * columns of bytes. Shared by `reports/html/pack.ts` and `unpack.ts`.
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
  /** `thin`: normal. `thick`: notable. `dashed`: absent. */
  readonly weight: 'thin' | 'thick' | 'dashed';
  readonly look: Look;
  readonly title: string;
  /** A label that is drawn if there is room. */
  readonly label?: string;
  /** Row in the lane, from 0, if spans overlap. */
  readonly row?: number;
}

export interface Mark {
  readonly at: Micros;
  readonly shape: Shape;
  readonly look: Look;
  readonly title: string;
  readonly label?: string;
}

export interface PackedLane {
  readonly name: string;
  readonly spans: readonly Span[];
  readonly marks: readonly Mark[];
}

/** A period that is shaded across all lanes. */
export interface PackedWindow {
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
  /** Operations that did not return, or returned very late. */
  readonly hangs: readonly Span[];
}

/** An event with the state at that instant. */
export interface PackedEvent {
  readonly at: Micros;
  /** Time since the last fault. */
  readonly after?: Micros;
  readonly who: string;
  readonly says: string;
  readonly shape: Shape;
  readonly look: Look;
  readonly truth: string;
  /** The event claims success, but the pod could not read. */
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
  /** Sign and line of the mount table. An unchanged line has the sign `''`. */
  readonly lines: readonly (readonly ['' | '+' | '−', string])[];
  /** Number of omitted lines: unchanged ones that are not about volumes. */
  readonly others: number;
}

export interface PackedScenario {
  readonly from: Micros;
  readonly to: Micros;
  /** Predefined views. */
  readonly closeUps: readonly { readonly from: Micros; readonly to: Micros; readonly name: string }[];
  readonly faults: readonly { readonly at: Micros; readonly name: string; readonly title: string }[];
  readonly windows: readonly PackedWindow[];
  readonly probes: readonly PackedProbe[];
  readonly lanes: readonly PackedLane[];
  readonly events: readonly PackedEvent[];
  readonly output: readonly PackedLine[];
  readonly tables: readonly PackedTable[];
  /** Number of entries omitted from the lists. */
  readonly left: { readonly events: number; readonly output: number };
}

/** Steps per doubling of the latency, so a step is 9 %. 255 stands for 2^32 µs. */
export const latencySteps = 8;

export const largestResult = 63;
