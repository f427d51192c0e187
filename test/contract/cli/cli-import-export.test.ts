// Whole projects out and in by the built command: what is written out comes in as it was, and comes in
// all at once or not at all.
import { createCipheriv, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { AuditRecord } from '../../../src/audit/record.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import { secretName } from '../../../src/kinds/secret/name.ts'
import { secretFields, withFields } from '../../../src/kinds/secret/rest-fields.ts'
import { type Ran } from '../../support/programs/cli.ts'
import { startCommandWorld, type CommandWorld } from '../../support/programs/command-world.ts'
import { secretSamples } from '../../support/secret-samples.ts'

let world: CommandWorld
let dir: string

const project = (name: string): object => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Project',
  metadata: { name, namespace: 'default' },
  spec: { environments: [{ name: 'preview' }, { name: 'staging' }] },
})

const secret = (name: string, spec: Record<string, unknown>): object => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata: { name, namespace: 'default' },
  spec,
})

const apply = async (...objects: object[]): Promise<void> => {
  const ran = await world.apply(objects.map((o) => stringify(o)).join('---\n'))
  expect(ran.code, ran.stderr).toBe(0)
}

/** Specs of the secrets of a namespace by their names. */
const specsIn = async (namespace: string): Promise<Record<string, unknown>> => {
  const list = await world.must('get', 'secrets', '-n', namespace, '-o', 'json')
  const { items } = JSON.parse(list) as { items: KubeObject[] }
  return Object.fromEntries(items.map(({ metadata, spec }) => [metadata.name, spec]))
}

const valuesOf = async (...args: string[]): Promise<Record<string, string>> => {
  const text = await world.must('secrets', 'export', '--format', 'json', ...args)
  const { secrets } = JSON.parse(text) as { secrets: Record<string, string>[] }
  return Object.fromEntries(
    secrets.map(({ key, scope, value, value_base64: base64 }) => [
      `${key} ${scope}`,
      value ?? `base64 ${base64}`,
    ]),
  )
}

const revision = async (name: string): Promise<number> =>
  ((await world.read(`projects/${name}`)) as { status: { revision: number } }).status.revision

const file = async (name: string, content: object): Promise<string> => {
  await writeFile(join(dir, name), JSON.stringify(content))
  return join(dir, name)
}

/** Nonce, ciphertext and tag under the key alone, as base64. */
const sealedLikeThen = (key: string, text: string): string => {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key, 'base64'), nonce)
  const sealed = [nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]
  return Buffer.concat(sealed).toString('base64')
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stagely-import-'))
  world = await startCommandWorld()
})
afterAll(async () => {
  await world?.stop()
  await rm(dir, { recursive: true, force: true })
})

