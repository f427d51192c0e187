// Checks objects against the schemas of Kubernetes, as the API server would with strict field
// validation: the validators of kubernetes-models for values, its types for misspelt fields.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import type { Rendered } from './helm.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Module of kubernetes-models that has the kind; undefined for kinds that are not Kubernetes' own. */
const moduleOf = ({ apiVersion, kind }: Rendered): string | undefined => {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0]! : ''
  if (group.includes('.') && !group.endsWith('.k8s.io')) return undefined
  return `kubernetes-models/${apiVersion}/${kind}`
}

/** What is wrong with the objects, one line each; kinds of add-ons are not checked and named. */
export const faultsOf = async (
  objects: readonly Rendered[],
  scratch: string,
): Promise<{ faults: string[]; unchecked: string[] }> => {
  const known = objects.filter((object) => moduleOf(object) !== undefined)
  const unchecked = objects.filter((object) => moduleOf(object) === undefined).map((o) => o.kind)
  const faults = [...(await valueFaults(known)), ...typeFaults(known, scratch)]
  return { faults, unchecked: [...new Set(unchecked)] }
}

type Model = new (data: Rendered) => { validate(): void }

const valueFaults = async (objects: readonly Rendered[]): Promise<string[]> => {
  const faults: string[] = []
  for (const object of objects) {
    const module = (await import(moduleOf(object)!)) as Record<string, Model>
    try {
      new module[object.kind]!(object).validate()
    } catch (error) {
      faults.push(`${object.kind}/${object.metadata.name}: ${(error as Error).message}`)
    }
  }
  return faults
}

/** A literal of the interface's type must have no field that the interface does not know. */
const typeFaults = (objects: readonly Rendered[], scratch: string): string[] => {
  const lines = objects.map(
    (object, i) =>
      `import type { I${object.kind} as K${i} } from ${JSON.stringify(moduleOf(object))}\nexport const o${i}: K${i} = ${JSON.stringify(object)}`,
  )
  const file = join(scratch, 'rendered.ts')
  writeFileSync(file, lines.join('\n'))
  const program = ts.createProgram([file], {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    paths: { 'kubernetes-models/*': [join(root, 'node_modules/kubernetes-models/*')] },
  })
  return ts
    .getPreEmitDiagnostics(program)
    .map((diagnostic) => ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'))
}
