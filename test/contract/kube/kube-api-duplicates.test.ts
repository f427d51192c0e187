// Fields that a body has twice, by `fieldValidation`: refused, warned of, or nothing said. The last counts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  startTestController,
  type Answer,
  type TestController,
} from '../../support/programs/controller.ts'
import { passes } from '../../support/eventually.ts'

const apiVersion = 'stagely.dev/v1alpha1'
const projects = `/apis/${apiVersion}/namespaces/default/projects`

let server: TestController
beforeAll(async () => {
  server = await startTestController()
})
afterAll(() => server.remove())

const head = (name: string): string =>
  `"apiVersion":"${apiVersion}","kind":"Project","metadata":{"name":"${name}"}`
/** Both descriptions, and a label that is there twice. */
const body = (name: string, more = ''): string =>
  `{${head(name)},"spec":{"description":"a","descripti\\u006fn":"b"${more}}}`
const yamlBody = (name: string): string =>
  `apiVersion: ${apiVersion}\nkind: Project\nmetadata: {name: ${name}}\nspec:\n  description: a\n  description: b\n`

const send = (
  [method, path, type]: readonly [string, string, string],
  raw: string,
): Promise<Answer> => server.call(method, path, { raw, headers: { 'content-type': type } })

const descriptionOf = async (name: string): Promise<unknown> => {
  const answer = await server.call('GET', `${projects}/${name}`)
  return answer.status === 404
    ? undefined
    : answer.json<{ spec: { description?: string } }>().spec.description
}

const refused = (fields: string): object => ({
  code: 400,
  reason: 'BadRequest',
  message: `Project in version "v1alpha1" cannot be handled as a Project: strict decoding error: ${fields}`,
})
/** Of a merge or JSON patch, as Kubernetes does: `kubectl edit` then opens the editor again. */
const refusedPatch = (name: string, fields: string): object => ({
  code: 422,
  reason: 'Invalid',
  message: `Project.stagely.dev "${name}" is invalid: patch: strict decoding error: ${fields}`,
})
const twice = 'duplicate field "spec.description"'
const warningOf = ({ headers }: Answer): string | string[] | undefined => headers['warning']

/** By name of the object: a request that has its description twice, and how the server calls that. */
const doors: Readonly<Record<string, readonly [string, string, string]>> = {
  post: ['POST', '', 'application/json'],
  put: ['PUT', '/put', 'application/json'],
  merge: ['PATCH', '/merge', 'application/merge-patch+json'],
  apply: ['PATCH', '/apply', 'application/apply-patch+yaml'],
}

