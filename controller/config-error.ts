// How reading of the controller's flags and environment ends early.

/** All faults of a start; the program prints them and exits with 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

/** `--help` was given; `text` is the help. */
export class HelpAsked extends Error {
  override readonly name = 'HelpAsked'
}
