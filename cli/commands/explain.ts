// explain: the fields of a kind, in words; or a schema of manifests for editors.
import { crdKinds } from '../../src/kinds/index.ts'
import { usageError } from '../errors.ts'
import { explainFields, manifestSchema } from '../explain/fields.ts'
import { findKinds } from '../output/kinds.ts'
import { newLocalCommand, type Command } from '../options.ts'
import { out } from '../print.ts'

export const command = (): Command =>
  newLocalCommand('explain', 'Say which fields a kind has, and what they mean.', [
    'stagely explain stagelet',
    'stagely explain stagelet.spec.compose',
    'stagely explain project --recursive',
    'stagely explain --json-schema > stagely.schema.json      # for the YAML of your editor',
  ])
    .argument('[kind]', 'KIND, or KIND.FIELD[.FIELD]')
    .option('--recursive', 'names and types of all fields below')
    .option('--json-schema', 'print a JSON Schema of the manifests of all kinds')
    .action(explain)

const explain = (
  words: string | undefined,
  flags: { recursive?: boolean; jsonSchema?: boolean },
): void => {
  if ((words === undefined) !== (flags.jsonSchema === true))
    throw usageError('give KIND[.FIELD], or --json-schema')
  if (words === undefined) {
    out(JSON.stringify(manifestSchema(crdKinds), null, 2))
    return
  }
  const [word = '', ...path] = words.split('.')
  const [kind, ...others] = findKinds(word)
  if (kind === undefined || others.length > 0)
    throw usageError(`"${word}" names several kinds; one is needed here`)
  out(explainFields(kind, path, flags.recursive === true))
}