describe('a field that a body has twice', () => {
  const attempt = async (name: string, validation: string): Promise<Answer> => {
    const [method, rest, type] = doors[name]!
    let version = ''
    if (method !== 'POST') {
      const made = await server.call('GET', `${projects}/${name}`)
      version = made.json<{ metadata: { resourceVersion: string } }>().metadata.resourceVersion
    }
    const query = `?fieldManager=me&force=true&fieldValidation=${validation}`
    const path = `${projects}${rest}${name === 'apply' ? query : query.replace('&force=true', '')}`
    const raw = body(name).replace(
      '"metadata":{',
      name === 'put' ? `"metadata":{"resourceVersion":"${version}",` : '"metadata":{',
    )
    return send([method, path, type], raw)
  }

  /** The status of a new project is written at some moment now, and then a PUT comes too late. */
  const at = (name: string, validation: string): Promise<Answer> =>
    passes(async () => {
      const answer = await attempt(name, validation)
      expect(answer.status).not.toBe(409)
      return answer
    })

  it.each(Object.keys(doors))('is refused, warned of or taken: %s', async (name) => {
    if (name !== 'post') await send(['POST', projects, 'application/json'], `{${head(name)}}`)
    const before = await descriptionOf(name)
    const strict = (await at(name, 'Strict')).json()
    expect(strict).toMatchObject(name === 'merge' ? refusedPatch(name, twice) : refused(twice))
    expect(await descriptionOf(name)).toBe(before)

    const warned = await at(name, 'Warn')
    expect(warned.status, warned.text).toBeLessThan(300)
    expect(warningOf(warned)).toBe(`299 - "duplicate field \\"spec.description\\""`)
    expect(await descriptionOf(name)).toBe('b')

    if (name === 'post') await server.call('DELETE', `${projects}/post`)
    const silent = await at(name, 'Ignore')
    expect([silent.status < 300, warningOf(silent)]).toEqual([true, undefined])
    expect(await descriptionOf(name)).toBe('b')
  })

  it('is warned of where nothing is said, each in a text of its own', async () => {
    const raw = `{${head('each')},"spec":{"description":"a","description":"b","odd":1},"spec":{"odd":1,"odd":2}}`
    const answer = await send(['POST', `${projects}?dryRun=All`, 'application/json'], raw)
    expect(answer.status).toBe(201)
    expect(warningOf(answer)).toBe(
      ['duplicate field "spec.description"', 'duplicate field "spec"', 'duplicate field "spec.odd"']
        .concat('unknown field "spec.odd"')
        .map((text) => `299 - "${text.replaceAll('"', '\\"')}"`)
        .join(', '),
    )
  })

  it('is named beside what is unknown', async () => {
    const strict = `${projects}?fieldValidation=Strict`
    const answer = await send(['POST', strict, 'application/json'], body('both', ',"odd":1'))
    expect(answer.json()).toMatchObject(refused(`${twice}, unknown field "spec.odd"`))
  })

  it('is found in YAML too', async () => {
    const post = (validation: string): Promise<Answer> => {
      const path = `${projects}?fieldValidation=${validation}`
      return send(['POST', path, 'application/yaml'], yamlBody('yaml'))
    }
    expect((await post('Strict')).json()).toMatchObject(refused(twice))
    const warned = await post('Warn')
    expect([warned.status, warningOf(warned)]).toEqual([
      201,
      `299 - "duplicate field \\"spec.description\\""`,
    ])
    expect(await descriptionOf('yaml')).toBe('b')
    const apply = `${projects}/yaml?fieldManager=me&force=true&fieldValidation=Strict`
    const applied = await send(['PATCH', apply, 'application/apply-patch+yaml'], yamlBody('yaml'))
    expect(applied.json()).toMatchObject(refused(twice))
  })

  it('is found in a JSON patch, and in a status', async () => {
    await send(['POST', projects, 'application/json'], `{${head('patched')}}`)
    const strict = `${projects}/patched?fieldValidation=Strict`
    const patch = '[{"op":"add","path":"/spec","value":{"description":"a","description":"b"}}]'
    const answer = await send(['PATCH', strict, 'application/json-patch+json'], patch)
    expect(answer.json()).toMatchObject(
      refusedPatch('patched', 'duplicate field "[0].value.description"'),
    )
    const status = `${projects}/patched/status?fieldValidation=Strict`
    const merge = '{"status":{"observedGeneration":1,"observedGeneration":2}}'
    const reported = await send(['PATCH', status, 'application/merge-patch+json'], merge)
    expect(reported.json()).toMatchObject(
      refusedPatch('patched', 'duplicate field "status.observedGeneration"'),
    )
  })
})

describe('a YAML body', () => {
  it('needs no name where JSON needs none', async () => {
    const nameless = `apiVersion: ${apiVersion}\nkind: Project\nmetadata: {generateName: y-}\n`
    const made = await send(['POST', projects, 'application/yaml'], nameless)
    expect(made.status, made.text).toBe(201)
    const applied = `apiVersion: ${apiVersion}\nkind: Project\nspec: {description: x}\n`
    const path = `${projects}/by-path?fieldManager=me`
    const answer = await send(['PATCH', path, 'application/apply-patch+yaml'], applied)
    expect(answer.status, answer.text).toBe(201)
  })
})
