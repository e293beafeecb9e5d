/** A connection that lines go over for as long as it lasts. */
export interface Wire {
  /** Takes what has come, cut anywhere. Ignored once another wire has taken its place. */
  take(chunk: string): void;
}

/** How many lines of the other end's this end has. Not a line of the conversation itself. */
const receivedOf = (line: string): number | undefined => {
  const count = /^\{"received":(\d+)\}$/.exec(line)?.[1];
  return count === undefined ? undefined : Number(count);
};

/**
 * One end of a conversation of lines that outlives the connections it goes over: each line is kept until the other end has said
 * that it has it, and is sent again over the next connection otherwise. Lines have no numbers; both ends count them. Each arrives
 * once, in order.
 */
export class Conversation {
  readonly #onLine: (line: string) => void;
  /** Sent or to be sent, and not known to have arrived. */
  #kept: string[] = [];
  /** How many lines went before those that are kept. */
  #arrived = 0;
  #received = 0;
  #wire: { readonly write: (text: string) => void; synced: boolean } | undefined;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Goes on over another connection, once that has told what the other end has. */
  attach(write: (text: string) => void): Wire {
    const wire = { write, synced: false };
    this.#wire = wire;
    this.acknowledge();
    let rest = '';
    return {
      take: (chunk) => {
        const lines = (rest + chunk).split('\n');
        // What is not whole comes again, whole, over the next connection.
        rest = lines.pop() ?? '';
        for (const line of lines) if (this.#wire === wire) this.#take(line);
      },
    };
  }

  send(lines: readonly string[]): void {
    this.#kept.push(...lines);
    if (this.#wire?.synced) this.#wire.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** Lets the other end forget what has arrived, and shows it that somebody is there. */
  acknowledge(): void {
    this.#wire?.write(`{"received":${this.#received}}\n`);
  }

  #take(line: string): void {
    const arrived = receivedOf(line);
    if (arrived === undefined) {
      this.#received++;
      this.#onLine(line);
      return;
    }
    this.#kept = this.#kept.slice(arrived - this.#arrived);
    this.#arrived = arrived;
    if (!this.#wire || this.#wire.synced) return;
    this.#wire.synced = true;
    this.#wire.write(this.#kept.map((kept) => `${kept}\n`).join(''));
  }
}
