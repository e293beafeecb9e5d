import packageJson from '../../package.json' with { type: 'json' };

/** The version of Rekindle, which is also the CSI vendor version. */
export const { version } = packageJson;
