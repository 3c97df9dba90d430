import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Tests import the sources, never `dist`: a stale build cannot make a test pass. */
const alias = [
  { find: /^@polder\/core$/, replacement: source('packages/core/src/index.ts') },
  {
    find: /^@polder\/core\/(checkers|clocks|explore|kv|registers|simulation)$/,
    replacement: source('packages/core/src/$1/index.ts'),
  },
  { find: /^@polder\/resilience$/, replacement: source('packages/resilience/src/index.ts') },
  { find: /^@polder\/resilience\/(fleet|testing)$/, replacement: source('packages/resilience/src/$1/index.ts') },
  { find: /^@polder\/server$/, replacement: source('packages/server/src/index.ts') },
];

const exclude = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias },
        // Pure code has no module-level state to leak (PITFALLS D2), so one worker may run file after file.
        test: {
          name: 'core',
          include: ['packages/core/src/**/*.test.ts'],
          exclude,
          pool: 'threads',
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'resilience',
          include: ['packages/resilience/src/**/*.test.ts'],
          exclude,
          pool: 'threads',
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'server',
          include: ['packages/server/src/**/*.test.ts', 'packages/cli/src/**/*.test.ts'],
          exclude,
          pool: 'forks',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'examples',
          include: ['examples/**/*.test.ts'],
          exclude,
          pool: 'threads',
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'tidy',
          include: ['test/*.test.ts', 'test/models/*.test.ts'],
          exclude,
          pool: 'threads',
          isolate: false,
        },
      },
      {
        resolve: { alias },
        test: { name: 'page', include: ['test/page/*.test.ts'], exclude, pool: 'forks', testTimeout: 60_000 },
      },
      {
        resolve: { alias },
        test: {
          name: 'chromium',
          include: ['test/chromium/**/*.test.ts'],
          exclude,
          pool: 'forks',
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
