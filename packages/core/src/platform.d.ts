// The little of the platform that pure code uses, the same in Node, browsers and workers. Nothing here
// reads a clock, draws a random number or waits.
declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(bytes: Uint8Array): string;
}
