/** The HTTP parser of Node, llhttp, as WebAssembly. */
declare const wasm: Uint8Array<ArrayBuffer>;
export default wasm;
