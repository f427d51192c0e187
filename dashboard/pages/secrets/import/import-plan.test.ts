import { expect, it } from 'vitest'
import { secretFields } from '../../../../src/kinds/secret/rest-fields.ts'
import type { Secret } from '../../../../src/generated/rest-types.ts'
import { formatOf, otherFields, readSecrets, textFields } from './import-file.ts'
import { editsOfImport, planFileImport } from './import-plan.ts'

const target = { scope: 'web', stagelet: '' }
const shop = { team: 'default', project: 'shop' }

const does = async (text: string, stored: Parameters<typeof planFileImport>[2] = []) =>
  planFileImport(await readSecrets('dotenv', text), target, stored)

it('says of each line what it does, and shows no value', async () => {
  const stored = [
    { ...shop, key: 'A', scope: 'web' },
    { ...shop, key: 'B', scope: 'global' },
    { ...shop, key: 'C', scope: 'web', stagelet: 'prod' },
  ]
  const { lines, faults } = await does("A=1\n# note\nB='$x '\nC=3\nB=4\n", stored)
  const at = {
    scope: 'web',
    stagelet: '',
    environments: undefined,
    visibility: 'Plain',
    doubt: false,
  }
  expect(lines).toEqual([
    { key: 'A', where: 'line 1', ...at, visibility: 'Masked', bytes: 1, does: 'NewValue' },
    { key: 'B', where: 'line 3', ...at, bytes: 3, does: 'Repeated' },
    { key: 'C', where: 'line 4', ...at, bytes: 1, does: 'New' },
    { key: 'B', where: 'line 5', ...at, bytes: 1, does: 'New' },
  ])
  expect(faults).toEqual([])
})

it('names all faults with their lines, and no value', async () => {
  const { faults } = await does('OK=1\nno equals sign\n1BAD=hidden\nQ="open\n')
  expect(faults.map(({ where }) => where)).toEqual(['line 2', 'line 4', 'line 3'])
  expect(JSON.stringify(faults)).not.toContain('hidden')
})

it('asks about a value that is a mask, and takes no value over 1 MiB', async () => {
  const mebibyte = 'x'.repeat(1 << 20)
  const text = `A=••••••••\nB=***REDACTED***\nC=a•b\nFITS=${mebibyte}\nOVER=${mebibyte}y\n`
  const { lines, faults } = await does(text)
  expect(lines.filter(({ odd }) => odd !== undefined).map(({ key }) => key)).toEqual(['A', 'B'])
  expect(faults).toEqual([{ where: 'line 5', message: 'OVER is larger than 1 MiB' }])
})

it('takes no value of a secret that a rotation fills, unless its line is left out', async () => {
  const read = await readSecrets('dotenv', 'A=1\nB=2\n')
  const value_from = { rotation: { name: 'db', output: 'password' } }
  const stored = [{ ...shop, key: 'B', scope: 'web', value_from }]
  expect(planFileImport(read, target, stored).faults).toEqual([
    {
      where: 'line 2',
      message: 'B: The rotation db sets this value: run the rotation for a new one.',
    },
  ])
  expect(
    planFileImport(read, target, stored, new Map([['line 2', { isOut: true }]])).faults,
  ).toEqual([])
})

it('takes another place of the value, which is no value, of a secret that a store fills', async () => {
  const value_from = { external: { store: 'vault', key: 'prod/db' } }
  const stored = [{ ...shop, key: 'DB', scope: 'web', value_from }]
  const faultsOf = async (given: object) => {
    const text = JSON.stringify([{ key: 'DB', ...given }])
    return planFileImport(await readSecrets('json', text), target, stored).faults
  }
  expect(await faultsOf({ value_from })).toEqual([])
  expect(await faultsOf({ value_from: { external: { store: 'aws', key: 'db' } } })).toEqual([])
  expect(await faultsOf({ value: '' })).toHaveLength(1)
  expect(await faultsOf({ value_base64: '/wA=' })).toHaveLength(1)
})

it('leaves out a line, and puts one in another scope', async () => {
  const read = await readSecrets('dotenv', 'A=1\nA=2\nB=3\n')
  const choices = new Map([
    ['line 2', { isOut: true }],
    ['line 3', { scope: 'global' }],
  ])
  const plan = planFileImport(read, target, [{ ...shop, key: 'B', scope: 'global' }], choices)
  expect(plan.lines.map((line) => [line.key, line.scope, line.does])).toEqual([
    ['A', 'web', 'New'],
    ['A', 'web', 'Skipped'],
    ['B', 'global', 'NewValue'],
  ])
  expect(
    editsOfImport(read, plan, [{ id: 'sec_b', key: 'B', scope: 'global' } as Secret]),
  ).toMatchObject([
    { edit: { op: 'create', key: 'A', scope: 'web', bytes: 1 }, value: { value: '1' } },
    { edit: { op: 'update', key: 'B', secretId: 'sec_b' }, value: { value: '3' } },
  ])
})

