// The manifests of the recorded kubectl commands, as our kinds have them.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'

const apiVersion = 'stagely.dev/v1alpha1'
const labels = { app: 'shop' }

const object = (kind: string, name: string, spec: object, namespace = 'probe'): object => ({
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
export const stagelet = (name = 'web', more: object = {}, namespace?: string): object =>
  object('Stagelet', name, stageletSpec({ directory: `/srv/${name}`, ...more }), namespace)
const project = (namespace?: string): object =>
  object('Project', 'shop', { description: 'Shop' }, namespace)
const secret = (namespace?: string): object =>
  object(
    'StagelySecret',
    'db-password',
    { projectRef: { name: 'shop' }, key: 'DB_PASSWORD', value: 'a recorded value' },
    namespace,
  )
const agent = (namespace?: string): object => object('Agent', 'a1', {}, namespace)
const namespace = (name: string): object => ({
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

const manifests: Readonly<Record<string, object>> = {
  'stagelet.yaml': stagelet(),
  'stagelet2.yaml': stagelet('api'),
  'stagelet-changed.yaml': stagelet('web', {
    files: ['compose.yaml', 'prod.yaml'],
    onChange: 'Deploy',
  }),
  'project.yaml': project(),
  'secret.yaml': secret(),
  'agent.yaml': agent(),
  'generate.yaml': withoutName,
  'dir/0-namespace.yaml': namespace('probe-dir'),
  'dir/1-agent.yaml': agent('probe-dir'),
  'dir/2-project.yaml': project('probe-dir'),
  'dir/3-secret.yaml': secret('probe-dir'),
  'dir/4-stagelet.yaml': stagelet('web', {}, 'probe-dir'),
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
