/** A command as the shell completes it. */
export interface CompletedCommand {
  /** Of a word after `stagely`: the first sentence of its help. */
  readonly summary?: string
  /** Words after `stagely`, such as `secrets set`; empty: the top level. */
  readonly path: string
  /** Subcommands and flags, with a space between them. */
  readonly words: string
  /** For each argument, the kind of its names; empty for none. */
  readonly names?: readonly string[]
  /** The last argument may be given again. */
  readonly more?: true
  /** Flags that take the next word. */
  readonly valued?: string
  readonly choices?: Readonly<Record<string, readonly string[]>>
}
