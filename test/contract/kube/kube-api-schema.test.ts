// What the server enforces, against what the CRDs say: each field at its edges, one by one and together.
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { objectSchema } from '../../../src/resources/schemas/crd.ts'
import { crdKinds } from '../../../src/kinds/index.ts'
import { valueFields } from '../../../src/kinds/secret/value.ts'
import { startTestController, type TestController } from '../../support/programs/controller.ts'
import {
  brokenRules,
  pruned,
  violations,
  withDefaults,
  type StructuralSchema,
} from '../../support/kube/structural-schema.ts'
import { bases } from '../../support/kube/good-specs.ts'
import { runs, soak } from '../../support/soak.ts'
import { maxBodyBytes } from '../../../controller/http/kube/body.ts'

const apiVersion = 'stagely.dev/v1alpha1'
type Spec = Record<string, unknown>
type Path = readonly (string | number)[]
interface Change {
  readonly path: Path
  /** undefined: the field is left out. */
  readonly value: unknown
}

/** What depends on more than the object, or is about the bytes of a value. */
const beyondSchemas = [
  // No schema of one object knows the project of the secret that it names.
  /^Invalid value: "other": that secret is of project "shop"$/,
  /not found in namespace/,
  // A template for previews is judged with its project.
  /spec\.environments does not list it|previews need|agentRef or agentSelector, not both|it needs \{name\}/,
  /no such key provider/,
  // Claims of a rule are the server's to judge.
  /must be public keys as JSON|at least one claim|checked of each token|stands after|name one of /,
  /must be standard base64/,
  /is over: give a time to come/,
  /is a link-local address, where clouds keep credentials/,
  /is not within after/,
  /no such time zone/,
  /the window never opens/,
  /longer than the overlap/,
  / makes [\w, ]+$/,
  /changes it at each turn/,
  /another output has the same secret/,
  /name the secret of one output at least/,
  /with inPlace there is one login|two take turns: give two names/,
  /and cannot take turns/,
  /only postgres and mariadb can change a password in place/,
  /must be UTF-8 text/,
  /may not be more than \d+ bytes/,
  /\(format: \w+\)( \(in stagelet "web"\))?$/,
]

const odd = [
  'text',
  '',
  'A b',
  '/abs',
  '../up',
  'ümlaut',
  '0600',
  null,
  7,
  -1,
  1.5,
  1e21,
  true,
  {},
  [],
  ['x'],
  [''],
  [7],
]

const edgesOf = (schema: StructuralSchema): unknown[] => [
  ...(schema.enum ?? []),
  ...(schema.maxLength === undefined
    ? []
    : ['a'.repeat(schema.maxLength), 'a'.repeat(schema.maxLength + 1)]),
  ...[schema.minimum, schema.maximum].flatMap((n) => (n === undefined ? [] : [n - 1, n, n + 1])),
]

/** Where a value is left empty, which a cluster takes for none and we refuse. */
const isEmptyValue = (path: Path, value: unknown): boolean =>
  value === null && valueFields.some((name) => name === path.at(-1))

/** Of the odd values, how many a field meets in the short form: others for each field. */
const oddOnes = soak(3, odd.length)
let met = 0

const changesOf = (schema: StructuralSchema, path: Path): Change[] => {
  const some = Array.from({ length: oddOnes }, () => odd[met++ % odd.length])
  const given = [undefined, ...some, ...edgesOf(schema)]
  const here = path.length === 0 ? [] : given.filter((value) => !isEmptyValue(path, value))
  return [
    ...here.map((value) => ({ path, value })),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
      changesOf(child, [...path, name]),
    ),
  ]
}

const fieldsOf = (schema: StructuralSchema, path: Path): string[] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const field = [...path, name]
    return [field.join('.'), ...fieldsOf(child, field)]
  })

/** What a cluster keeps of a good spec, and we show of it. */
const storedBy = (schema: StructuralSchema, spec: Spec): Spec =>
  Object.fromEntries(
    Object.entries(pruned(schema, withDefaults(schema, spec)) as Spec).filter(
      ([name]) => !valueFields.some((hidden) => hidden === name),
    ),
  )

const changed = (spec: Spec, { path, value }: Change): Spec => {
  const copy = structuredClone(spec)
  let at: unknown = copy
  for (const step of path.slice(0, -1)) {
    if (typeof at !== 'object' || at === null) return copy
    at = (at as Spec)[step]
  }
  if (typeof at !== 'object' || at === null || Array.isArray(at)) return copy
  if (value === undefined) Reflect.deleteProperty(at, path.at(-1)!)
  else (at as Spec)[path.at(-1)!] = value
  return copy
}

let server: TestController
beforeAll(async () => {
  server = await startTestController()
  const create = (plural: string, kind: string, name: string, spec: Spec): Promise<unknown> =>
    server.call('POST', `/apis/${apiVersion}/namespaces/default/${plural}`, {
      body: { apiVersion, kind, metadata: { name }, spec },
    })
  await create('projects', 'Project', 'shop', {})
  const other = { projectRef: { name: 'shop' }, key: 'OTHER', value: 'another long value' }
  await create('stagelysecrets', 'StagelySecret', 'other', other)
})
afterAll(() => server.remove())

