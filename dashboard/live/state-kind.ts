/** In which states things are; each has a glyph and a colour. */
export type StateKind =
  'ok' | 'run' | 'drift' | 'warn' | 'fail' | 'wait' | 'paused' | 'unknown' | 'staged'
