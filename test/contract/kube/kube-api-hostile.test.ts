// What must not get through, take the server down, or hold up the others: odd paths, odd bodies.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createControllerClient } from '../../../agent/link/controller-client.ts'
import { joinController } from '../../../agent/link/join.ts'
import { createRequestSigner } from '../../../agent/link/request-signer.ts'
import { realClock } from '../../../src/kernel/clock.ts'
import { parseJoinToken } from '../../../src/protocol/join-token.ts'
import { agentPaths } from '../../../src/protocol/messages.ts'
import { joinBody } from '../../support/agents/join-body.ts'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'

let server: TestController
beforeAll(async () => {
  server = await startTestController()
  await create('projects', object('Project', 'shop'))
})
afterAll(() => server.remove())

const base = '/apis/stagely.dev/v1alpha1/namespaces/default'
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

const object = (kind: string, name: string, spec: object = {}, metadata: object = {}): object => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind,
  metadata: { name, ...metadata },
  spec,
})
const secret = (name: string, spec: object, metadata: object = {}): object =>
  object('StagelySecret', name, { projectRef: { name: 'shop' }, key: 'K', ...spec }, metadata)
const create = (plural: string, body: object): Promise<Answer> =>
  server.call('POST', `${base}/${plural}`, { body })

describe('hostile requests', () => {
  it('keep no misspelt value in the last-applied annotation', async () => {
    const applied = JSON.stringify(secret('typo', { vlaue: 'canary-typo' }))
    const made = await create(
      'stagelysecrets',
      secret('typo', { vlaue: 'canary-typo' }, { annotations: { [lastApplied]: applied } }),
    )
    expect(made.status).toBe(201)
    const read = await server.call('GET', `${base}/stagelysecrets/typo`)
    expect(read.text).toContain('last-applied')
    expect(made.text + read.text).not.toContain('canary')
  })

  it('are told when a value is too short to be masked, and not when it is long enough', async () => {
    const short = await create('stagelysecrets', secret('short', { key: 'PORT', value: '8080' }))
    expect(short.headers.warning).toContain('shorter than 8 bytes')
    expect(short.headers.warning).not.toContain('8080')
    const merge = { 'content-type': 'application/merge-patch+json' }
    const path = `${base}/stagelysecrets/short`
    const longer = await server.call('PATCH', path, {
      body: { spec: { value: 'long-enough' } },
      headers: merge,
    })
    expect(longer.headers.warning).toBeUndefined()
    const back = await server.call('PATCH', path, {
      body: { spec: { value: '8081' } },
      headers: merge,
    })
    expect(back.headers.warning).toContain('shorter than 8 bytes')
  })

  it('are told once of a field that nobody knows, also by a write that is begun anew', async () => {
    await create('stagelysecrets', secret('anew', { key: 'ANEW', value: 'long-enough' }))
    // The value that is to be sealed for another place is read outside of the write, which is then run again.
    const spec = { scope: 'web', unknwon: 'x' }
    const answer = await server.call('PATCH', `${base}/stagelysecrets/anew`, {
      body: { spec },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect(answer.status).toBe(200)
    expect(String(answer.headers.warning).match(/unknown field/g)).toHaveLength(1)
  })

  it('are told when a short value is generated or followed', async () => {
    const generate = { length: 4, charset: 'digits' }
    const made = await create(
      'stagelysecrets',
      secret('pin', { key: 'PIN', valueFrom: { generate } }),
    )
    expect(made.headers.warning).toContain('spec.valueFrom: shorter than 8 bytes')
    const secretRef = { name: 'pin' }
    const body = secret('pin2', { key: 'PIN2', valueFrom: { secretRef } })
    const followed = await create('stagelysecrets', body)
    expect(followed.headers.warning).toContain('spec.valueFrom: shorter than 8 bytes')
  })

  it('are told of what is odd, by both APIs, and not again for each new value', async () => {
    const text = 'canary-line\n'.repeat(200)
    const warnings = async (path: string, method: string, body: unknown): Promise<string> => {
      const headers = method === 'PATCH' && path.startsWith('/apis')
      const init = headers
        ? { body, headers: { 'content-type': 'application/merge-patch+json' } }
        : { body }
      const answer = await server.call(method, path, init)
      expect([200, 201], answer.text).toContain(answer.status)
      expect(answer.headers.warning ?? '').not.toContain('canary')
      return answer.headers.warning ?? ''
    }
    await create('projects', object('Project', 'odd', {}))
    const spec = { projectRef: { name: 'odd' }, key: 'LONG', value: text }
    const first = await warnings(
      `${base}/stagelysecrets`,
      'POST',
      object('StagelySecret', 'long', spec),
    )
    expect(first).toContain('spec.value: holds a line break')
    expect(first).toContain('spec.value: 2400 bytes are much for an environment variable')
    expect(first).toContain('docker inspect')
    const rest = '/api/v1/projects/default%2Fodd/secrets'
    const second = await warnings(rest, 'POST', { key: 'SECOND', value: text })
    expect(second).toContain('299 - "value: holds a line break')
    expect(second).toContain('299 - "value: 2400 bytes')
    expect(second).not.toContain('docker inspect')
    const path = `${base}/stagelysecrets/long`
    expect(await warnings(path, 'PATCH', { spec: { value: 'canary-short' } })).toBe('')
    const file = { key: 'F', value: text, type: 'file', file_target: '/f' }
    expect(await warnings(rest, 'POST', file)).toBe('')
  })

  it('get warnings that clients can take', async () => {
    const long = await create('projects', object('Project', 'long', { ['x'.repeat(30_000)]: 1 }))
    expect(long.status).toBe(201)
    expect(long.headers.warning?.length).toBeLessThan(400)
  })

  it('with a NUL in the path find nothing', async () => {
    for (const method of ['GET', 'PATCH', 'DELETE'])
      expect((await server.call(method, `${base}/projects/a%00b`)).status).toBe(404)
    expect((await server.call('POST', `${base}/agents/a%00b/token`, { body: {} })).status).toBe(404)
  })

  it('to join with a token that cannot be one are refused', async () => {
    const made = await server.call('POST', `${base}/agents/odd/token`, { body: {} })
    const token = parseJoinToken(made.json<{ status: { token: string } }>().status.token)
    const body = joinBody({ ...token, tokenId: 'a\0' })
    const join = await server.call('POST', '/agent/v1/join', { body })
    expect([join.status, join.text]).toEqual([400, expect.stringContaining('tokenId') as string])
  })

  it('with text that cannot be stored name the field', async () => {
    const half = String.fromCharCode(0xd800)
    for (const [name, text] of Object.entries({ nul: 'a\0b', half })) {
      const note = await create(
        'projects',
        object('Project', name, {}, { annotations: { a: text } }),
      )
      expect(note.json()).toMatchObject({
        code: 422,
        details: { causes: [{ field: 'metadata.annotations.a' }] },
      })
      const spec = await create('projects', object('Project', name, { description: text }))
      expect(spec.json()).toMatchObject({
        code: 422,
        details: { causes: [{ field: 'spec.description' }] },
      })
    }
  })

  it('that name owners of fields in text that cannot be stored are taken without those', async () => {
    const path = `${base}/projects/shop`
    for (const odd of [
      { manager: 'a\0b' },
      { manager: 'm', time: '\0' },
      { manager: 'm', fieldsV1: { 'f:spec': { 'f:\ud800': {} } } },
    ]) {
      const of = { operation: 'Update', apiVersion: 'stagely.dev/v1alpha1', fieldsType: 'FieldsV1' }
      const managedFields = [{ ...of, fieldsV1: { 'f:spec': {} }, ...odd }]
      // Without a version: the controller writes the project's status meanwhile.
      const patch = await server.call('PATCH', path, {
        body: { metadata: { managedFields } },
        headers: { 'content-type': 'application/merge-patch+json' },
      })
      expect([patch.status, patch.text]).toEqual([
        200,
        expect.not.stringMatching(/\\u0000|\\ud800/),
      ])
    }
  })

  it('by ever new managers add owners of fields only up to a limit', async () => {
    const annotations = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, i) => [`${'p'.repeat(240)}/a${i}`, 'x']),
    )
    const path = `${base}/projects/owned`
    const apply = (manager: string): Promise<Answer> =>
      server.call('PATCH', `${path}?fieldManager=${manager}`, {
        body: object('Project', 'owned', {}, { annotations }),
        headers: { 'content-type': 'application/apply-patch+yaml' },
      })
    const answers: Answer[] = []
    for (const manager of ['a', 'b', 'c', 'd', 'e']) answers.push(await apply(manager))
    const last = answers.at(-1)!
    expect(answers[0]!.status).toBe(201)
    expect([last.status, last.text]).toEqual([413, expect.stringContaining('managedFields')])
    const reset = await server.call('PATCH', path, {
      body: { metadata: { managedFields: [{}] } },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect(reset.status).toBe(200)
    expect((await apply('e')).status).toBe(200)
  })

  it('nested without end are refused', async () => {
    const deep = '['.repeat(50_000) + ']'.repeat(50_000)
    const body = `{"apiVersion":"stagely.dev/v1alpha1","kind":"Project","metadata":{"name":"d"},"spec":${deep}}`
    const post = await server.call('POST', `${base}/projects`, {
      raw: body,
      headers: { 'content-type': 'application/json' },
    })
    expect(post.status).toBe(400)
    const patch = await server.call('PATCH', `${base}/projects/shop`, {
      raw: `{"spec":${deep}}`,
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect(patch.status).toBe(400)
  })

  it('of more values or signs than an object has are refused before they are looked at', async () => {
    const post = (type: string, spec: string): Promise<Answer> =>
      server.call('POST', `${base}/stagelets`, {
        raw: `{"apiVersion":"stagely.dev/v1alpha1","kind":"Stagelet","metadata":{"name":"w"},"spec":${spec}}`,
        headers: { 'content-type': type },
      })
    const files = (count: number): string => `{"compose":{"files":[${'1,'.repeat(count)}1]}}`
    const wide = await post('application/json', files(100_001))
    expect([wide.status, wide.text]).toEqual([413, expect.stringContaining('100000 values')])
    const labels = (count: number): string =>
      `{},"metadata":{"name":"w","labels":{${Array.from({ length: count }, (_, i) => `"-${i}":""`).join()}}}`
    const causesOf = async (faulty: string): Promise<{ field: string; message: string }[]> => {
      const many = await post('application/json', faulty)
      expect(many.status).toBe(422)
      return many.json<{ details: { causes: { field: string; message: string }[] } }>().details
        .causes
    }
    expect(await causesOf(files(90_000))).toMatchObject([
      { field: 'spec', message: 'Too long: may not hold more than 20000 values' },
    ])
    expect(await causesOf(labels(90_000))).toContainEqual(
      expect.objectContaining({
        field: 'metadata.labels',
        message: 'Too long: may not be more than 10000 entries',
      }),
    )
    expect(await causesOf(labels(9_000))).toHaveLength(1_000)
    // A list over its bound is one fault, whatever it holds.
    expect((await causesOf(files(15_000))).slice(3)).toMatchObject([
      { field: 'spec.compose.files', message: 'Too long: may not be more than 256 items' },
    ])
    const numbered = (count: number, line: (i: number) => string): string =>
      Array.from({ length: count }, (_, i) => line(i)).join('\n')
    for (const yaml of [
      `{${'k: 1,'.repeat(20_001)}}`,
      numbered(20_001, () => 'k: |'),
      '['.repeat(20_001),
      `a: &a {${'k: 1,'.repeat(2_000)}}\nb:\n${numbered(1_000, () => '  - <<: *a')}`,
    ]) {
      const refused = await post('application/yaml', yaml)
      expect([refused.status, refused.text]).toEqual([413, expect.stringMatching(/signs|aliases/)])
    }
  })

  it('that repeat fields without end, or hide nesting behind a repeat, are told of a hundred', async () => {
    const long = 'x'.repeat(100_000)
    const inner = Array.from({ length: 20_000 }, (_, i) => `"k${i}":1,"k${i}":1`).join()
    const deep = '['.repeat(50_000) + ']'.repeat(50_000)
    const strict = `${base}/projects?fieldValidation=Strict`
    for (const more of [`{"${long}":{${inner}}}`, `${deep},"spec":{}`, `{${inner}}`]) {
      const raw = `{"apiVersion":"stagely.dev/v1alpha1","kind":"Project","metadata":{"name":"d"},"spec":${more},"spec":{}}`
      const headers = { 'content-type': 'application/json' }
      const answer = await server.call('POST', strict, { raw, headers })
      expect([answer.status, answer.text]).toEqual([
        400,
        expect.stringContaining('duplicate field'),
      ])
      expect(answer.text.length).toBeLessThan(40_000)
    }
  })

  it('for a review of too much are refused, or told of so many faults', async () => {
    const review = (objects: unknown[]): Promise<Answer> =>
      server.call('POST', `${base}/changesetreviews`, {
        body: { kind: 'ChangeSetReview', spec: { objects } },
      })
    const faultsOf = (answer: Answer): unknown[] =>
      answer.json<{ status: { faults: unknown[] } }>().status.faults
    expect((await review(Array(2_001).fill(1))).status).toBe(413)
    expect(faultsOf(await review(Array(2_000).fill(1)))).toHaveLength(1_000)
    expect((await review(['x'.repeat(8 * 1024 * 1024)])).status).toBe(413)
    const wide = object('Stagelet', 'w', { compose: { files: Array(200_000).fill(1) } })
    expect(faultsOf(await review([wide]))).toEqual([
      { index: 0, field: '', message: 'holds more than 100000 values' },
    ])
  })

  it('for a review of oneself may be small alone', async () => {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
    const spec = { resourceAttributes: { verb: 'get', resource: 'projects', group: 'stagely.dev' } }
    expect((await server.call('POST', path, { body: { spec } })).status).toBe(201)
    const long = { spec, more: 'x'.repeat(16_384) }
    expect((await server.call('POST', path, { body: long })).status).toBe(413)
    const headers = { 'content-type': 'application/yaml' }
    const yaml = await server.call('POST', path, { raw: `{${'a: 1,'.repeat(500)}}`, headers })
    expect([yaml.status, yaml.text]).toEqual([413, expect.stringContaining('500 lines and signs')])
  })

  it('by selectors of thousands of terms are refused', async () => {
    for (const [query, why] of [
      [`labelSelector=${','.repeat(15_000)}`, '8192 letters'],
      [`labelSelector=${'a,'.repeat(101)}b`, '100 requirements'],
      [`fieldSelector=${'metadata.name=x,'.repeat(101)}`, '100 requirements'],
    ] as const) {
      const list = await server.call('GET', `${base}/projects?${query}`)
      expect([list.status, list.text]).toEqual([400, expect.stringContaining(why)])
    }
  })

  it('that copy copies are stopped while others are served', async () => {
    const ops = Array.from({ length: 60 }, (_, i) => ({
      op: 'copy',
      from: '/spec',
      path: `/spec/x${i}`,
    }))
    const patch = await server.call('PATCH', `${base}/projects/shop`, {
      raw: JSON.stringify(ops),
      headers: { 'content-type': 'application/json-patch+json' },
    })
    expect(patch.status).toBe(413)
    expect((await server.call('GET', `${base}/projects/shop`)).status).toBe(200)
  })

  it('cannot forge what an agent reports', async () => {
    const observation = object('Observation', 's', {})
    const review = await server.call('POST', `${base}/changesetreviews`, {
      body: { kind: 'ChangeSetReview', spec: { objects: [observation] } },
    })
    expect(review.text).toContain('Unsupported value')
    expect((await create('observations', observation)).status).toBe(404)
  })

  it('for a review of nonsense get its faults', async () => {
    const objects = [null, 1, 'x', { kind: 'Project', metadata: null }, { kind: 'Project' }]
    const review = await server.call('POST', `${base}/changesetreviews`, {
      body: { kind: 'ChangeSetReview', spec: { objects } },
    })
    expect(review.status).toBe(201)
    const { status } = review.json<{ status: { faults: { index: number }[] } }>()
    expect(new Set(status.faults.map((f) => f.index)).size).toBe(objects.length)
  })
})

describe('a report', () => {
  it('with bytes that the database cannot look into is stored all the same', async () => {
    await create('stagelets', {
      ...object('Stagelet', 'noisy', {
        projectRef: { name: 'shop' },
        agentRef: { name: 'noisy' },
        compose: { directory: '/srv/noisy' },
      }),
    })
    const made = await server.call('POST', `${base}/agents/noisy/token`, { body: {} })
    const { token: text } = made.json<{ status: { token: string } }>().status
    const dir = await mkdtemp(join(tmpdir(), 'stagely-noisy-'))
    const token = { ...parseJoinToken(text), url: server.url }
    const identity = await joinController(dir, token, '0.0.1')
    await rm(dir, { recursive: true })
    const client = createControllerClient(identity, createRequestSigner(identity, realClock))
    const read = (): Promise<Answer> => server.call('GET', `${base}/stagelets/noisy`)
    const { uid } = (await read()).json<{ metadata: { uid: string } }>().metadata
    const report = await client.post({
      path: agentPaths.report,
      body: {
        boot: 'b',
        seq: 1,
        observations: [
          {
            stageletUid: uid,
            generation: 1,
            epoch: 1,
            revision: 0,
            phase: 'Failed',
            services: [],
            passed: {},
            rollout: { revision: 0, result: 'Failed', message: 'core\0dump' },
            pendingEdits: [],
            missingVariables: [],
          },
        ],
      },
    })
    client.close()
    expect(report).toEqual({ refused: [] })
    await expect.poll(async () => (await read()).text).toContain('core\\\\x00dump')
  })
})
