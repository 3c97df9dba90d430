/** Run as a process of its own by the tests: opens the directory it is given and holds it until killed. */
import { FileDisk } from './file-disk.ts';

try {
  const disk = await FileDisk.open(process.argv[2] ?? '', { cluster: 'test', member: 'a' });
  console.log(`held ${disk.identity.directory}`);
  setInterval(() => {}, 1_000);
} catch (error) {
  console.log(`refused ${String(error)}`);
}
