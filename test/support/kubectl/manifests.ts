// The manifests of the recorded kubectl commands, as our kinds have them.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import type { Rendered } from '../kube/helm.ts'

const apiVersion = 'stagely.dev/v1alpha1'
const labels = { app: 'shop' }

export type Manifest = Pick<Rendered, 'apiVersion' | 'kind' | 'metadata'> & {
  readonly spec?: object
}

const object = (kind: string, name: string, spec: object, namespace = 'probe'): Manifest => ({
  apiVersion,
  kind,
  metadata: { name, namespace, labels },
  spec,
})

const compose = { directory: '/srv/web', files: ['compose.yaml'], onChange: 'Hold' }
const stageletSpec = (more: object = {}): object => ({
  projectRef: { name: 'shop' },
  agentRef: { name: 'a1' },
  compose: { ...compose, ...more },
})
export const stagelet = (name = 'web', more: object = {}, namespace?: string): Manifest =>
  object('Stagelet', name, stageletSpec({ directory: `/srv/${name}`, ...more }), namespace)
const project = (namespace?: string): Manifest =>
  object('Project', 'shop', { description: 'Shop' }, namespace)
const secret = (namespace?: string): Manifest =>
  object(
    'StagelySecret',
    'db-password',
    { projectRef: { name: 'shop' }, key: 'DB_PASSWORD', value: 'a recorded value' },
    namespace,
  )
const agent = (namespace?: string): Manifest => object('Agent', 'a1', {}, namespace)
export const namespace = (name: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
})

const withoutName = {
  apiVersion,
  kind: 'Project',
  metadata: { generateName: 'shop-', namespace: 'probe' },
  spec: {},
}

const bad = (spec: object): object => object('Stagelet', 'bad', spec)

export const changedStagelet = stagelet('web', {
  files: ['compose.yaml', 'prod.yaml'],
  onChange: 'Deploy',
})
export const all = [project(), secret(), stagelet(), agent()]
export const dir = [
  namespace('probe-dir'),
  agent('probe-dir'),
  project('probe-dir'),
  secret('probe-dir'),
  stagelet('web', {}, 'probe-dir'),
]
export const prune = [project(), secret()]

const manifests: Readonly<Record<string, object>> = {
  'stagelet.yaml': stagelet(),
  'stagelet2.yaml': stagelet('api'),
  'stagelet-changed.yaml': changedStagelet,
  'project.yaml': project(),
  'secret.yaml': secret(),
  'agent.yaml': agent(),
  'generate.yaml': withoutName,
  ...Object.fromEntries(
    dir.map((one, n) => [`dir/${n}-${one.kind.toLowerCase()}.yaml`, one] as const),
  ),
  'dirprune/project.yaml': project(),
  'dirprune/secret.yaml': secret(),
  'bad-unknown.yaml': bad({ ...stageletSpec(), bogus: 1, more: 2 }),
  'bad-type.yaml': bad({ ...stageletSpec({ files: 'text' }) }),
  'bad-missing.yaml': bad({ agentRef: { name: 'a1' } }),
  'bad-name.yaml': object('Project', 'Bad_Name', {}),
  'unknown-kind.yaml': {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'Nosuch',
    metadata: { name: 'x', namespace: 'probe' },
  },
}

const twice = `apiVersion: ${apiVersion}
kind: Project
metadata: {name: dup, namespace: probe}
spec: {description: one, description: two}
`

/** Writes `manifests/` into the folder. */
export const writeManifests = async (folder: string): Promise<void> => {
  for (const [name, content] of Object.entries(manifests)) {
    const path = join(folder, 'manifests', name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, stringify(content))
  }
  await writeFile(join(folder, 'manifests', 'bad-dup.yaml'), twice)
}
