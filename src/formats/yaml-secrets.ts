// YAML with secrets, of the same shapes as JSON.
import { isScalar, parseDocument, visit } from 'yaml'
import { readStructure, type CheckLine, type Structured } from './structured.ts'

/** One document. YAML 1.1, as for manifests: `yes` and `0600` are not texts. */
export const readYaml = (
  source: string,
): { readonly value: unknown } | { readonly brokenLine: number } => {
  const document = parseDocument(source, { version: '1.1', prettyErrors: false, merge: true })
  const broken = document.errors[0]
  if (broken !== undefined) return { brokenLine: source.slice(0, broken.pos[0]).split('\n').length }
  visit(document, {
    Pair: (_, pair) => {
      // A key such as ON or 123 is a name, whatever its type in YAML.
      if (isScalar(pair.key) && typeof pair.key.source === 'string')
        pair.key.value = pair.key.source
    },
  })
  return { value: document.toJS({ maxAliasCount: 100 }) as unknown }
}

export const parseYamlSecrets = (source: string, check: CheckLine): Structured => {
  const read = readYaml(source)
  if ('value' in read) return readStructure(read.value, check)
  const where = `line ${read.brokenLine}`
  return { lines: [], faults: [{ where, message: 'is not valid YAML' }] }
}
