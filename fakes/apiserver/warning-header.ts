/** Longest header in all; where it is longer, each text is cut (apiserver, `warning` filter). */
const limits = { all: 4096, each: 256 };

/** Values of `Warning` headers (RFC 7234, 5.5), each text once. Texts in UTF-8, byte by byte, as Go writes them. */
export function warningHeaders(texts: readonly string[]): readonly string[] {
  const unique = [...new Set(texts.map((text) => text.replaceAll(/\p{Cc}/gu, ' ')))];
  const tooLong = unique.join('').length > limits.all;
  return unique
    .map((text) => (tooLong && text.length > limits.each ? text.slice(0, limits.each) : text))
    .map((text) => `299 - "${text.replaceAll(/["\\]/g, '\\$&')}"`)
    .map((value) => Buffer.from(value).toString('latin1'));
}
