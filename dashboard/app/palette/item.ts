// What the palette offers: a name, where it leads, and why it cannot be chosen now.
export interface Item {
  readonly id: string
  readonly text: string
  /** The team or the project that it is in. */
  readonly place: string
  readonly group: 'Here' | 'Pages' | 'Objects' | 'Actions' | 'Settings'
  /** Its shortcut. */
  readonly keys?: string
  /** The roles that may. */
  readonly whyNot?: string | undefined
  /** An address of the dashboard. */
  readonly href?: string
  /** The button to press there: see ../command.ts. */
  readonly command?: string
  readonly run?: () => void
  /** Other words that it is found by. */
  readonly words?: readonly string[]
}
