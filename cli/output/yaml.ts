// Values as YAML.
import { Document, visit } from 'yaml'
import { printable } from '../print.ts'

/** Text of which a part is escaped when it is printed stands in quotes, where the escapes are read back. */
const quoted = (document: Document): Document => {
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'string' && printable(node.value) !== node.value)
        node.type = 'QUOTE_DOUBLE'
    },
  })
  return document
}

export const toYaml = (value: unknown): string =>
  // YAML 1.1, so that kubectl and this program read "yes" and "0600" back as text.
  quoted(new Document(value, { version: '1.1' })).toString({ lineWidth: 0 })
