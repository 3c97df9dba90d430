import { open } from 'node:fs/promises';
import { PolderError, SnapshotOpener } from '@polder/core';
import { KvSnapshotInspector, type KvSnapshotSummary } from '@polder/core/kv';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';
import { formatTable } from '../terminal.ts';

const PIECE_BYTES = 1024 * 1024;

export interface SnapshotSummary extends Omit<KvSnapshotSummary, 'appliedIndex'> {
  readonly file: string;
  /** Of the log's last entry in it. */
  readonly index: number;
  readonly term: number;
  readonly fileBytes: number;
}

/** Reads all of it, a piece at a time. */
export async function inspectSnapshot(file: string): Promise<SnapshotSummary> {
  const inspector = new KvSnapshotInspector();
  const opener = new SnapshotOpener(inspector);
  let fileBytes = 0;
  try {
    const handle = await open(file);
    try {
      for (;;) {
        const { buffer, bytesRead } = await handle.read(new Uint8Array(PIECE_BYTES), 0, PIECE_BYTES, null);
        if (bytesRead === 0) break;
        fileBytes += bytesRead;
        opener.write(buffer.subarray(0, bytesRead));
      }
    } finally {
      await handle.close();
    }
    opener.end();
  } catch (error) {
    if (error instanceof PolderError || (error as NodeJS.ErrnoException).code !== undefined) {
      throw new CommandError(ExitCode.failure, `${file}: ${messageOf(error)}`, { cause: error });
    }
    throw error;
  }
  const { index = 0, term = 0 } = opener.name ?? {};
  const { appliedIndex: _, ...summary } = inspector.summary();
  return { file, index, term, ...summary, fileBytes };
}

export function summaryTable(summary: SnapshotSummary): string {
  const { index, term, revision, compactRevision, keys, pastVersions, sizeBytes, fileBytes } = summary;
  return formatTable(
    ['REVISION', 'KEYS', 'PAST VERSIONS', 'COMPACTED', 'DATA BYTES', 'FILE BYTES', 'INDEX', 'TERM', 'CHECKSUM'],
    [[revision, keys, pastVersions, compactRevision, sizeBytes, fileBytes, index, term, 'holds'].map(String)],
  );
}
