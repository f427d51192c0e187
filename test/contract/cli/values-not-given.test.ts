// What the answer to a write tells of a value that its writer did not give: nothing, unless they may
// read values. Over both APIs, by role.
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseSealingKey, sealValue } from '../../../src/protocol/sealed-value.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'

const canary = 'n0t-g1ven-canary'
const group = '/apis/stagely.dev/v1alpha1/namespaces/red'
const kube = `${group}/stagelysecrets`
const roles = ['developer', 'maintainer'] as const
type Role = (typeof roles)[number]

let controller: TestController
let rest: string
let sealingKey: Buffer
const tokens: Partial<Record<Role, string>> = {}

const call = async (
  role: Role | 'admin',
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> => {
  const type =
    method !== 'PATCH'
      ? 'application/json'
      : path.includes('fieldManager')
        ? 'application/apply-patch+yaml'
        : 'application/merge-patch+json'
  const login = role === 'admin' ? controller.token : tokens[role]
  const headers = { authorization: `Bearer ${login ?? ''}`, 'content-type': type }
  const answer = await controller.call(method, path, {
    headers,
    ...(body === undefined ? {} : { body }),
  })
  expect(answer.text).not.toContain(canary)
  return answer
}
const must = async (...args: Parameters<typeof call>): Promise<Answer> => {
  const answer = await call(...args)
  if (answer.status >= 300)
    throw new Error(`${args[1]} ${args[2]}: ${answer.status} ${answer.text}`)
  return answer
}

const objectOf = (name: string, spec: object): object => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata: { name },
  spec: { projectRef: { name: 'shop' }, key: keyOf(name), ...spec },
})
const keyOf = (name: string): string => name.toUpperCase().replaceAll('-', '_')

let count = 0
/** A secret of the maintainer's; its name. */
const stored = async (spec: object): Promise<string> => {
  const name = `stored-${++count}`
  await must('maintainer', 'POST', kube, objectOf(name, spec))
  return name
}
const right = { format: 'regex', pattern: `${canary.slice(0, 3)}.*` }
const wrong = { format: 'regex', pattern: 'x.*' }

/** As it lies in Git, for whoever reads that: made by somebody else. */
const sealed = (name: string, value = canary): { sealedValue: string } => {
  const place = { namespace: 'red', project: 'shop', key: keyOf(name), scope: 'global' }
  return { sealedValue: sealValue(sealingKey, place, Buffer.from(value)) }
}

interface Stored {
  readonly metadata: object
  readonly spec: object
}

interface Probe {
  readonly method: string
  readonly path: string
  readonly body: unknown
}
type Probes = Readonly<Record<string, (rule: typeof right) => Promise<Probe>>>

const patchOf = (name: string, spec: object, query = ''): Probe => ({
  method: 'PATCH',
  path: `${kube}/${name}${query}`,
  body: { spec },
})

