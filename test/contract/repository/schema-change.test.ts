// What is added to the sources by the recipes of DEVELOPERS.md, in a copy of the program. A field is an edit of one zod
// schema alone: a spec, a status and a secret get one each. All else is in test/support/recipes.ts.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubeRoutes } from '../../../controller/http/app.ts'
import { documentOf } from '../../../controller/http/kube/discovery.ts'
import { openApiDocuments } from '../../../controller/http/kube/openapi.ts'
import { gitVersion } from '../../../controller/version.ts'
import { startChangedCopy, type ChangedCopy } from '../../support/programs/changed-copy.ts'
import { followRecipes, recipes } from '../../support/recipes.ts'

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
  ['project/schema.ts', 'export const projectSpec = z.strictObject({', field],
  ['project/kind.ts', "'Stagelets that are in sync.'),", column],
  ['agent/schema.ts', 'export const agentStatus = z.strictObject({', statusField],
  ['secret/schema.ts', 'export const secretSpec = z\n  .strictObject({', secretField],
]

let copy: ChangedCopy
let run: ChangedCopy['run']
let call: ChangedCopy['call']
let kubectl: ChangedCopy['kubectl']

const addFields = async (folder: string): Promise<void> => {
  for (const [name, start, added] of edits) {
    const file = join(folder, 'src/kinds', name)
    const text = await readFile(file, 'utf8')
    expect(text).toContain(start)
    await writeFile(file, text.replace(start, start + added))
  }
}

beforeAll(async () => {
  copy = await startChangedCopy(async (folder) => {
    await addFields(folder)
    await followRecipes(folder)
  })
  ;({ run, call, kubectl } = copy)
  await run(['scripts/lib/run.mjs', 'scripts/generate.ts'])
}, 180_000)
afterAll(() => copy?.stop())

const project = (name: string, spec: object): object => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Project',
  metadata: { name },
  spec,
})

