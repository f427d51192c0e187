// Checks objects against the schemas of Kubernetes and of add-ons, as the API server would with strict
// field validation. Of add-ons there are validators for values, and types for misspelt fields.
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Rendered } from './helm.ts'
import { modelFaults, modelOf } from './kubernetes-models.ts'

const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url))
const run = promisify(execFile)

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

/** What is wrong with the objects: KIND/NAME, and what. Of equal ones, once. */
export const faultsOf = async (all: readonly Rendered[], scratch: string): Promise<string[]> => {
  const objects = [...new Map(all.map((object) => [JSON.stringify(object), object])).values()]
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
    ...(await typeFaults(ofAddOns, scratch)),
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

/** The compiler that checks this project: of native code, so that it has answered before `typescript` is loaded. */
const tsc = [
  ...[join(modules, 'tsc/bin/tsc'), '--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck'],
  ...['--types', '', '--lib', 'es5', '--module', 'esnext', '--moduleResolution', 'bundler'],
]

/** A literal of the interface's type must have no field that the interface does not know. */
const typeFaults = async (objects: readonly Rendered[], scratch: string): Promise<string[]> => {
  // One line each.
  const lines = objects.map((object) => {
    const type = `import(${JSON.stringify(join(modules, moduleOf(object)!))}).I${object.kind}`
    return `void (${JSON.stringify(object)} satisfies ${type})`
  })
  writeFileSync(join(scratch, 'rendered.ts'), lines.join('\n'))
  const said = await run(process.execPath, [...tsc, 'rendered.ts'], { cwd: scratch }).then(
    ({ stdout }) => stdout,
    (error: unknown) => {
      const { stdout } = error as { stdout: string }
      if (stdout === '') throw error
      return stdout
    },
  )
  // What explains a fault follows it, indented.
  return said.split(/\n(?! )/).flatMap((text) => {
    if (text === '') return []
    const [, line, fault] = /^rendered\.ts\((\d+),\d+\): (.*)$/s.exec(text) ?? []
    return line === undefined ? [text] : [`${nameOf(objects[Number(line) - 1]!)}: ${fault!}`]
  })
}
