import { basename } from 'node:path';
import type { FileSystem, OpenFile } from '../disk/file-system.ts';
import { DISK_SECONDS, Histogram } from './histogram.ts';

/** The log's segments, by their names' end. */
const LOG = /\.wal$/;

/** Times what the log asks of the disk. */
export class DiskMeter {
  readonly logSyncSeconds = new Histogram(DISK_SECONDS);
  logBytesWritten = 0;
  readonly #nowUs: () => number;

  constructor(nowUs: () => number) {
    this.#nowUs = nowUs;
  }

  /** The same file system, watched. */
  measured(fileSystem: FileSystem): FileSystem {
    return {
      ...fileSystem,
      open: async (path, mode) => {
        const file = await fileSystem.open(path, mode);
        return LOG.test(basename(path)) ? this.#measuredFile(file) : file;
      },
    };
  }

  #measuredFile(file: OpenFile): OpenFile {
    return {
      write: async (bytes, offset, length) => {
        const written = await file.write(bytes, offset, length);
        this.logBytesWritten += written.bytesWritten;
        return written;
      },
      datasync: async () => {
        const startUs = this.#nowUs();
        await file.datasync();
        this.logSyncSeconds.observe((this.#nowUs() - startUs) / 1e6);
      },
      read: (bytes, offset, length, position) => file.read(bytes, offset, length, position),
      sync: () => file.sync(),
      stat: () => file.stat(),
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
    };
  }
}
