// What the reader sees: one line for each step, in the form that scripts/lib/setup.sh prints.

const out = process.stderr
// A reader that goes away (`| head`) must not keep the example from being taken down.
out.on('error', () => undefined)

export const say = (text = ''): void => {
  out.write(`${text}\n`)
}

/** Something that the reader can act on; printed without a stack. */
export class QuickstartError extends Error {
  override readonly name = 'QuickstartError'
}

/** Runs `work` under one line of progress, and returns what it returns. */
export const step = async <T>(label: string, work: () => Promise<T>): Promise<T> => {
  if (out.isTTY) out.write(`  … ${label}\r`)
  const started = performance.now()
  try {
    const result = await work()
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    say(`  ✓ ${label.padEnd(58)} ${seconds.padStart(7)} s`)
    return result
  } catch (error) {
    say(`  ✗ ${label}`)
    throw error
  }
}

/** Lines under a step, indented. */
export const detail = (text: string): void => {
  for (const line of text.trimEnd().split('\n')) say(`      ${line}`)
}

/** Plain columns, as wide as their widest cell. */
export const table = (rows: readonly (readonly string[])[]): void => {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((r) => (r[i] ?? '').length)))
  for (const row of rows) detail(row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '))
}
