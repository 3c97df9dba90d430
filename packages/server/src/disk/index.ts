export { FileDisk, type FileDiskOptions } from './file-disk.ts';
export type { FileSystem, OpenFile } from './file-system.ts';
export type { Identity } from './identity.ts';
