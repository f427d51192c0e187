// Checks objects against the schemas of Kubernetes and of add-ons, as the API server would with strict
// field validation: the validators of kubernetes-models for values, its types for misspelt fields.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import type { Rendered } from './helm.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Add-ons whose kinds the chart makes. */
const addOns: Readonly<Record<string, string>> = {
  'cert-manager.io': '@kubernetes-models/cert-manager',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
}

/** Module that has the kind; undefined where nobody knows it. */
const moduleOf = ({ apiVersion, kind }: Rendered): string | undefined => {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0]! : ''
  const isOwn = !group.includes('.') || group.endsWith('.k8s.io')
  const models = isOwn ? 'kubernetes-models' : addOns[group]
  return models === undefined ? undefined : `${models}/${apiVersion}/${kind}`
}

const nameOf = ({ kind, metadata }: Rendered): string => `${kind}/${metadata.name}`

/** What is wrong with the objects: KIND/NAME, and what. */
export const faultsOf = async (
  objects: readonly Rendered[],
  scratch: string,
): Promise<string[]> => {
  const known = objects.filter((object) => moduleOf(object) !== undefined)
  const unknown = objects.filter((object) => moduleOf(object) === undefined)
  return [
    ...unknown.map((object) => `${nameOf(object)}: there is no schema of ${object.apiVersion}`),
    ...(await valueFaults(known)),
    ...typeFaults(known, scratch),
  ]
}

type Model = new (data: Rendered) => { validate(): void }

const valueFaults = async (objects: readonly Rendered[]): Promise<string[]> => {
  const faults: string[] = []
  for (const object of objects) {
    const module = (await import(moduleOf(object)!)) as Record<string, Model>
    try {
      new module[object.kind]!(object).validate()
    } catch (error) {
      faults.push(`${nameOf(object)}: ${(error as Error).message}`)
    }
  }
  return faults
}

/** Has read the declarations of Kubernetes, which are the same the next time. */
let last: ts.Program | undefined

/** A literal of the interface's type must have no field that the interface does not know. */
const typeFaults = (objects: readonly Rendered[], scratch: string): string[] => {
  // One line each.
  const lines = objects.map((object) => {
    const type = `import(${JSON.stringify(moduleOf(object))}).I${object.kind}`
    return `void (${JSON.stringify(object)} satisfies ${type})`
  })
  const file = join(scratch, 'rendered.ts')
  writeFileSync(file, lines.join('\n'))
  const options = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    paths: Object.fromEntries(
      ['kubernetes-models', ...Object.values(addOns)].map((name) => [
        `${name}/*`,
        [join(root, 'node_modules', name, '*')],
      ]),
    ),
  }
  const program = (last = ts.createProgram([file], options, undefined, last))
  return ts.getPreEmitDiagnostics(program).map(({ file: source, start = 0, messageText }) => {
    const line = source?.getLineAndCharacterOfPosition(start).line ?? 0
    return `${nameOf(objects[line]!)}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}
