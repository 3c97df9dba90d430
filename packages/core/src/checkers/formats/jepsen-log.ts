import { malformed } from '../history.ts';
import { EdnError, EdnReader, jsonOf } from './edn.ts';
import { EventCollector, typeNamed } from './events.ts';
import { type RecordedHistory, recorded } from './recorded.ts';

/** `INFO  jepsen.util - 0<tab>:invoke<tab>:cas<tab>[0 1]`, with whatever the logger puts before the process. */
const OPERATION = /(?:^|\s)(:?[\w-]+)\s+:(invoke|ok|fail|info)\s+:([^\s]+)\s+(.*)$/;

/**
 * The operations in a log of Jepsen; other lines are passed over. Throws `MalformedHistory` with the line when a value
 * cannot be read, and when the log holds no operation at all.
 */
export function parseJepsenLog(text: string): RecordedHistory {
  const collector = new EventCollector();
  for (const [i, line] of text.split('\n').entries()) {
    const [, process = '', type = '', f = '', rest = ''] = OPERATION.exec(line.trimEnd()) ?? [];
    if (!/^\d+$/.test(process)) continue;
    const known = typeNamed(type);
    if (known === undefined) continue;
    collector.add({ process: Number(process), type: known, f, key: '', value: valueOf(rest, i + 1) }, i + 1);
  }
  if (collector.events.length > 0) return recorded(collector.events, collector.lines);
  const advice = 'name the format if it is another, or write lines such as "0 :invoke :read nil"';
  throw malformed('the file', `holds no operation as Jepsen logs them: ${advice}`);
}

/** What follows the value, such as an error, is not read. */
function valueOf(rest: string, line: number): unknown {
  try {
    return jsonOf(new EdnReader(rest).next());
  } catch (error) {
    if (error instanceof EdnError)
      throw malformed(`line ${line}`, `has a value that cannot be read: it ${error.message}`);
    throw error;
  }
}
