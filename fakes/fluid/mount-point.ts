/** Where the data is: bucket and directory, never the endpoint (seed claim D5). */
export interface MountPoint {
  readonly bucket: string;
  /** Without slashes at its ends; empty for the whole bucket. */
  readonly prefix: string;
}

const bucketName = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
const control = /\p{Cc}/u;

/** Reads `oss://bucket/directory` (or `s3://`); a string is the sentence that says what is wrong. */
export function parseMountPoint(text: string): MountPoint | string {
  const [, bucket = '', directory = ''] = /^(?:oss|s3):\/\/([^/]*)(?:\/(.*))?$/s.exec(text) ?? [];
  if (!/^(oss|s3):\/\//.test(text)) return 'must be oss://<bucket>/<directory>';
  if (/[.:@]/.test(bucket)) {
    return 'must hold bucket and directory only: the endpoint belongs in the option fs.oss.endpoint';
  }
  if (!bucketName.test(bucket)) {
    return 'must begin with the name of a bucket: 3 to 63 lower case letters, digits and hyphens';
  }
  const parts = directory.split('/').filter((part) => part !== '');
  if (control.test(directory) || parts.includes('.') || parts.includes('..')) {
    return 'must hold a plain directory, without control characters, . and ..';
  }
  return { bucket, prefix: parts.join('/') };
}

/** An endpoint is a host with or without scheme and port; a string is the sentence that says what is wrong. */
export function checkEndpoint(text: string): string | undefined {
  const url = text.includes('://') ? text : `http://${text}`;
  const good = URL.canParse(url) && /^https?:\/\/[^/?#@\s]+\/?$/.test(url) && !control.test(text);
  return good
    ? undefined
    : 'must be the endpoint of the object store, such as oss-cn-hangzhou.aliyuncs.com or http://host:9000';
}
