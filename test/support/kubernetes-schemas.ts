// Checks objects against the schemas of Kubernetes and of add-ons, as the API server would with strict
// field validation. Of add-ons there are validators for values, and types for misspelt fields.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import type { Rendered } from './helm.ts'
import { modelFaults, modelOf } from './kubernetes-models.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Add-ons whose kinds the chart makes. */
const addOns: Readonly<Record<string, string>> = {
  'cert-manager.io': '@kubernetes-models/cert-manager',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
}

/** Module that has the kind of an add-on; undefined where nobody knows it. */
const moduleOf = ({ apiVersion, kind }: Rendered): string | undefined => {
  const models = addOns[apiVersion.split('/')[0]!]
  return models === undefined ? undefined : `${models}/${apiVersion}/${kind}`
}

const nameOf = ({ kind, metadata }: Rendered): string => `${kind}/${metadata.name}`

/** What is wrong with the objects: KIND/NAME, and what. */
export const faultsOf = async (
  objects: readonly Rendered[],
  scratch: string,
): Promise<string[]> => {
  const ofAddOns = objects.filter((object) => moduleOf(object) !== undefined)
  const others = objects.filter((object) => moduleOf(object) === undefined)
  const ownFaults = others.map(async (object) => {
    const model = modelOf(object.apiVersion, object.kind)
    if (model === undefined)
      return [`${nameOf(object)}: there is no schema of ${object.apiVersion}`]
    return (await modelFaults(object, model)).map((fault) => `${nameOf(object)}: ${fault}`)
  })
  return [
    ...(await Promise.all(ownFaults)).flat(),
    ...(await valueFaults(ofAddOns)),
    ...typeFaults(ofAddOns, scratch),
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

/** Has read the declarations, which are the same the next time. */
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
    lib: ['lib.es5.d.ts'],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    paths: Object.fromEntries(
      Object.values(addOns).map((name) => [`${name}/*`, [join(root, 'node_modules', name, '*')]]),
    ),
  }
  const program = (last = ts.createProgram([file], options, undefined, last))
  return ts.getPreEmitDiagnostics(program).map(({ file: source, start = 0, messageText }) => {
    const line = source?.getLineAndCharacterOfPosition(start).line ?? 0
    return `${nameOf(objects[line]!)}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}