describe('secrets export and import', () => {
  const shown = secretFields.filter((field) => !field.writeOnly)
  /** A secret of its own for each field, with what the field stands on. */
  const withField = (name: string): Record<string, unknown> => {
    const kind = name.startsWith('file_') || name === 'type' ? { type: 'file' } : {}
    const place =
      name === 'file_target' || kind.type === undefined ? {} : { file_path: `./${name}` }
    const format = name === 'pattern' ? { format: 'regex' } : {}
    const value = name === 'references' ? '{"a": "${SOURCE}"}' : '{"a": 1}'
    return {
      key: `OF_${name.toUpperCase()}`,
      ...kind,
      ...place,
      ...format,
      ...(name === 'value_from' ? {} : { value }),
      [name]: secretSamples[name],
    }
  }
  const objects = shown.map(({ name }) => {
    const fields: Record<string, unknown> = withField(name)
    return secret(secretName(fields), withFields({ projectRef: { name: 'whole' } }, fields))
  })
  /** Bytes that are no text. */
  const bytes = { type: 'file', file_target: '/etc/bytes', value_base64: '/wA=' }

  beforeAll(async () => {
    const base = { projectRef: { name: 'whole' } }
    await apply(
      project('whole'),
      secret('source.global', { ...base, key: 'SOURCE', value: 'of ${another}' }),
      secret('bytes.global', withFields({ ...base, key: 'BYTES' }, bytes)),
      ...objects,
    )
  })

  it.each(['json', 'yaml'])(
    'bring every field of a secret over as %s, as it is written',
    async (format) => {
      const team = `team-${format}`
      await world.must('admin', 'team', 'create', team)
      await world.apply(
        stringify({ ...project('whole'), metadata: { name: 'whole', namespace: team } }),
      )
      const args = ['secrets', 'export', '-p', 'whole', '--format', format, '--as-written']
      const text = await world.must(...args)
      const from = ['secrets', 'import', '-', '--format', format, '-n', team, '--yes']
      const ran = await world.cliWith(text, ...from)
      expect(ran.code, ran.stderr).toBe(0)
      const specs = await specsIn(team)
      expect(specs).toEqual(await specsIn('default'))
      for (const { path } of shown) {
        const [first = '', second] = path
        const holds = Object.values(specs).some((spec) => {
          const at = (spec as Record<string, unknown>)[first]
          return second === undefined
            ? at !== undefined
            : Object.hasOwn({ ...(at as object) }, second)
        })
        expect(holds, path.join('.')).toBe(true)
      }
      expect(await valuesOf('-n', team)).toEqual(await valuesOf())
      // The same once more changes nothing.
      const again = await world.cliWith(text, ...from)
      expect(again.stdout).toMatch(/^= \d+ unchanged\n/)
    },
  )

  it('bring finished values over without the flag, and say so', async () => {
    const values = await valuesOf()
    expect(values).toMatchObject({
      'OF_REFERENCES global': '{"a": "of ${another}"}',
      'OF_VALUE_FROM global': 'of ${another}',
    })
    const out = await world.cli('secrets', 'export', '--format', 'json')
    expect(out.stderr).toMatch(/^2 secrets are made from others .*--as-written/)
    await world.must('admin', 'team', 'create', 'finished')
    const metadata = { name: 'whole', namespace: 'finished' }
    await world.apply(stringify({ ...project('whole'), metadata }))
    const args = ['secrets', 'import', '-', '--format', 'json', '-n', 'finished', '--yes']
    const ran = await world.cliWith(out.stdout, ...args)
    expect(ran.code, ran.stderr).toBe(0)
    expect(await valuesOf('-n', 'finished')).toEqual(values)
    expect((await specsIn('finished'))['of-value-from.global']).not.toHaveProperty('valueFrom')
  })

  it('keep what a plain list of values cannot hold out of it', async () => {
    const ran = await world.cli('secrets', 'export', '-p', 'whole', '--as-written')
    expect([ran.code, ran.stdout, ran.stderr]).toEqual([
      2,
      '',
      'error: --as-written goes with --format json or yaml: the others hold values only\n',
    ])
  })
})

