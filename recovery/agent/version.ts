import packageJson from '../../package.json' with { type: 'json' };

/** Of all of Rekindle; the CSI vendor version, too. */
export const { version } = packageJson;
