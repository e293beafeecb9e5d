/** One connection of a conversation. */
export interface Connection {
  /** Takes received text, in chunks of any size. Ignored once another connection has replaced this one. */
  receive(chunk: string): void;
}

/** Reads the number of received lines from an acknowledgement. Acknowledgements are not lines of the conversation. */
const parseAcknowledgement = (line: string): number | undefined => {
  const count = /^\{"received":(\d+)\}$/.exec(line)?.[1];
  return count === undefined ? undefined : Number(count);
};

/**
 * One end of a conversation in lines that survives broken connections. Each end keeps a line until the other end acknowledges it,
 * and resends it over the next connection. Both ends count lines, so lines carry no numbers. Each line arrives once, in order.
 */
export class Conversation {
  readonly #onLine: (line: string) => void;
  /** Lines that the other end has not acknowledged. */
  #unacknowledged: string[] = [];
  #acknowledgedCount = 0;
  #receivedCount = 0;
  #connection: { readonly write: (text: string) => void; synced: boolean } | undefined;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Replaces the connection. Lines are sent once the other end has acknowledged what it has. */
  attach(write: (text: string) => void): Connection {
    const connection = { write, synced: false };
    this.#connection = connection;
    this.acknowledge();
    let rest = '';
    return {
      receive: (chunk) => {
        const lines = (rest + chunk).split('\n');
        // A partial line is sent again, whole, over the next connection.
        rest = lines.pop() ?? '';
        for (const line of lines) if (this.#connection === connection) this.#receive(line);
      },
    };
  }

  send(lines: readonly string[]): void {
    this.#unacknowledged.push(...lines);
    if (this.#connection?.synced) this.#connection.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** Allows the other end to drop lines, and shows it that this end is alive. */
  acknowledge(): void {
    this.#connection?.write(`{"received":${this.#receivedCount}}\n`);
  }

  #receive(line: string): void {
    const acknowledged = parseAcknowledgement(line);
    if (acknowledged === undefined) {
      this.#receivedCount++;
      this.#onLine(line);
      return;
    }
    this.#unacknowledged = this.#unacknowledged.slice(acknowledged - this.#acknowledgedCount);
    this.#acknowledgedCount = acknowledged;
    if (!this.#connection || this.#connection.synced) return;
    this.#connection.synced = true;
    this.#connection.write(this.#unacknowledged.map((line) => `${line}\n`).join(''));
  }
}