/** Each asks whether a stored value matches a pattern. */
const probes: Probes = {
  'a patch': async (rule) => patchOf(await stored({ value: canary }), rule),
  'a dry run': async (rule) => patchOf(await stored({ value: canary }), rule, '?dryRun=All'),
  'a replacement': async (rule) => {
    const path = `${kube}/${await stored({ value: canary })}`
    const { metadata, spec, ...more } = (await must('developer', 'GET', path)).json<Stored>()
    return { method: 'PUT', path, body: { ...more, metadata, spec: { ...spec, ...rule } } }
  },
  'server-side apply': async (rule) => {
    const name = await stored({ value: canary })
    const path = `${kube}/${name}?fieldManager=me&force=true&dryRun=All`
    return { method: 'PATCH', path, body: objectOf(name, rule) }
  },
  'a new follower': async (rule) => {
    const secretRef = { name: await stored({ value: canary }) }
    const body = objectOf(`probe-${++count}`, { valueFrom: { secretRef }, ...rule })
    return { method: 'POST', path: kube, body }
  },
  'a follower of another one': async (rule) => {
    const secretRef = { name: await stored({ value: canary }) }
    const [own, pattern] = [`own-${++count}`, `own|${rule.pattern}`]
    await must('developer', 'POST', kube, objectOf(own, { value: 'own', ...rule, pattern }))
    return patchOf(own, { valueFrom: { secretRef } })
  },
  'a template': async (rule) => {
    const value = `\${${keyOf(await stored({ value: canary }))}}`
    const body = objectOf(`probe-${++count}`, { references: true, value, ...rule })
    return { method: 'POST', path: `${kube}?dryRun=All`, body }
  },
  'the pattern of a template': async (rule) => {
    const value = `\${${keyOf(await stored({ value: canary }))}}`
    return patchOf(await stored({ references: true, value }), rule)
  },
  'a value that becomes a template under its pattern': async (rule) => {
    const value = `\${${keyOf(await stored({ value: canary }))}}`
    const own = `own-${++count}`
    const pattern = `\\$.*|${rule.pattern}`
    await must('developer', 'POST', kube, objectOf(own, { value, ...rule, pattern }))
    return patchOf(own, { references: true })
  },
  'a new text of a template under its pattern': async (rule) => {
    const hidden = keyOf(await stored({ value: canary }))
    const own = `own-${++count}`
    const pattern = `own|${rule.pattern}`
    await must(
      'developer',
      'POST',
      kube,
      objectOf(own, { value: 'own', references: true, ...rule, pattern }),
    )
    return patchOf(own, { value: `\${${hidden}}` })
  },
  'a rollback onto a pattern': async (rule) => {
    const name = await stored({ value: canary })
    await must('developer', 'PATCH', `${kube}/${name}`, {
      spec: { value: 'own', ...rule, pattern: `own|${rule.pattern}` },
    })
    return { method: 'POST', path: `${rest}/secrets/${name}/rollback`, body: { version: 1 } }
  },
  'a rollback of what a follower follows': async (rule) => {
    const name = await stored({ value: canary })
    await must('developer', 'PATCH', `${kube}/${name}`, { spec: { value: 'own' } })
    const follower = { valueFrom: { secretRef: { name } }, ...rule, pattern: `own|${rule.pattern}` }
    await must('maintainer', 'POST', kube, objectOf(`probe-${++count}`, follower))
    return { method: 'POST', path: `${rest}/secrets/${name}/rollback`, body: { version: 1 } }
  },
  'what comes back below a follower': async (rule) => {
    const name = await stored({ value: canary })
    await must('developer', 'DELETE', `${kube}/${name}`)
    const follower = { valueFrom: { secretRef: { name } }, ...rule }
    await must('developer', 'POST', kube, objectOf(`probe-${++count}`, follower))
    return { method: 'POST', path: `${rest}/secrets/${name}/restore`, body: undefined }
  },
  'a sealed value': async (rule) => {
    const name = `probe-${++count}`
    const body = objectOf(name, { ...sealed(name), ...rule })
    return Promise.resolve({ method: 'POST', path: `${kube}?dryRun=All`, body })
  },
  'a sealed value under a pattern': async (rule) => {
    const own = `own-${++count}`
    const pattern = `own|${rule.pattern}`
    await must('developer', 'POST', kube, objectOf(own, { value: 'own', ...rule, pattern }))
    return patchOf(own, sealed(own))
  },
  'a sealed value that a follower takes': async (rule) => {
    const name = await stored({ value: 'own' })
    const follower = { valueFrom: { secretRef: { name } }, ...rule, pattern: `own|${rule.pattern}` }
    await must('maintainer', 'POST', kube, objectOf(`probe-${++count}`, follower))
    return patchOf(name, sealed(name))
  },
  'REST update': async (rule) => {
    const name = await stored({ value: canary })
    return { method: 'PATCH', path: `${rest}/secrets/${name}`, body: rule }
  },
  'REST create': async (rule) => {
    const value_from = { secretRef: { name: await stored({ value: canary }) } }
    const body = { key: `PROBE_${++count}`, value_from, ...rule }
    return { method: 'POST', path: `${rest}/secrets`, body }
  },
  'REST batch': async (rule) => {
    const operations = [{ op: 'update', id: await stored({ value: canary }), ...rule }]
    return { method: 'POST', path: `${rest}/secrets/batch`, body: { operations } }
  },
}

/** Once more where the controller has written a status meanwhile. */
const ask = async (role: Role, make: Probes[string], rule: typeof right): Promise<Answer> => {
  for (;;) {
    const { method, path, body } = await make(rule)
    const answer = await call(role, method, path, body)
    if (answer.status !== 409) return answer
  }
}