it('leaves out what configures Compose, where it would go to every service and nobody chose it', async () => {
  const text = 'TAG=1.2\nWEB_PORT=80\nCOMPOSE_PROFILES=a\nA_TOKEN=1234567\n'
  const read = await readSecrets('dotenv', text)
  const choices = new Map([
    ['line 2', { scope: 'web' }],
    ['line 3', { isOut: false }],
  ])
  const does = (scope: string): string[] =>
    planFileImport(read, { ...target, scope }, [], choices).lines.map((line) => line.does)
  expect(does('global')).toEqual(['ConfiguresCompose', 'New', 'New', 'New'])
  expect(does('web')).toEqual(['New', 'New', 'New', 'New'])
})

it('leaves out what looks like no secret, but where its key is stored, a service is named, or somebody chose it', async () => {
  const read = await readSecrets('dotenv', 'MODE=a\nLEVEL=b\nZONE=c\nA_TOKEN=1234567\n')
  const stored = [{ ...shop, key: 'LEVEL', scope: 'api' }]
  const choices = new Map([['line 3', { isOut: false }]])
  const { lines } = planFileImport(read, { ...target, scope: 'global' }, stored, choices)
  expect(lines.map(({ does, visibility }) => [does, visibility])).toEqual([
    ['NoSecret', 'Plain'],
    ['New', 'Plain'],
    ['New', 'Plain'],
    ['New', 'Masked'],
  ])
  const named = planFileImport(read, target, stored)
  expect(named.lines.map((line) => line.does)).toEqual(['New', 'New', 'New', 'New'])
  expect(editsOfImport(read, named, []).map(({ edit }) => edit.fields)).toEqual([
    ...[1, 2, 3].map(() => ({ visibility: 'Plain' })),
    undefined,
  ])
})

it('keeps the visibility of what is stored, takes that of a list, and asks where a secret would be plain', async () => {
  const stored = [{ ...shop, key: 'MODE', scope: 'web' }]
  const read = await readSecrets('dotenv', 'MODE=a\nA_TOKEN=1234567\n')
  const choices = new Map([['line 2', { visibility: 'Plain' as const }]])
  const { lines } = planFileImport(read, target, stored, choices)
  expect(lines.map(({ visibility, doubt }) => [visibility, doubt])).toEqual([
    ['Masked', false],
    ['Plain', true],
  ])
  const list = JSON.stringify([
    { key: 'MODE', value: 'a' },
    { key: 'B', value: 'b', visibility: 'Plain' },
  ])
  const listed = planFileImport(await readSecrets('json', list), target, [])
  expect(listed.lines.map(({ visibility }) => visibility)).toEqual(['Masked', 'Plain'])
})

it('goes to the environments that are chosen, but for lines with a place of their own', async () => {
  const at = { scope: 'web', stagelet: '', environments: ['preview'] }
  const own = JSON.stringify([
    { key: 'A', value: 'a' },
    { key: 'B', value: 'b', stagelet: 'prod' },
  ])
  const read = await readSecrets('json', own)
  const stored = [{ ...shop, key: 'A', scope: 'web', environments: ['preview'] }]
  const plan = planFileImport(read, at, stored)
  expect(plan.lines.map(({ does, stagelet }) => [does, stagelet])).toEqual([
    ['NewValue', ''],
    ['New', 'prod'],
  ])
  expect(editsOfImport(read, plan, []).map(({ edit }) => edit.fields?.['environments'])).toEqual([
    ['preview'],
    undefined,
  ])
})

it('takes the place, the bytes and the fields of a list of secrets', async () => {
  const secrets = [
    { key: 'CERT', scope: 'proxy', type: 'file', value_base64: '/wA=', file_path: './c.pem' },
    { key: 'SALT', stagelet: 'prod', value_from: { generate: {} } },
  ]
  for (const format of ['json', 'yaml'] as const) {
    const read = await readSecrets(format, JSON.stringify({ secrets }))
    const plan = planFileImport(read, target, [])
    expect(editsOfImport(read, plan, [])).toMatchObject([
      {
        edit: { scope: 'proxy', type: 'file', bytes: 2, fields: { file_path: './c.pem' } },
        value: { value_base64: '/wA=' },
      },
      {
        edit: { scope: 'web', stagelet: 'prod', fields: { value_from: { generate: {} } } },
        value: undefined,
      },
    ])
  }
})

it('refuses in a list what no secret has, without a byte of it', async () => {
  const list = [
    { key: 'A' },
    { key: 'B', value: 1 },
    { key: 'C', value: 'hush', secrte: 'hush' },
    { value: 'hush' },
    'hush',
  ]
  const { faults, lines } = await readSecrets('json', JSON.stringify(list))
  expect(lines).toEqual([])
  expect(faults.map(({ where }) => where)).toEqual(list.map((_, index) => `secrets[${index}]`))
  expect(JSON.stringify(faults)).not.toContain('hush')
})

it('knows each field that a secret of a file may have', () => {
  expect([...textFields, ...otherFields].sort()).toEqual(
    secretFields
      .map(({ name }) => name)
      .filter((name) => name !== 'sealed_value')
      .sort(),
  )
})

it('takes the format from the name of the file, or from how the text begins', () => {
  expect(formatOf('secrets.YML', '')).toBe('yaml')
  expect(formatOf('secrets.json', '')).toBe('json')
  expect(formatOf('.env.json5', '{')).toBe('dotenv')
  expect(formatOf(undefined, ' {"A": "1"}')).toBe('json')
  expect(formatOf(undefined, 'A={}')).toBe('dotenv')
})
