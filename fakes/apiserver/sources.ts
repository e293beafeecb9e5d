import { randomInt, randomUUID } from 'node:crypto';

/** Where the server takes time and chance from. */
export interface Sources {
  now(): Date;
  uid(): string;
  /** Five characters for `generateName`. */
  suffix(): string;
}

/** Letters and digits of which Kubernetes makes generated names: no vowels, nothing that looks like another. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

export const systemSources: Sources = {
  now: () => new Date(),
  uid: () => randomUUID(),
  suffix: () => Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join(''),
};

/** RFC 3339 with whole seconds, as metav1.Time. */
export const timestamp = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;
