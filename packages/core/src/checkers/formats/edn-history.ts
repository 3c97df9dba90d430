import { malformed } from '../history.ts';
import { type Edn, EdnError, type EdnMap, EdnReader, entry, isMap, isSequence, jsonOf } from './edn.ts';
import { EventCollector, typeNamed } from './events.ts';
import { type RecordedHistory, recorded } from './recorded.ts';

/**
 * A history as Jepsen and Knossos write it: a vector of maps, or one map after another, each with at least `:process
 * :type :f :value`; `:key` and `:time` may stand there, `:index` is not needed. What is not a client's, such as
 * `:process :nemesis`, is left out. Throws `MalformedHistory` with the line.
 */
export function parseEdnHistory(text: string): RecordedHistory {
  const reader = new EdnReader(text);
  const collector = new EventCollector();
  try {
    while (!reader.ended) {
      const form = reader.next();
      const line = reader.line;
      if (isSequence(form)) for (const item of form.items) addForm(item, line, collector);
      else addForm(form, line, collector);
    }
  } catch (error) {
    if (error instanceof EdnError) throw malformed(`line ${error.line}`, `${error.message}: write a vector of maps`);
    throw error;
  }
  return recorded(collector.events, collector.lines);
}

function addForm(form: Edn, line: number, collector: EventCollector): void {
  if (!isMap(form))
    throw malformed(`line ${line}`, 'is not a map: write {:process 0, :type :invoke, :f :read, :value nil}');
  const where = `line ${form.line}`;
  const process = required(form, 'process', where);
  if (typeof process !== 'number') return skipUnlessKeyword(process, where);
  const type = typeNamed(wordOf(required(form, 'type', where)) ?? '');
  if (type === undefined) throw malformed(where, 'has an unknown :type: use one of :invoke, :ok, :fail, :info');
  const f = wordOf(required(form, 'f', where));
  if (f === null) throw malformed(where, 'has no :f: write what the operation does, such as :read');
  const key = entry(form, 'key');
  const time = entry(form, 'time');
  const event = {
    process,
    type,
    f,
    key: key === undefined ? '' : keyOf(key),
    value: jsonOf(entry(form, 'value') ?? null),
  };
  collector.add(typeof time === 'number' ? { ...event, time } : event, form.line);
}

function skipUnlessKeyword(process: Edn, where: string): void {
  // Jepsen's own :nemesis is no client; it breaks things.
  if (wordOf(process) === null) throw malformed(where, 'has no :process: give each client a non-negative integer');
}

function required(form: EdnMap, keyword: string, where: string): Edn {
  const value = entry(form, keyword);
  if (value === undefined) throw malformed(where, `has no :${keyword}: write {:process :type :f :value}`);
  return value;
}

/** Of a keyword, or of a string used like one. */
function wordOf(value: Edn): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  return typeof value === 'object' && value !== null && 'keyword' in value ? value.keyword : null;
}

function keyOf(key: Edn): string {
  const json = jsonOf(key);
  return typeof json === 'string' ? json : JSON.stringify(json);
}
