/** What an image would run; images themselves are not pulled, the machine's own programs serve. */
export interface Images {
  /** The command of an image without one in the pod's spec; `args` of the spec are appended. */
  entrypoint(image: string): readonly string[];
}

/** Runs until SIGTERM, as a web server without requests does. */
const idle = ['/bin/sh', '-c', 'trap "exit 0" TERM; while :; do sleep 3600 & wait $!; done'];

/** `known` maps the names before the tag to a command; every other image idles. */
export function createImages(known: Readonly<Record<string, readonly string[]>>): Images {
  return { entrypoint: (image) => known[image.replace(/(@sha256:.*|:[^/:]*)$/, '')] ?? idle };
}
