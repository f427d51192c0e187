// YAML with secrets, of the same shapes as JSON.
import { isScalar, parseDocument, visit } from 'yaml'
import { readStructure, type CheckLine, type Structured } from './structured.ts'

/** YAML 1.1, as for manifests: `yes` and `0600` are not texts. */
export const parseYamlSecrets = (source: string, check: CheckLine): Structured => {
  const document = parseDocument(source, { version: '1.1', prettyErrors: false, merge: true })
  const broken = document.errors[0]
  if (broken !== undefined) {
    const line = source.slice(0, broken.pos[0]).split('\n').length
    return { lines: [], faults: [{ where: `line ${line}`, message: 'is not valid YAML' }] }
  }
  visit(document, {
    Pair: (_, pair) => {
      // A key such as ON or 123 is a name, whatever its type in YAML.
      if (isScalar(pair.key) && typeof pair.key.source === 'string')
        pair.key.value = pair.key.source
    },
  })
  return readStructure(document.toJS({ maxAliasCount: 100 }), check)
}
