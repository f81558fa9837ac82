// Bytes that break a rule of the spec. `rule` is its number, such as "letter 3.8"; `what` is for
// people who mend programs. What a reader is told comes from page/texts, by the rule.

export class Refused extends Error {
  constructor(
    readonly rule: string,
    readonly what: string,
    readonly place?: number,
  ) {
    super(`${what} (${rule})`);
    this.name = 'Refused';
  }
}