beforeAll(async () => {
  controller = await startTestController()
  await must('admin', 'POST', '/api/v1/teams', { name: 'red' })
  const project = {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'Project',
    metadata: { name: 'shop' },
  }
  await must('admin', 'POST', `${group}/projects`, project)
  rest = '/api/v1/projects/red%2Fshop'
  const key = (await must('admin', 'GET', '/api/v1/sealing-key')).json<{ public_key: string }>()
  sealingKey = parseSealingKey(key.public_key)
  for (const role of roles) {
    await must('admin', 'POST', '/api/v1/users', { name: role })
    await must('admin', 'PUT', `/api/v1/teams/red/members/${role}`, { role })
    const made = await must('admin', 'POST', `/api/v1/users/${role}/tokens`, { name: 'test' })
    tokens[role] = made.json<{ token: string }>().token
  }
})
afterAll(() => controller.remove())

describe('whether a value that the writer did not give has a format', () => {
  it.each(Object.entries(probes))('is not told to a developer by %s', async (_, make) => {
    for (const rule of [right, wrong]) {
      const answer = await ask('developer', make, rule)
      expect([answer.status, answer.text]).toEqual([
        403,
        expect.stringContaining(
          'right to get stagelysecrets/value (roles that have it: owner, maintainer)',
        ),
      ])
    }
  })

  it.each(Object.entries(probes))('is told to a maintainer by %s', async (_, make) => {
    const statuses: number[] = []
    for (const rule of [right, wrong]) {
      statuses.push((await ask('maintainer', make, rule)).status)
    }
    expect(statuses).toEqual([expect.toBeOneOf([200, 201]), 422])
  })

  it('is not told by a review of a change set, where it is a fault of that object', async () => {
    const name = await stored({ value: canary })
    const template = { references: true, value: `\${${keyOf(name)}}` }
    const review = async (role: Role, rule: object): Promise<string[]> => {
      const objects = [objectOf(name, rule), objectOf('new', { ...template, ...rule })]
      const answer = await must(role, 'POST', `${group}/changesetreviews`, {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'ChangeSetReview',
        spec: { objects },
      })
      const { status } = answer.json<{ status: { faults: { message: string }[] } }>()
      return status.faults.map(({ message }) => message)
    }
    const refused = [
      expect.stringContaining('get stagelysecrets/value'),
      expect.stringContaining('get stagelysecrets/value'),
    ]
    expect(await review('developer', right)).toEqual(refused)
    expect(await review('developer', wrong)).toEqual(refused)
    expect(await review('maintainer', right)).toEqual([])
    expect(await review('maintainer', wrong)).toHaveLength(2)
  })

  it('is not even looked at in a review of what they may not write', async () => {
    const malformed = { key: 'A', projectRef: { name: 'shop' }, value: 'x', format: 'port' }
    const { status } = (
      await must('developer', 'POST', `${group}/changesetreviews`, {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'ChangeSetReview',
        spec: {
          objects: ['default', 'red'].map((namespace) => ({
            apiVersion: 'stagely.dev/v1alpha1',
            kind: 'StagelySecret',
            metadata: { name: 'a', namespace },
            spec: malformed,
          })),
        },
      })
    ).json<{ status: { faults: object[] } }>()
    expect(status.faults).toEqual([
      { index: 0, field: '', message: expect.stringContaining('is forbidden') as string },
      { index: 1, field: 'spec.value', message: expect.stringContaining('port') as string },
    ])
  })

  it('is audited as a refused attempt of the team', async () => {
    const name = await stored({ value: canary })
    await call('developer', 'PATCH', `${rest}/secrets/${name}`, right)
    const route = encodeURIComponent('/api/v1/projects/:project_id/secrets/:secret_id')
    const query = `by=developer&action=deny&namespace=red&name=${route}`
    const { rows } = (await must('admin', 'GET', `/api/v1/audit?${query}`)).json<{
      rows: object[]
    }>()
    expect(rows).toContainEqual(
      expect.objectContaining({
        detail: expect.objectContaining({ status: 403, why: 'Role' }) as object,
      }),
    )
  })
})

interface Shown {
  readonly status: { readonly references?: string[]; readonly publicKey?: string }
}