describe('secrets import', () => {
  beforeAll(() => apply(project('many'), project('old')))

  const importing = (path: string, ...more: string[]): Promise<Ran> =>
    world.cli('secrets', 'import', path, '-p', 'many', '--yes', ...more)

  it('is one request and one revision', async () => {
    const path = await file('one.json', { A: '1', B: '2', C: '3' })
    const done = await importing(path)
    expect(done.stderr).toContain('3 secrets imported into project many, as one change set.')
    expect(done.stderr).toMatch(/^Warning: .*one\.json: .*A: value: shorter than 8 bytes/m)
    const changed = await importing(await file('two.json', { A: 'x', B: 'x', D: 'x' }))
    expect(changed.code).toBe(0)
    expect(await revision('many')).toBe(2)
    const rows = JSON.parse(
      await world.must(
        'admin',
        'audit',
        'list',
        '--kind',
        'StagelySecret',
        '--limit',
        '6',
        '-o',
        'json',
      ),
    ) as AuditRecord[]
    const written = rows.filter(({ object }) => /^[abcd]\.global$/.test(object.name))
    expect(written.map(({ action }) => action).sort()).toEqual([
      ...['create', 'create', 'create', 'create'],
      ...['update', 'update'],
    ])
    expect(new Set(written.map((row) => row.request_id)).size).toBe(2)
  })

  it('says that keys without a scope go to every service, and takes services from the file', async () => {
    await apply(project('reach'))
    const dry = async (content: object, ...more: string[]): Promise<[string, string]> => {
      const path = await file('reach.json', content)
      const args = ['secrets', 'import', path, '-p', 'reach', '--dry-run', ...more]
      const { stdout, stderr } = await world.cli(...args)
      return [stdout.split('\n\n')[0]!, stderr]
    }
    const flat = { A: 'canary-1', B: 'canary-2' }
    expect(await dry(flat)).toEqual([
      '+ A (global)\n+ B (global)',
      '2 new keys are global: every service gets each of them. --scope SERVICE gives all of them to one service.\n',
    ])
    expect(await dry(flat, '--scope', 'web')).toEqual(['+ A (web)\n+ B (web)', ''])
    expect(await dry(flat, '--scope', 'global')).toEqual(['+ A (global)\n+ B (global)', ''])
    expect(await dry({ web: flat, db: { A: 'canary-3' }, global: { C: 'canary-4' } })).toEqual([
      '+ A (web)\n+ B (web)\n+ A (db)\n+ C (global)',
      '',
    ])
  })

  it('leaves nothing when the last of its secrets is refused', async () => {
    const before = await revision('many')
    const secrets = [
      { key: 'E', value: 'canary-e' },
      { key: 'TEMPLATE', value: '${E} ${NOWHERE}', references: true },
    ]
    const ran = await importing(await file('bad.json', secrets))
    expect([ran.code, ran.stderr.includes('canary')]).toEqual([1, false])
    expect(ran.stderr).toMatch(/bad\.json: secrets\[1\]: TEMPLATE: .*NOWHERE/)
    expect(await revision('many')).toBe(before)
    expect(Object.keys(await specsIn('default'))).not.toContain('e.global')
  })

  it('says when it takes more than one request, and puts a template after what fills it', async () => {
    const template = { key: 'ALL', value: '${K_600}', references: true }
    const keys = Array.from({ length: 600 }, (_, i) => ({ key: `K_${i + 1}`, value: String(i) }))
    const before = await revision('many')
    const ran = await importing(await file('many.json', [template, ...keys]))
    expect(ran.code, ran.stderr).toBe(0)
    expect(ran.stderr).toContain('601 secrets are more than one request takes: they go in 2 change')
    expect(ran.stderr).toContain('601 secrets imported into project many, as 2 change sets.')
    expect(await revision('many')).toBe(before + 2)
    expect(await world.must('secrets', 'get', 'ALL', '-p', 'many', '--reveal')).toBe('599')
  })

  it('takes the rows of the first Stagely as it sealed them', async () => {
    // The first was sealed by its Go code.
    const vectors = JSON.parse(
      await readFile(resolve('test/fixtures/go-aes-gcm.json'), 'utf8'),
    ) as Record<'key_base64' | 'plaintext_base64' | 'encrypted_value', string>[]
    const vector = vectors.find((one) => one.plaintext_base64 !== '')!
    const key = vector.key_base64
    const first = Buffer.from(vector.plaintext_base64, 'base64').toString()
    const texts = [first, 'multi\nline', '${not a template}']
    const rows = texts.map((text, index) => ({
      id: index,
      key: `ROW_${index}`,
      encrypted_value: index === 0 ? vector.encrypted_value : sealedLikeThen(key, text),
      scope: 'web',
      secret_type: 'file',
      file_path: `./row-${index}`,
      file_permissions: '0400',
    }))
    const keyFile = join(dir, 'old.key')
    await writeFile(keyFile, `${key}\n`)
    const args = ['secrets', 'import', '--key-file', keyFile, '-p', 'old', '--yes']
    const ran = await world.cli(...args, '--seed-ciphertexts', await file('rows.json', rows))
    expect(ran.code, ran.stderr).toBe(0)
    const values = await valuesOf('-p', 'old')
    expect(values).toEqual({
      'ROW_0 web': first,
      'ROW_1 web': 'multi\nline',
      'ROW_2 web': '${not a template}',
    })
    const specs = await specsIn('default')
    expect(specs['row-0.web']).toMatchObject({ file: { path: './row-0', mode: '0400' } })
    // A key that is not theirs opens none, and nothing is written.
    await writeFile(keyFile, Buffer.alloc(32, 1).toString('base64'))
    const moved = rows.map((row) => ({ ...row, key: `OTHER_${row.key}` }))
    const lost = await world.cli(...args, '--seed-ciphertexts', await file('rows.json', moved))
    expect(lost.code).toBe(1)
    expect(lost.stderr.match(/does not open: another key/g)).toHaveLength(rows.length)
    expect(await valuesOf('-p', 'old')).toEqual(values)
  })
})
