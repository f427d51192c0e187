// Output of commands on the controller's machine.

/** Prints a result to stdout. */
export const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** Prints a message to stderr. */
export const printRemark = (text: string): void => {
  process.stderr.write(`${text}\n`)
}
