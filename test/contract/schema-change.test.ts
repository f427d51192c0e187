// A field added to one zod schema, in a copy of the program: nothing else is edited.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { KubeConfig } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubeRoutes } from '../../controller/http/app.ts'
import { documentOf } from '../../controller/http/kube/discovery.ts'
import { openApiDocuments } from '../../controller/http/kube/openapi.ts'
import { gitVersion } from '../../controller/version.ts'
import { freshDatabase } from '../support/fresh-database.ts'
import { createKubectl, type Kubectl } from '../support/kubectl/run.ts'
import { freePort } from '../support/processes.ts'
import type { TestDatabase } from '../support/test-database.ts'

const root = resolve(import.meta.dirname, '../..')
const field = `
  tier: z
    .enum(['Gold', 'Silver'])
    .default('Silver')
    .describe('How much care it gets.')
    .meta({ column: { name: 'Tier' } }),`

let copy: string
let controller: ChildProcess
let database: TestDatabase
let kubectl: Kubectl

const writeKubeConfig = async (server: string): Promise<string> => {
  const config = new KubeConfig()
  const ca = await readFile(join(copy, 'data/ca.crt'))
  config.loadFromOptions({
    clusters: [{ name: 's', server, caData: ca.toString('base64'), skipTLSVerify: false }],
    users: [
      { name: 'admin', token: (await readFile(join(copy, 'data/admin-token'), 'utf8')).trim() },
    ],
    contexts: [{ name: 's', cluster: 's', user: 'admin', namespace: 'default' }],
    currentContext: 's',
  })
  const file = join(copy, 'kubeconfig')
  await writeFile(file, config.exportConfig(), { mode: 0o600 })
  return file
}

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'stagely-copy-'))
  for (const part of ['src', 'controller', 'agent', 'cli', 'scripts', 'crds', 'package.json'])
    await cp(join(root, part), join(copy, part), { recursive: true })
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  const file = join(copy, 'src/resources/project.ts')
  const text = await readFile(file, 'utf8')
  const start = 'export const projectSpec = z.strictObject({'
  expect(text).toContain(start)
  await writeFile(file, text.replace(start, start + field))
  database = await freshDatabase()
  const port = await freePort()
  const args = ['controller', '--data-dir', join(copy, 'data'), '--listen', `127.0.0.1:${port}`]
  controller = spawn(process.execPath, ['--import', 'tsx', 'cli/main.ts', ...args], {
    cwd: copy,
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: database.url,
      STAGELY_SECRET_KEY: Buffer.alloc(32, 9).toString('base64'),
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(controller.stdout!, 'data') // the line that says it is ready
  kubectl = await createKubectl(await writeKubeConfig(`https://127.0.0.1:${port}`))
})
afterAll(async () => {
  controller.kill('SIGTERM')
  await once(controller, 'exit')
  await database.drop()
  await kubectl.remove()
  await rm(copy, { recursive: true, force: true })
})

const project = (name: string, spec: object): object => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Project',
  metadata: { name },
  spec,
})

describe('a new field', () => {
  it('is in the CRD, with its column', async () => {
    await promisify(execFile)(process.execPath, ['--import', 'tsx', 'scripts/generate.ts'], {
      cwd: copy,
    })
    const crd = await readFile(join(copy, 'crds/stagely.dev_projects.yaml'), 'utf8')
    expect(crd).toMatch(/tier:\s+(.*\n)*?\s+default: Silver/)
    expect(crd).toContain('jsonPath: .spec.tier')
  })

  it('is explained', async () => {
    const { stdout } = await kubectl('explain', 'project.spec.tier')
    expect(stdout).toContain('How much care it gets.')
    expect(stdout).toContain('Gold')
  })

  it('moves the hash of its group’s document, so that clients fetch it anew', async () => {
    const { stdout } = await kubectl('get', '--raw', '/openapi/v3')
    const { paths } = JSON.parse(stdout) as { paths: Record<string, { serverRelativeURL: string }> }
    const documents = [...openApiDocuments(kubeRoutes({} as never), gitVersion)]
    const same = documents
      .filter(([path, content]) => {
        const hash = documentOf(content).etag.replaceAll('"', '')
        return paths[path]!.serverRelativeURL === `/openapi/v3/${path}?hash=${hash}`
      })
      .map(([path]) => path)
    expect(documents.map(([path]) => path)).toContain('apis/stagely.dev/v1alpha1')
    expect(same).toEqual(['api/v1'])
  })

  it('has its default, its check and its place in the table', async () => {
    const good = await kubectl.manifest(project('plain', {}), project('best', { tier: 'Gold' }))
    expect(await kubectl('apply', '-f', good)).toMatchObject({ code: 0 })
    const table = await kubectl('get', 'projects')
    expect(table.stdout).toMatch(/^NAME +REVISION +SECRETS +STAGELETS +IN-SYNC +TIER +AGE\n/)
    expect(table.stdout).toMatch(/best .*Gold/)
    expect(table.stdout).toMatch(/plain .*Silver/)
    const bad = await kubectl(
      'apply',
      '-f',
      await kubectl.manifest(project('bad', { tier: 'Tin' })),
    )
    expect(bad.stderr).toContain('spec.tier: Unsupported value: "Tin"')
  })
})
