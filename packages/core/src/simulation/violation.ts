/** A broken promise: which rule, in what way, and when. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly rule: string;
  /** What happened, for a person, without the rule's name. */
  readonly sentence: string;
  readonly atUs: number;

  constructor(rule: string, sentence: string, atUs: number, cause?: unknown) {
    super(`${rule}: ${sentence}`, { cause });
    this.rule = rule;
    this.sentence = sentence;
    this.atUs = atUs;
  }
}
