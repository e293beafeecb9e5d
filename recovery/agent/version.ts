/** As package.json has it; the CSI vendor version. */
export const version = '0.1.0';
