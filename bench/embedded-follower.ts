/** A member that does not want to lead: argv holds its options. Ends with its standard input. */
import { type EmbeddedKind, startEmbedded } from './embedded-member.ts';

const [kind = 'store', options = '{}', leader = ''] = process.argv.slice(2);
const member = await startEmbedded(kind as EmbeddedKind, JSON.parse(options));
member.events.on('role', ({ role }) => {
  if (role === 'leader') void member.transferLeadership(leader).catch(() => undefined);
});
process.stdin.once('end', () => void member.close({ handOver: false }));
process.stdin.resume();
