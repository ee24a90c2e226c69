/** AssemblyScript compiled by `.config/assembly.js`: WebAssembly binaries in base64, by what they make use of. */
declare module '*?assembly' {
  const binaries: Readonly<Record<'plain' | 'relaxed' | 'shared' | 'sharedRelaxed', string>>;
  export default binaries;
}