describe('a new field', () => {
  it('is in the CRD, with its column', async () => {
    const crd = await readFile(join(copy.folder, 'crds/stagely.dev_projects.yaml'), 'utf8')
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

const object = (kind: string, name: string, spec: object): object => ({
  ...project(name, spec),
  kind,
})

/** Applies them, and tells what kubectl refuses. */
const apply = async (...objects: object[]): Promise<string[]> => {
  const { stderr } = await kubectl('apply', '-f', await kubectl.manifest(...objects))
  return stderr.split('\n').filter((line) => /error/i.test(line))
}

const statusOf = async (kind: string, name: string): Promise<Record<string, unknown>> => {
  const { stdout } = await kubectl('get', kind, name, '-o', 'json')
  return (JSON.parse(stdout) as { status?: Record<string, unknown> }).status ?? {}
}

describe('a recipe of DEVELOPERS.md', () => {
  it.each(recipes)('names what is edited: $title', async (recipe) => {
    const text = await readFile('DEVELOPERS.md', 'utf8')
    const section = text.split(/^##+ /m).find((part) => part.startsWith(`${recipe.title}\n`))
    expect(section).toBeDefined()
    const edited = recipe.edits.map(({ file }) => file)
    expect(edited.filter((file) => !section!.includes(`\`${file}\``))).toEqual([])
  })

  it('makes a kind that both APIs, the command and the generated files know', async () => {
    const crd = await readFile(join(copy.folder, 'crds/stagely.dev_widgets.yaml'), 'utf8')
    expect(crd).toContain('How large it is.')
    expect(await apply(object('Widget', 'one', {}))).toEqual([])
    const table = /^NAME +SIZE +AGE\none +3 /
    expect((await kubectl('get', 'wid')).stdout).toMatch(table)
    expect(await run(['dist/cli/main.js', 'get', 'widgets'])).toMatch(table)
    const made = await call('POST', '/api/v1/widgets', { name: 'two', size: 4 })
    expect(made).toMatchObject({ status: 201, body: { name: 'two', size: 4 } })
    const bad = await call('POST', '/api/v1/widgets', { name: 'three', size: 10 })
    expect(bad).toMatchObject({ status: 422, body: { errors: [{ field: 'size' }] } })
  })

  it('makes a store of secrets whose values become versions', async () => {
    const projectRef = { name: 'shelved' }
    const key = { projectRef, key: 'CARD', audience: 'Controller', value: 'a library card' }
    const store = { shelf: { row: 2 }, auth: { secretRef: { name: 'card' } } }
    const external = { store: 'shelf', key: 'book' }
    const errors = await apply(
      project('shelved', {}),
      object('StagelySecret', 'card', key),
      object('SecretStore', 'shelf', { ...store, allow: { projects: ['shelved'], remote: ['*'] } }),
      object('StagelySecret', 'book', { projectRef, key: 'BOOK', valueFrom: { external } }),
    )
    expect(errors).toEqual([])
    await expect
      .poll(() => statusOf('secretstore', 'shelf'), { timeout: 60_000 })
      .toMatchObject({
        identity: 'reader of row 2',
      })
    await expect
      .poll(() => statusOf('ssec', 'book'), { timeout: 60_000 })
      .toMatchObject({
        version: 1,
      })
  })

  it('makes a rotator whose credential becomes a version', async () => {
    const projectRef = { name: 'coins' }
    const valueFrom = { rotation: { name: 'toss', output: 'side' } }
    const rotation = { projectRef, outputs: { side: 'side' }, rotator: { coin: { side: 'heads' } } }
    const errors = await apply(
      project('coins', {}),
      object('StagelySecret', 'side', { projectRef, key: 'SIDE', valueFrom }),
      object('Rotation', 'toss', rotation),
    )
    expect(errors).toEqual([])
    await expect
      .poll(() => statusOf('ssec', 'side'), { timeout: 60_000 })
      .toMatchObject({
        version: 1,
      })
  })

  it('makes an event with its reason, which Notifiers may tell', async () => {
    const told = { reasons: ['Tiny'], webhook: { url: 'https://hooks.example.com/s' } }
    const secret = object('StagelySecret', 'small', {
      projectRef: { name: 'small' },
      key: 'SMALL',
      value: 'small value',
      scope: 'web',
      // Its status is written by the reconciler, which tells of its end.
      expiry: { after: '1d' },
    }) as { metadata: object }
    const labelled = { ...secret, metadata: { ...secret.metadata, labels: { tiny: 'indeed' } } }
    expect(await apply(project('small', {}), object('Notifier', 'us', told), labelled)).toEqual([])
    const events = async (): Promise<string> => (await kubectl('get', 'events')).stdout
    await expect.poll(events, { timeout: 60_000 }).toMatch(/Tiny +.*small +It is tiny\./)
  })

  it('makes a command', async () => {
    expect(await run(['dist/cli/main.js', 'hello'])).toBe('hello from the copy\n')
    const table = await readFile(join(copy.folder, 'cli/generated/completion-table.ts'), 'utf8')
    expect(table).toContain('"summary":"Say hello.","path":"hello"')
  })

  it('makes a page with a file of its own', async () => {
    const { outputFiles } = await build({
      absWorkingDir: copy.folder,
      entryPoints: ['dashboard/app/pages.ts'],
      outdir: 'out',
      write: false,
      bundle: true,
      splitting: true,
      packages: 'external',
      format: 'esm',
      external: ['icon:*'],
      loader: { '.css': 'empty', '.woff2': 'empty', '.svg': 'empty' },
      jsx: 'automatic',
      jsxImportSource: 'preact',
      logLevel: 'silent',
    })
    const withPage = outputFiles.filter(({ text }) => text.includes('hello from the copy'))
    expect(withPage.map(({ path }) => path)).toEqual([expect.stringMatching(/hello-\w+\.js$/)])
    expect(outputFiles.some(({ text }) => text.includes('/ui/hello'))).toBe(true)
  })
})
