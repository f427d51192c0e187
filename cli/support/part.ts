// The parts of a bundle.

/** One file of the bundle. A failure of `read` is recorded: it is a finding too. */
export interface BundlePart {
  readonly name: string
  /** For the list in README.txt. */
  readonly what: string
  readonly read: () => Promise<string>
}

export interface BundleFile {
  readonly name: string
  readonly text: string
}

/**
 * Reads all parts at once; each failure becomes a line of errors.txt. Everything passes through
 * `redact`.
 */
export const readParts = async (
  parts: readonly BundlePart[],
  { redact, explain }: { redact: (text: string) => string; explain: (error: unknown) => string },
): Promise<{ files: BundleFile[]; errors: string[] }> => {
  const files: BundleFile[] = []
  const errors: string[] = []
  const read = await Promise.all(
    parts.map(async ({ name, read }) => {
      try {
        return { name, text: redact(await read()) }
      } catch (error) {
        return { name, error: redact(explain(error)).replaceAll('\n', ' ') }
      }
    }),
  )
  for (const { name, text, error } of read) {
    if (text === undefined) errors.push(`${name}: ${error}`)
    else files.push({ name, text: text.endsWith('\n') ? text : `${text}\n` })
  }
  return { files, errors }
}
