/**
 * The folder of the image that holds the node program's bundle, as `bundleNodeProgram` writes it. koffi is not in the bundle: an
 * image needs `koffi` and `@koromix/koffi-linux-x64` in a node_modules above (`/rekindle/node_modules`).
 */
export const bundleInImage = '/rekindle/node-program';
