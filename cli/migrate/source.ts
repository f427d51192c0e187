// What another tool holds of one stack: its variables, and its compose file where the tool has it.

export interface StackSource {
  /** For messages: `Portainer`. */
  readonly name: string
  /** Values of `${VAR}`. They are in memory only. */
  readonly variables: ReadonlyMap<string, string>
  readonly composeFile?: string
}