describe('what else a value that the writer did not give would show', () => {
  const refused = [403, expect.stringContaining('right to get stagelysecrets/value')]

  it('is what stands in it between braces: no developer makes it a template', async () => {
    const value = `${canary}\${INNER}`
    await must('maintainer', 'POST', kube, objectOf('inner', { value: 'x' }))
    const name = await stored({ value })
    const probe = `probe-${++count}`
    const template = objectOf(probe, { references: true, ...sealed(probe, value) })
    const ways = async (role: Role): Promise<Answer[]> => [
      await call(role, 'PATCH', `${kube}/${name}?dryRun=All`, { spec: { references: true } }),
      await call(role, 'PATCH', `${rest}/secrets/${name}`, { references: true }),
      await call(role, 'POST', `${kube}?dryRun=All`, template),
    ]
    for (const { status, text } of await ways('developer')) expect([status, text]).toEqual(refused)
    const [patched, , made] = await ways('maintainer')
    for (const answer of [patched!, made!])
      expect(answer.json<Shown>().status.references).toEqual(['INNER'])
  })

  it('is the public half of a private key: no developer rolls back to one in place of a made one', async () => {
    const keys = generateKeyPairSync('ed25519')
    const pem = keys.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    const name = await stored({ value: pem })
    const valueFrom = { generate: { keypair: 'ed25519' } }
    await must('developer', 'PATCH', `${kube}/${name}`, { spec: { valueFrom } })
    const rollBack = (role: Role): Promise<Answer> =>
      call(role, 'POST', `${rest}/secrets/${name}/rollback`, { version: 1 })
    const { status, text } = await rollBack('developer')
    expect([status, text]).toEqual(refused)
    expect((await rollBack('maintainer')).status).toBe(200)
    const { publicKey } = (await must('developer', 'GET', `${kube}/${name}`)).json<Shown>().status
    expect(createPublicKey(publicKey ?? '').equals(keys.publicKey)).toBe(true)
  })
})

describe('a developer', () => {
  const as = (method: string, path: string, body?: unknown): Promise<Answer> =>
    must('developer', method, path, body)

  it('gives a value together with its pattern, in every way, and is told what is wrong with it', async () => {
    const name = await stored({ value: canary })
    await as('PATCH', `${kube}/${name}`, { spec: { value: 'x1', ...wrong } })
    await as('PATCH', `${rest}/secrets/${name}`, { value: 'y1', format: 'regex', pattern: 'y.*' })
    const generate = { length: 12, charset: 'digits' }
    await as(
      'POST',
      kube,
      objectOf(`own-${++count}`, { valueFrom: { generate }, format: 'regex', pattern: '\\d{12}' }),
    )
    const refused = await call('developer', 'PATCH', `${kube}/${name}`, { spec: { value: 'z1' } })
    expect([refused.status, refused.text]).toEqual([
      422,
      expect.stringContaining('match spec.pattern'),
    ])
  })

  it('changes all else of a secret whose format stays, and moves, deletes and restores it', async () => {
    const name = await stored({ value: 'x', ...wrong })
    await as('PATCH', `${kube}/${name}`, { metadata: { labels: { a: 'b' } } })
    await as('PATCH', `${kube}/${name}`, { spec: { ...wrong, scope: 'web' } })
    await as('DELETE', `${kube}/${name}`)
    await as('POST', `${rest}/secrets/${name}/restore`)
    await as('PATCH', `${kube}/${name}`, { spec: { format: null, pattern: null } })
  })

  it('gives a value that others follow and refer to, under the formats of these', async () => {
    const name = await stored({ value: '80' })
    const follower = await stored({ valueFrom: { secretRef: { name } }, format: 'port' })
    await stored({ references: true, value: `http://db:\${${keyOf(name)}}`, format: 'url' })
    await as('PATCH', `${kube}/${name}`, { spec: { value: '81' } })
    await as('PATCH', `${kube}/${follower}`, { spec: { scope: 'web' } })
    const refused = await call('developer', 'PATCH', `${kube}/${name}`, { spec: { value: 'no' } })
    expect(refused.status).toBe(422)
  })

  it('applies a sealed value that is stored already, whatever its format, and any where there is none', async () => {
    const name = await stored({ value: canary, ...right })
    await as('PATCH', `${kube}/${name}`, { spec: sealed(name) })
    const probe = `probe-${++count}`
    await as('POST', kube, objectOf(probe, sealed(probe)))
    await as('PATCH', `${kube}/${probe}`, { spec: sealed(probe, 'another') })
  })

  it('makes a value that a template with a format refers to no other template', async () => {
    const hidden = keyOf(await stored({ value: canary }))
    const name = await stored({ value: 'x' })
    await stored({ references: true, value: `\${${keyOf(name)}}`, ...wrong })
    const spec = { references: true, value: `x\${${hidden}}` }
    const refused = await call('developer', 'PATCH', `${kube}/${name}`, { spec })
    expect([refused.status, refused.text]).toEqual([
      403,
      expect.stringMatching(/the format of secret \\"stored-\d+\\" would be checked/),
    ])
  })
})
