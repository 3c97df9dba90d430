/**
 * The part of EDN (extensible data notation) in which Jepsen writes histories: nil, booleans, numbers, strings,
 * characters, keywords, symbols, lists, vectors, sets, maps, comments, discards and tags. Tags are dropped: `#inst "x"`
 * and a record such as `#jepsen.history.Op{...}` are read as what follows the tag.
 */
export interface EdnKeyword {
  readonly keyword: string;
}

/** A map whose keys are told apart by what they are: see `entry`. */
export interface EdnMap {
  readonly entries: readonly (readonly [Edn, Edn])[];
  /** Where it begins. */
  readonly line: number;
}

export interface EdnSequence {
  readonly items: readonly Edn[];
  readonly set: boolean;
}

export type Edn = null | boolean | number | string | EdnKeyword | EdnMap | EdnSequence;

/** What is wrong, and on which line. */
export class EdnError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

/** Deeper nesting than any history has; a hostile text must not exhaust the stack. */
const MAX_DEPTH = 200;
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
const CHARACTERS: Readonly<Record<string, string>> = { newline: '\n', return: '\r', space: ' ', tab: '\t' };
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', '"': '"', '\\': '\\' };

export class EdnReader {
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  /** The line of what comes next. */
  get line(): number {
    return this.#line;
  }

  /** Whether nothing follows but space and comments. */
  get ended(): boolean {
    this.#skip(0);
    return this.#at >= this.#text.length;
  }

  next(depth = 0): Edn {
    if (depth > MAX_DEPTH) throw new EdnError(this.#line, `is nested more than ${MAX_DEPTH} deep`);
    this.#skip(depth);
    const character = this.#text[this.#at];
    if (character === undefined) throw new EdnError(this.#line, 'ends in the middle: something is not closed');
    switch (character) {
      case '(':
      case '[':
        return { items: this.#items(CLOSING[character] as string, depth), set: false };
      case '{':
        return this.#map(depth);
      case '"':
        return this.#string();
      case '\\':
        return this.#character();
      case '#':
        return this.#dispatch(depth);
      case ')':
      case ']':
      case '}':
        throw new EdnError(this.#line, `has a "${character}" that closes nothing`);
      default:
        return this.#atom();
    }
  }

  /** Space, commas, comments and discarded forms. */
  #skip(depth: number): void {
    for (;;) {
      const character = this.#text[this.#at];
      if (character === '\n') {
        this.#line++;
        this.#at++;
      } else if (character === ' ' || character === ',' || character === '\t' || character === '\r') {
        this.#at++;
      } else if (character === ';') {
        const end = this.#text.indexOf('\n', this.#at);
        this.#at = end < 0 ? this.#text.length : end;
      } else if (character === '#' && this.#text[this.#at + 1] === '_') {
        this.#at += 2;
        this.next(depth + 1);
      } else {
        return;
      }
    }
  }

  #items(closing: string, depth: number): Edn[] {
    this.#at++;
    const items: Edn[] = [];
    for (;;) {
      this.#skip(depth);
      if (this.#text[this.#at] === closing) {
        this.#at++;
        return items;
      }
      items.push(this.next(depth + 1));
    }
  }

  #map(depth: number): EdnMap {
    const line = this.#line;
    const items = this.#items('}', depth);
    if (items.length % 2 !== 0) throw new EdnError(line, 'has a map with a key and no value');
    const entries: [Edn, Edn][] = [];
    for (let i = 0; i < items.length; i += 2) entries.push([items[i] as Edn, items[i + 1] as Edn]);
    return { entries, line };
  }

  #dispatch(depth: number): Edn {
    this.#at++;
    if (this.#text[this.#at] === '{') return { items: this.#items('}', depth), set: true };
    const tag = this.#token();
    if (tag === '') throw new EdnError(this.#line, 'has a "#" with nothing to read after it');
    return this.next(depth + 1);
  }

  #string(): string {
    let value = '';
    for (this.#at++; ; this.#at++) {
      const character = this.#text[this.#at];
      if (character === undefined) throw new EdnError(this.#line, 'has a string that is not closed');
      if (character === '"') break;
      if (character === '\n') this.#line++;
      if (character !== '\\') {
        value += character;
        continue;
      }
      const escape = this.#text[++this.#at] ?? '';
      const code =
        escape === 'u' ? /^[0-9a-fA-F]{4}/.exec(this.#text.slice(this.#at + 1, this.#at + 5))?.[0] : undefined;
      const meant = code === undefined ? ESCAPES[escape] : String.fromCharCode(Number.parseInt(code, 16));
      if (meant === undefined) throw new EdnError(this.#line, `has a string with the unknown escape "\\${escape}"`);
      if (code !== undefined) this.#at += 4;
      value += meant;
    }
    this.#at++;
    return value;
  }

  #character(): string {
    this.#at++;
    const first = this.#text[this.#at] ?? '';
    this.#at++;
    const name = first + this.#token();
    return CHARACTERS[name] ?? name;
  }

  /** Up to the next character that ends a symbol. */
  #token(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !/[\s,()[\]{}";]/.test(this.#text[this.#at] as string)) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  #atom(): Edn {
    const token = this.#token();
    if (token.startsWith(':')) return { keyword: token.slice(1) };
    if (token === 'nil') return null;
    if (token === 'true' || token === 'false') return token === 'true';
    if (/^[+-]?\d+N?$/.test(token)) {
      const value = Number(token.replace('N', ''));
      // Beyond 2^53 different integers would become the same number; as text they stay apart.
      return Number.isSafeInteger(value) ? value : token;
    }
    if (/^[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?M?$/.test(token)) return Number(token.replace('M', ''));
    return token;
  }
}

export function isMap(value: Edn): value is EdnMap {
  return typeof value === 'object' && value !== null && 'entries' in value;
}

export function isSequence(value: Edn): value is EdnSequence {
  return typeof value === 'object' && value !== null && 'items' in value;
}

/** The value of a keyword in a map; undefined when it has none. */
export function entry(map: EdnMap, keyword: string): Edn | undefined {
  for (const [key, value] of map.entries) {
    if (typeof key === 'object' && key !== null && 'keyword' in key && key.keyword === keyword) return value;
  }
  return undefined;
}

/** As JSON: sequences and sets become lists, keywords ":name", maps objects by the text of their keys. */
export function jsonOf(value: Edn): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if ('keyword' in value) return `:${value.keyword}`;
  if ('items' in value) return value.items.map(jsonOf);
  const members = value.entries.map(([key, member]) => [keyText(key), jsonOf(member)] as const);
  return Object.fromEntries(members);
}

function keyText(key: Edn): string {
  const json = jsonOf(key);
  return typeof json === 'string' ? json : JSON.stringify(json);
}
