// Splits a file into YAML documents before parsing, as kubectl does: at lines that begin with `---`. No
// YAML content may hold such a line, so a fault in one document does not affect the next.

export interface Chunk {
  readonly text: string
  /** 1-based line of the file at which the chunk begins. */
  readonly firstLine: number
}

/** The documents of a file that have content, not only comments, blank lines or directives. */
export const cutDocuments = (text: string): Chunk[] => {
  const lines = text.replace(/^\uFEFF/, '').split('\n')
  const starts = [0]
  lines.forEach((line, index) => {
    if (index > 0 && /^---(\s|$)/.test(line)) starts.push(index)
  })
  return starts
    .map((start, n) => ({ lines: lines.slice(start, starts[n + 1]), firstLine: start + 1 }))
    .filter((chunk) => !chunk.lines.every(saysNothing))
    .map((chunk) => ({ text: chunk.lines.join('\n'), firstLine: chunk.firstLine }))
}

const saysNothing = (line: string): boolean => /^(\s*(#.*)?|%.*|(---|\.\.\.)\s*(#.*)?)$/.test(line)

/** True for a Docker Compose file. Such a file may lie in a folder of manifests and is skipped. */
export const isComposeFile = (text: string): boolean =>
  /^["']?(services|include)["']?\s*:/m.test(text) && !/^["']?(apiVersion|kind)["']?\s*:/m.test(text)
