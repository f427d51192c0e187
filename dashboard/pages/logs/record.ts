// What a log stream holds, one JSON object a line.
export interface ShownLogLine {
  readonly type: 'line'
  readonly service: string
  readonly container: string
  readonly stream: 'stdout' | 'stderr'
  /** RFC 3339 with nanoseconds. */
  readonly time: string
  readonly text: string
}

export type LogEntry =
  | ShownLogLine
  /** Lines that were left out here, because the reader was slower than the containers. */
  | { readonly type: 'dropped'; readonly lines: number }
  | { readonly type: 'end'; readonly error?: string }
