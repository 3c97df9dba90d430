import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { generalRaft } from '../raft/general.ts';

it('D2: a fresh process gives the same hashes for the same seed', () => {
  const entry = fileURLToPath(new URL('../index.ts', import.meta.url));
  const program = `
    import { generalRaft } from ${JSON.stringify(entry)};
    process.stdout.write(generalRaft().record(12).hashes.join(' '));
  `;
  const flags = ['--disable-warning=ExperimentalWarning', '--experimental-strip-types', '--input-type=module', '-e'];
  const child = spawnSync(process.execPath, [...flags, program], { encoding: 'utf8' });
  expect(child.stderr).toBe('');
  expect(child.stdout).toBe(generalRaft().record(12).hashes.join(' '));
});
