declare module 'fuse-native' {
  const Fuse: import('./fuse-native.ts').FuseConstructor;
  export = Fuse;
}
