// What is told of guarded values beside themselves: which are equal. Cases of access-requests.test.ts, on its controller.
import { describe, expect, it } from 'vitest'
import { passes } from '../../support/eventually.ts'
import { guardedValue, type GuardedWorld } from '../../support/guarded-world.ts'

interface Told {
  readonly wantedDigest?: string
  readonly runningDigest?: string
  readonly lastSeen?: { readonly runningDigest?: string }
}

export const tellingTests = (world: GuardedWorld): void => {
  const {
    admin,
    by,
    call,
    decide,
    granted,
    newProject,
    pathOf,
    policyOf,
    reveal,
    secretIds,
    tokenOf,
  } = world

  describe('equal values', () => {
    it('are told of what is guarded to nobody but who has a grant that was used', async () => {
      const environments = [{ name: 'production' }, { name: 'preview' }, { name: 'staging' }]
      await admin('POST', '/projects', { name: 'same', environments })
      for (const { name } of environments) {
        const secret = { key: 'TOKEN', scope: 'web', environments: [name], value: guardedValue }
        const made = await admin('POST', `${pathOf('same')}/secrets`, secret)
        secretIds.set(`same ${name}`, made.json<{ id: string }>().id)
      }
      const classesFor = async (who: string): Promise<string[][]> => {
        const answer = await by(who, 'GET', `${pathOf('same')}/value-classes`)
        return answer
          .json<{ keys: { classes: string[][] }[] }>()
          .keys.flatMap(({ classes }) => classes)
      }
      const all = environments.map(({ name }) => secretIds.get(`same ${name}`)!).sort()
      expect(await classesFor('olga')).toEqual([all])
      const guard = { projects: ['same'], environments: ['production'] }
      await admin('POST', '/policies', policyOf('same', 'same', guard))
      const told = [all.filter((id) => id !== secretIds.get('same production'))]
      for (const who of ['olga', 'a-developer', 'ci']) expect(await classesFor(who)).toEqual(told)
      const request = await granted('dev', 'same')
      // An approval that nobody has used tells nothing: its time does not run yet.
      expect(await classesFor('dev')).toEqual(told)
      expect((await reveal(tokenOf('dev'), 'same', 'production')).status).toBe(200)
      expect(await classesFor('dev')).toEqual([all])
      expect(await classesFor('olga')).toEqual(told)
      await decide('dev', request, 'revocation')
      expect(await classesFor('dev')).toEqual(told)
    })
  })

  describe('digests of services', () => {
    it('tell in a guarded project whether a service runs what it should, and not which services are equal', async () => {
      await newProject('alike')
      const base = '/apis/stagely.dev/v1alpha1/namespaces/default/stagelets'
      const apiVersion = 'stagely.dev/v1alpha1'
      const spec = { projectRef: { name: 'alike' }, agentRef: { name: 'none' } }
      const compose = { directory: '/srv/alike' }
      const digest = 'a'.repeat(64)
      const services = [
        { name: 'web', wantedDigest: digest, runningDigest: digest },
        { name: 'api', wantedDigest: digest, runningDigest: 'b'.repeat(64) },
      ]
      const digestsOf = async (name: string, token = tokenOf('olga')) => {
        const headers = { authorization: `Bearer ${token}` }
        const shown = await call('GET', `${base}/${name}`, { headers })
        const { status } = shown.json<{ status: { services: Told[] } }>()
        // What was seen last of a stagelet whose agent nobody hears.
        return status.services.flatMap(({ wantedDigest, runningDigest, lastSeen }) => [
          wantedDigest,
          runningDigest ?? lastSeen?.runningDigest,
        ])
      }
      for (const name of ['one', 'two']) {
        const metadata = { name }
        const stack = { ...spec, compose: { ...compose, directory: `/srv/${name}` } }
        const made = await call('POST', base, {
          body: { apiVersion, kind: 'Stagelet', metadata, spec: stack },
        })
        expect(made.status, made.text).toBe(201)
        const patched = await call('PATCH', `${base}/${name}/status`, {
          headers: { 'content-type': 'application/merge-patch+json' },
          body: { status: { services } },
        })
        expect(patched.status, patched.text).toBe(200)
      }
      expect(new Set([...(await digestsOf('one')), ...(await digestsOf('two'))]).size).toBe(2)
      await admin('POST', '/policies', policyOf('alike', 'alike'))
      for (const who of ['olga', 'a-viewer', 'ci']) {
        const [one, two] = [
          await digestsOf('one', tokenOf(who)),
          await digestsOf('two', tokenOf(who)),
        ]
        expect([one[0] === one[1], one[2] === one[3]]).toEqual([true, false])
        expect(new Set([...one, ...two]).size).toBe(6)
        expect([...one, ...two]).not.toContain(digest)
      }
      // A list, a watch and the answer to a write say the same, and a write that changes nothing is none.
      const known = [...(await digestsOf('one')), ...(await digestsOf('two'))]
      const listed = (await call('GET', base)).text
      const watched = (await call('GET', `${base}?watch=1&resourceVersion=0&timeoutSeconds=1`)).text
      const patch = { headers: { 'content-type': 'application/merge-patch+json' } }
      const body = { spec: { paused: false } }
      const write = async (): Promise<string> =>
        (await call('PATCH', `${base}/one`, { ...patch, body })).text
      const answer = await passes(async () => {
        const before = await write()
        return before === (await write()) && before
      })
      for (const told of [listed, watched, answer]) {
        expect(told).toContain(known[0])
        expect(told).not.toContain(digest)
      }
    })
  })
}