interface Verdict {
  readonly code: number
  /** Of a good one, as it would be stored. */
  readonly spec: Spec | undefined
  readonly causes: { field: string; message: string }[]
}

describe.each(crdKinds.map((kind) => [kind.kind, kind] as const))('the schema of %s', (_, kind) => {
  const whole = objectSchema(kind) as unknown as StructuralSchema
  const schema = whole.properties!['spec']!
  const changes = changesOf(schema, [])

  const serverVerdict = async (spec: Spec, query = ''): Promise<Verdict> => {
    const answer = await server.call(
      'POST',
      `/apis/${apiVersion}/namespaces/default/${kind.plural}?dryRun=All${query}`,
      { body: { apiVersion, kind: kind.kind, metadata: { name: 'probe' }, spec } },
    )
    const { details, ...object } = answer.json<{
      details?: { causes?: Verdict['causes'] }
      spec?: Spec
    }>()
    return { code: answer.status, causes: details?.causes ?? [], spec: object.spec }
  }

  /** undefined when CRD and server agree; else what they say. */
  const disagreement = async (spec: Spec): Promise<string | undefined> => {
    const wrong = violations(schema, spec, 'spec')
    const rules = wrong.length > 0 ? [] : brokenRules(schema, withDefaults(schema, spec))
    const { code, causes, spec: stored } = await serverVerdict(spec)
    // Two values at their bounds are more than a body holds.
    if (JSON.stringify(spec).length > maxBodyBytes) return code === 413 ? undefined : String(code)
    const unexplained = causes.filter(
      ({ field, message }) =>
        !wrong.some((path) => field === path || path.startsWith(`${field}.`)) &&
        !rules.some((rule) => message.includes(rule)) &&
        !beyondSchemas.some((pattern) => pattern.test(message)),
    )
    const unsaid = [
      ...wrong.filter(
        (path) => !causes.some(({ field }) => field === path || path.startsWith(`${field}.`)),
      ),
      ...rules.filter((rule) => !causes.some(({ message }) => message.includes(rule))),
    ]
    const crossField = wrong.length > 0 // the server looks at rules even where a field is wrong
    const agrees =
      unsaid.length === 0 &&
      (crossField ? code === 422 : unexplained.length === 0) &&
      (causes.length > 0 ? code === 422 : code === 201) &&
      (code !== 201 || isDeepStrictEqual(stored, storedBy(schema, spec)))
    if (agrees) return undefined
    return JSON.stringify({ spec, crd: [...wrong, ...rules], server: { code, causes, stored } })
  }

  it('is enforced field by field', async () => {
    const all = bases[kind.kind]!
    for (const base of all) expect(await disagreement(base)).toBeUndefined()
    const tried = new Set<string>()
    // Each change meets the first spec that it changes, and others in turn.
    const others = soak(1, all.length)
    const specs = changes.flatMap((change, at) => {
      const inTurn = Array.from({ length: others }, (_, i) => all[(at + i) % all.length]!)
      const differs = (base: Spec): boolean => !isDeepStrictEqual(changed(base, change), base)
      const met = new Set([...all.filter(differs).slice(0, 1), ...inTurn.filter(differs)])
      if (met.size > 0) tried.add(change.path.join('.'))
      return [...met].map((base) => changed(base, change))
    })
    const faults: string[] = []
    // A few at a time share their connections: to open one costs more than a request.
    for (let at = 0; at < specs.length; at += 8) {
      const found = await Promise.all(specs.slice(at, at + 8).map(disagreement))
      faults.push(...found.filter((fault) => fault !== undefined))
    }
    expect(faults).toEqual([])
    expect([...tried].sort()).toEqual(fieldsOf(schema, []).sort())
  }, 180_000)

  it('is enforced whatever comes together', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...bases[kind.kind]!),
        fc.array(fc.constantFrom(...changes), { minLength: 2, maxLength: 5 }),
        async (base, several) => {
          expect(await disagreement(several.reduce(changed, base))).toBeUndefined()
        },
      ),
      runs(12, 400),
    )
  })

  it('knows each field: another is refused under Strict, wherever it stands', async () => {
    const maps = new Set(['outputs', 'preview.variables', 'preview.images'])
    maps.add('preview.agentSelector.matchLabels')
    const paths = [...new Map(changes.map(({ path }) => [path.join('.'), path])).values()]
    for (const base of bases[kind.kind]!) {
      const owners = [[], ...paths].filter((path) => {
        if (maps.has(path.join('.'))) return false // any name is known there
        const at = path.reduce<unknown>((v, step) => (v as Spec | undefined)?.[step], base)
        return typeof at === 'object' && !Array.isArray(at)
      })
      for (const path of owners) {
        const spec = changed(base, { path: [...path, 'unheardOf'], value: 1 })
        expect((await serverVerdict(spec, '&fieldValidation=Strict')).code).toBe(400)
        expect((await serverVerdict(spec, '&fieldValidation=Ignore')).code).toBe(201)
      }
    }
  })
})
