// A field added to one zod schema, in a copy of the program: nothing else is edited. A spec, a status
// and a secret get one each.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { KubeConfig } from '@kubernetes/client-node'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubeRoutes } from '../../../controller/http/app.ts'
import { documentOf } from '../../../controller/http/kube/discovery.ts'
import { openApiDocuments } from '../../../controller/http/kube/openapi.ts'
import { gitVersion } from '../../../controller/version.ts'
import { freshDatabase } from '../../support/databases/fresh-database.ts'
import { createKubectl, type Kubectl } from '../../support/kubectl/run.ts'
import { freePort } from '../../support/programs/processes.ts'
import { shortLived } from '../../support/short-lived.ts'
import type { TestDatabase } from '../../support/databases/test-database.ts'

const root = resolve(import.meta.dirname, '../../..')
const field = `
  tier: z
    .enum(['Gold', 'Silver'])
    .default('Silver')
    .describe('How much care it gets.'),`
const column = `
    text('Tier', '.spec.tier', 'How much care it gets.'),`

const statusField = `
  coolDown: z.strictObject({ leftSeconds: z.int().describe('How long still.') }).optional(),`
const secretField = `
  ownedBy: z.string().max(20).optional().describe('Whom to ask.'),`

const edits: readonly (readonly [string, string, string])[] = [
  ['project.ts', 'export const projectSpec = z.strictObject({', field],
  ['kind-columns.ts', "'Stagelets that are in sync.'),", column],
  ['agent.ts', 'export const agentStatus = z.strictObject({', statusField],
  ['stagelysecret.ts', 'export const secretSpec = z\n  .strictObject({', secretField],
]

let copy: string
let server: string
let controller: ChildProcess
let database: TestDatabase
let kubectl: Kubectl

/** What a program of the copy prints. */
const run = async (args: readonly string[]): Promise<string> => {
  const env = { PATH: process.env['PATH'], HOME: copy, KUBECONFIG: join(copy, 'kubeconfig') }
  return (await promisify(execFile)(process.execPath, [...shortLived, ...args], { cwd: copy, env }))
    .stdout
}

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

/** As scripts/bundle.mjs does, but for the packages: they are the same, and most of its work. */
const bundleCopy = async (): Promise<void> => {
  buildSync({
    absWorkingDir: copy,
    entryPoints: ['cli/main.ts'],
    outdir: 'dist/cli',
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
  })
  await cp(join(copy, 'src/store/drivers/migrations'), join(copy, 'dist/cli/migrations'), {
    recursive: true,
  })
}

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'stagely-copy-'))
  const parts = ['src', 'controller', 'agent', 'cli', 'scripts', 'crds', 'docs', 'package.json']
  // Node's own copying takes five times as long for so many files.
  await promisify(execFile)('cp', ['-r', ...parts, copy], { cwd: root })
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  for (const [name, start, added] of edits) {
    const file = join(copy, 'src/resources/kinds', name)
    const text = await readFile(file, 'utf8')
    expect(text).toContain(start)
    await writeFile(file, text.replace(start, start + added))
  }
  await bundleCopy()
  database = await freshDatabase()
  const port = await freePort()
  const args = ['controller', '--data-dir', join(copy, 'data'), '--listen', `127.0.0.1:${port}`]
  controller = spawn(process.execPath, [...shortLived, 'dist/cli/main.js', ...args], {
    cwd: copy,
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: database.url,
      STAGELY_SECRET_KEY: Buffer.alloc(32, 9).toString('base64'),
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(controller.stdout!, 'data') // the line that says it is ready
  server = `https://127.0.0.1:${port}`
  kubectl = await createKubectl(await writeKubeConfig(server))
}, 180_000)
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

