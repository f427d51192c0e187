// What a command on the controller's machine tells the person who typed it.

/** The result. */
export const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** Everything else. */
export const note = (text: string): void => {
  process.stderr.write(`${text}\n`)
}
