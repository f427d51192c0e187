// A value that refers to other secrets: `${KEY}`, `${service/KEY}`; `$${` is a literal `${`.
// Byte-exact: the text between references is never decoded.

/** Limits the cost of one write. */
export const maxReferences = 64

export interface Template {
  /** The texts between the references: one more than there are references. */
  readonly literals: readonly Buffer[]
  /** The text between the braces of each reference, in order. */
  readonly references: readonly string[]
}

const token = /\$\$\{|\$\{([^}]*)\}|\$\{/g
const name = /^(?:[a-zA-Z0-9._-]{1,255}\/)?[A-Za-z_][A-Za-z0-9_.-]{0,254}$/

const remedy = 'write ${KEY} or ${service/KEY}; $${ is a literal ${'

/** The template, or its fault. The fault never repeats the text. */
export const parseTemplate = (value: Buffer): Template | string => {
  const text = value.toString('latin1')
  const literals: Buffer[] = []
  const references: string[] = []
  let literal = ''
  let from = 0
  for (const match of text.matchAll(token)) {
    literal += text.slice(from, match.index)
    from = match.index + match[0].length
    if (match[0] === '$${') {
      literal += '${'
      continue
    }
    const [, reference] = match
    if (reference === undefined || !name.test(reference))
      return `holds "\${" at byte ${match.index} that is no reference: ${remedy}`
    literals.push(Buffer.from(literal, 'latin1'))
    literal = ''
    references.push(reference)
    if (references.length > maxReferences) return `holds more than ${maxReferences} references`
  }
  literals.push(Buffer.from(literal + text.slice(from), 'latin1'))
  return { literals, references }
}

/** Length of the result of `renderTemplate`. */
export const renderedLength = ({ literals }: Template, values: readonly Buffer[]): number =>
  [...literals, ...values].reduce((sum, part) => sum + part.length, 0)

/** `values` are the values of the references, in order. */
export const renderTemplate = ({ literals }: Template, values: readonly Buffer[]): Buffer =>
  Buffer.concat(literals.flatMap((literal, i) => [literal, values[i] ?? Buffer.alloc(0)]))
