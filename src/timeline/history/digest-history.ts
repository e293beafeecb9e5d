import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { Digest } from '../digest.ts';
import { createHistoryReader } from '../parse.ts';

const pieceBytes = 1 << 20;

/**
 * Reads a history file for the reports. It is never in memory whole: a million operations are 250 MB on disk.
 * @throws UnreadableRun where a line is wrong or the last one was cut.
 */
export function digestHistory(path: string): Digest {
  const digest = new Digest();
  const reader = createHistoryReader((event) => digest.take(event));
  const decoder = new StringDecoder('utf8');
  const piece = Buffer.allocUnsafe(pieceBytes);
  const file = openSync(path, 'r');
  try {
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) {
      reader.take(decoder.write(piece.subarray(0, read)));
    }
    reader.take(decoder.end());
    reader.end();
    return digest;
  } finally {
    closeSync(file);
  }
}
