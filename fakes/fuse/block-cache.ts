/** Blocks of objects, no more than so many bytes together; the block used longest ago goes first. */
export class BlockCache {
  readonly #maxBytes: number;
  readonly #blocks = new Map<string, Buffer>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  get(id: string): Buffer | undefined {
    const block = this.#blocks.get(id);
    if (block === undefined) return undefined;
    this.#blocks.delete(id);
    this.#blocks.set(id, block);
    return block;
  }

  set(id: string, block: Buffer): void {
    this.#drop(id);
    this.#blocks.set(id, block);
    this.#bytes += block.byteLength;
    for (const oldest of this.#blocks.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#drop(oldest);
    }
  }

  #drop(id: string): void {
    this.#bytes -= this.#blocks.get(id)?.byteLength ?? 0;
    this.#blocks.delete(id);
  }
}
