/**
 * A member as a process of its own that kills itself at a point it is given: argv holds the member's configuration,
 * the point, and how many times that point is passed before. Only tests run it.
 */
import { type FileSystem, realFileSystem } from '../disk/file-system.ts';
import { startMember } from '../member/member.ts';
import { LmdbStorage, type LmdbStorageOptions, type MemberStorage } from './index.ts';

const [config = '', point = '', passes = '0'] = process.argv.slice(2);
let left = Number(passes);
/** A peer's snapshot is in its store; the log's next sync may be the one that names it. */
let filled = false;

function pass(name: string): void {
  if (name === point && left-- === 0) process.kill(process.pid, 'SIGKILL');
}

/** Every step of a store, before and after. */
function storageOf(options: LmdbStorageOptions): MemberStorage {
  const steps = new Map<number, string>();
  const inner = new LmdbStorage({
    ...options,
    deliver: (token, result) => {
      const step = steps.get(token);
      pass(`${step} done`);
      if (step === 'fill') filled = true;
      options.deliver(token, result);
    },
  });
  let mounted = '';
  return {
    usage: () => inner.usage(),
    open: (token, name) => {
      mounted = name;
      steps.set(token, 'open');
      inner.open(token, name);
    },
    create: (token, name) => {
      pass('create');
      steps.set(token, 'create');
      inner.create(token, name);
    },
    engine: (name) => {
      const engine = inner.engine(name);
      return {
        tree: (tree) => engine.tree(tree),
        record: engine.record,
        sizeBytes: engine.sizeBytes,
        settle: (outcome) => engine.settle(outcome),
        commit: (token, transaction) => {
          const step = name === mounted ? 'checkpoint' : 'fill';
          steps.set(token, step);
          engine.commit(token, transaction);
          pass(step);
        },
      };
    },
    keepOnly: (name) => {
      pass('remove stores');
      mounted = name;
      filled = false;
      inner.keepOnly(name);
      setTimeout(() => pass('remove stores soon'), 1);
    },
    close: () => inner.close(),
  };
}

/** Segments of the log that are made and removed, and syncs. */
const fileSystem: FileSystem = {
  ...realFileSystem,
  open: async (path, mode) => {
    const file = await realFileSystem.open(path, mode);
    if (mode === 'append' && path.includes('log-')) pass('open segment');
    return {
      write: (...write) => file.write(...write),
      read: (...read) => file.read(...read),
      datasync: async () => {
        pass('sync');
        if (filled) pass('name');
        await file.datasync();
        pass('sync done');
        if (filled) pass('name done');
      },
      sync: () => file.sync(),
      stat: () => file.stat(),
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
    };
  },
  unlink: async (path) => {
    if (path.includes('log-')) pass('remove segment');
    await realFileSystem.unlink(path);
    if (path.includes('log-')) pass('remove segment done');
  },
};

const member = await startMember(JSON.parse(config), {
  fileSystem,
  createStorage: storageOf,
  sizes: {
    snapshotEntries: 20,
    trailingEntries: 5,
    segmentBytes: 4_096,
    checkpoints: { checkpointUs: 5_000 },
  },
});
console.log(`started ${member.clientUrl}`);
