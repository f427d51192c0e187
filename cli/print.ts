// The only place that writes to the terminal: results to stdout, everything else to stderr.

export const out = (text: string): void => {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
}

export const note = (text: string): void => {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`)
}