interface Reply {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** As an admin; `content` goes as JSON. */
const call = async (method: string, path: string, content?: unknown): Promise<Reply> => {
  const ca = await readFile(join(copy, 'data/ca.crt'))
  const token = (await readFile(join(copy, 'data/admin-token'), 'utf8')).trim()
  const type = path.endsWith('/status') ? 'application/merge-patch+json' : 'application/json'
  const headers = { authorization: `Bearer ${token}`, 'content-type': type }
  const sent = request(server + path, { method, ca, headers })
  sent.end(content === undefined ? undefined : JSON.stringify(content))
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const text = (await response.toArray()).join('')
  return { status: response.statusCode ?? 0, body: JSON.parse(text) as Reply['body'] }
}

describe('a new field', () => {
  it('is in the CRD, with its column', async () => {
    await run(['scripts/lib/run.mjs', 'scripts/generate.ts'])
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

  it('of a spec is in requests and answers of REST, with its check, and in the table of the CLI', async () => {
    const made = await call('POST', '/api/v1/projects', { name: 'by-rest', tier: 'Gold' })
    expect(made).toMatchObject({ status: 201, body: { name: 'by-rest', tier: 'Gold' } })
    const path = '/api/v1/projects/default%2Fby-rest'
    const changed = await call('PATCH', path, { tier: 'Silver' })
    expect(changed.body).toMatchObject({ tier: 'Silver' })
    const bad = await call('PATCH', path, { tier: 'Tin' })
    expect(bad).toMatchObject({ status: 422, body: { errors: [{ field: 'tier' }] } })
    const stdout = await run(['dist/cli/main.js', 'get', 'projects'])
    expect(stdout).toMatch(/^NAME .*TIER +AGE\n/)
    expect(stdout).toMatch(/by-rest .*Silver/)
  })

  it('of a secret is in requests and answers of REST, and goes with null', async () => {
    const secrets = '/api/v1/projects/default%2Fby-rest/secrets'
    const made = await call('POST', secrets, { key: 'OWNED', value: 'x-value', owned_by: 'ann' })
    expect(made).toMatchObject({ status: 201, body: { key: 'OWNED', owned_by: 'ann' } })
    const one = `${secrets}/${String(made.body['id'])}`
    expect((await call('GET', one)).body).toMatchObject({ owned_by: 'ann' })
    const long = await call('PATCH', one, { owned_by: 'x'.repeat(21) })
    expect(long).toMatchObject({ status: 422, body: { errors: [{ field: 'owned_by' }] } })
    expect(await call('PATCH', one, { owned_by: null })).toMatchObject({ status: 200 })
    expect((await call('GET', one)).body).not.toHaveProperty('owned_by')
  })

  it('of a status is in answers of REST', async () => {
    await kubectl('apply', '-f', await kubectl.manifest({ ...project('box', {}), kind: 'Agent' }))
    const path = '/apis/stagely.dev/v1alpha1/namespaces/default/agents/box/status'
    const shown = async (): Promise<unknown> => {
      // The reconciler of the kind may write its status in between.
      await call('PATCH', path, { status: { coolDown: { leftSeconds: 9 } } })
      return (await call('GET', '/api/v1/agents/default%2Fbox')).body['cool_down']
    }
    await expect.poll(shown).toEqual({ left_seconds: 9 })
  })

  it('is described by the document of REST', async () => {
    const { body } = await call('GET', '/api/v1/openapi.json')
    const { paths } = body as { paths: Record<string, Record<string, unknown>> }
    const told = (path: string, method: string): string => JSON.stringify(paths[path]?.[method])
    const tier = /"tier":\{"type":"string","enum":\["Gold","Silver"\],"description":"How much care/
    for (const method of ['get', 'patch'])
      expect(told('/projects/{project_id}', method)).toMatch(tier)
    expect(told('/projects', 'post')).toMatch(tier)
    const secret = '/projects/{project_id}/secrets/{secret_id}'
    for (const method of ['get', 'patch']) expect(told(secret, method)).toContain('"owned_by":')
    expect(told('/agents/{agent_id}', 'get')).toContain('"left_seconds":{"type":"integer"')
  })
})
