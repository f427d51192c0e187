import { describe, expect, it } from 'vitest'
import { aStagelet, anEntry } from '../../../test/support/builders.ts'
import { findCondition } from '../../../src/resources/conditions.ts'
import type { StageletStatus } from '../../../src/kinds/stagelet/schema.ts'
import type { SecretStatus } from '../../../src/kinds/secret/schema.ts'
import { consumersBySecret, decideSecret } from './decide.ts'
import type { ProjectInput, SecretObject, StageletObject } from './gather.ts'
import { DecidedSecrets, type ListedSecret } from './decided-secrets.ts'
import { nearName } from '../../../src/search/near-name.ts'

const aSecret = (key: string, scope: string, version = 1): SecretObject => ({
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'StagelySecret',
  metadata: {
    name: key.toLowerCase(),
    namespace: 'default',
    uid: `id-${key}-${scope}`,
    generation: 1,
  },
  spec: { projectRef: { name: 'shop' }, key, scope, type: 'env' },
  status: { version },
})

const running = (revision: number, names = ['backend', 'postgres']): StageletObject => {
  const status: StageletStatus = {
    services: names.map((name) => ({ name, revision, state: 'running' })),
    conditions: [],
  }
  return aStagelet({ status })
}

const input = (
  secrets: SecretObject[],
  stagelets: StageletObject[],
  runs?: SecretObject[],
): ProjectInput => {
  const setOf = (list: SecretObject[], revision: number) => ({
    projectUid: 'p',
    epoch: 1,
    revision,
    entries: list.map((s) =>
      anEntry({ key: s.spec.key, scope: s.spec.scope, version: s.status?.version ?? 1 }),
    ),
  })
  return {
    now: '2026-01-01T00:00:00Z',
    project: {
      apiVersion: 'stagely.dev/v1alpha1',
      kind: 'Project',
      metadata: { name: 'shop', namespace: 'default' },
    },
    revisions: { epoch: 1, closed: 2, closesAt: undefined, quietAt: 0 },
    head: setOf(secrets, 2),
    secrets,
    stagelets,
    runningSets: new Map([
      [2, setOf(secrets, 2)],
      [1, setOf(runs ?? secrets, 1)],
    ]),
  }
}

const decideSecrets = (of: ProjectInput): SecretStatus[] => {
  const consumers = consumersBySecret(of)
  return of.secrets.map(
    (one) => decideSecret(of, one, consumers.get(one.metadata.uid ?? '') ?? []).status,
  )
}

const conditionOf = (of: ProjectInput, index: number, type: string) =>
  findCondition(decideSecrets(of)[index]?.conditions, type)

describe('decideSecret', () => {
  it('names the near service when the scope is misspelt', () => {
    const condition = conditionOf(
      input([aSecret('PORT', 'Backend')], [running(2)]),
      0,
      'ScopeMatched',
    )
    expect(condition?.status).toBe('False')
    expect(condition?.message).toContain('did you mean "backend"?')
  })

  it('says of a service that is not on that its profile may be off', () => {
    const condition = conditionOf(
      input([aSecret('PORT', 'debug')], [running(2)]),
      0,
      'ScopeMatched',
    )
    expect(condition?.message).toMatch(/"debug" is on in .*names that profile/)
  })

  it('is in sync when every service that sees it runs its version', () => {
    const of = input([aSecret('URL', 'global')], [running(2)])
    expect(conditionOf(of, 0, 'InSync')?.reason).toBe('InSync')
    expect(decideSecrets(of)[0]?.services).toEqual(['shop/backend', 'shop/postgres'])
  })

  it('does not say of a stopped service that the version runs there', () => {
    const shop = running(2)
    shop.status!.services = shop.status!.services!.map((one) =>
      one.name === 'backend' ? { ...one, state: 'exited' } : one,
    )
    expect(conditionOf(input([aSecret('URL', 'global')], [shop]), 0, 'InSync')).toMatchObject({
      status: 'True',
      message: 'version 1 runs in 1 service; it is in stopped shop/backend',
    })
  })

  it('moves only with its own versions: a newer set without a change of it leaves it True', () => {
    const secrets = [aSecret('URL', 'global', 1), aSecret('KEY', 'backend', 2)]
    const of = input(
      secrets,
      [running(1)],
      [aSecret('URL', 'global', 1), aSecret('KEY', 'backend', 1)],
    )
    expect(conditionOf(of, 0, 'InSync')?.status).toBe('True')
    expect(conditionOf(of, 1, 'InSync')?.status).toBe('False')
  })

  it('is True without a consumer, Unknown before any report', () => {
    const secret = aSecret('KEY', 'nobody')
    expect(conditionOf(input([secret], [running(2)]), 0, 'InSync')?.reason).toBe('NoConsumers')
    expect(conditionOf(input([secret], [aStagelet()]), 0, 'InSync')?.status).toBe('Unknown')
  })

  it('is Unknown while nobody sees a consumer, unless another is seen without it', () => {
    const unseen = running(2)
    unseen.metadata.name = 'far'
    unseen.status!.services = [
      { name: 'backend', state: 'unknown', lastSeen: { state: 'running', revision: 2 } },
    ]
    const secret = aSecret('KEY', 'backend', 2)
    expect(conditionOf(input([secret], [running(2), unseen]), 0, 'InSync')).toMatchObject({
      status: 'Unknown',
      reason: 'AgentAway',
      message: 'nobody sees whether version 2 runs in far/backend; in sync 1, unknown 1',
    })
    const at = { message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }
    for (const reason of ['EngineUnavailable', 'DirectoryNotAllowed']) {
      const blind = { type: 'SecretsInSync', status: 'False', reason, ...at } as const
      const told = { ...unseen, status: { ...unseen.status, conditions: [blind] } }
      const verdict = conditionOf(input([secret], [running(2), told]), 0, 'InSync')
      expect(verdict).toMatchObject({ status: 'Unknown', reason })
    }
    const old = [aSecret('KEY', 'backend', 1)]
    expect(conditionOf(input([secret], [running(1), unseen], old), 0, 'InSync')).toMatchObject({
      status: 'False',
      reason: 'NewVersion',
      message: 'version 2 does not run yet in shop/backend; in sync 0, unknown 1',
    })
  })

  it('is False without a value, and says where that should come from', () => {
    const bare = { ...aSecret('KEY', 'global'), status: {} }
    const external = { store: 'vault', key: 'db' }
    const fetched = { ...bare, spec: { ...bare.spec, valueFrom: { external } } }
    const said = [bare, fetched].map(
      (secret) => conditionOf(input([secret], [running(2)]), 0, 'InSync')?.message,
    )
    expect(said[0]).toMatch('set spec.value')
    expect(said[1]).toMatch(/^nothing was fetched from store "vault"/)
  })
})

describe('nearName', () => {
  it.each([
    ['Backend', 'backend'],
    ['bakend', 'backend'],
    ['backend2', 'backend'],
    ['zzz', undefined],
  ])('finds for %s: %s', (name, expected) => {
    expect(nearName(name, ['frontend', 'backend', 'postgres'])).toBe(expected)
  })
})

describe('DecidedSecrets', () => {
  const settled = (secrets: SecretObject[], stagelets: StageletObject[]): SecretObject[] =>
    decideSecrets(input(secrets, stagelets)).map((status, i) => ({ ...secrets[i]!, status }))
  const judgedAnew = (decided: DecidedSecrets, of: ProjectInput): string[] => {
    const judge = decided.decider(of)
    return of.secrets.filter((one) => judge(listed(one)) !== undefined).map(({ spec }) => spec.key)
  }
  /** Another object has another resourceVersion. */
  const listed = (object: SecretObject): ListedSecret => ({
    uid: object.metadata.uid ?? '',
    rv: [...versions.add(object)].indexOf(object),
    object,
  })
  const versions = new Set<SecretObject>()
  const stagelets = [running(2)]
  const secrets = settled([aSecret('PORT', 'backend'), aSecret('USER', 'postgres')], stagelets)

  it('finds what is wrong, again and again until it is right', () => {
    const decided = new DecidedSecrets()
    const of = input([aSecret('PORT', 'backend'), secrets[1]!], stagelets)
    expect(judgedAnew(decided, of)).toEqual(['PORT'])
    expect(judgedAnew(decided, of)).toEqual(['PORT'])
    expect(judgedAnew(decided, input(secrets, stagelets))).toEqual([])
  })

  it('looks at a secret that was right no more while nothing that it is decided by has changed', () => {
    const decided = new DecidedSecrets()
    expect(judgedAnew(decided, input(secrets, stagelets))).toEqual([])
    const looks = (): number => {
      let count = 0
      const judge = decided.decider(input(secrets, [running(2)]))
      for (const one of secrets) {
        const { uid, rv } = listed(one)
        judge({
          uid,
          rv,
          get object() {
            count += 1
            return one
          },
        })
      }
      return count
    }
    expect(looks()).toBe(0)
    expect(new DecidedSecrets().isStored(listed(secrets[0]!))).toBe(false)
    expect(decided.isStored(listed(secrets[0]!))).toBe(true)
  })

  it('sees that a stagelet has changed, that another secret hides one, and that a set is gone', () => {
    const decided = new DecidedSecrets()
    expect(judgedAnew(decided, input(secrets, stagelets))).toEqual([])
    const late = [running(1)]
    const older = [aSecret('PORT', 'backend', 0), secrets[1]!]
    expect(judgedAnew(decided, input(secrets, late, older))).toEqual(['PORT'])
    expect(judgedAnew(decided, input(secrets, stagelets))).toEqual([])
    const gone = { ...input(secrets, stagelets), runningSets: new Map() }
    expect(judgedAnew(decided, gone)).toEqual(['PORT', 'USER'])
    expect(judgedAnew(decided, input(secrets, stagelets))).toEqual([])
    const global = settled([aSecret('PORT', 'global')], stagelets)[0]!
    const [shared] = settled([aSecret('TOKEN', 'global')], stagelets)
    expect(judgedAnew(decided, input([shared!, global], stagelets))).toEqual([])
    const hiding = aSecret('TOKEN', 'backend')
    expect(judgedAnew(decided, input([shared!, global, hiding], stagelets))).toContain('TOKEN')
  })
})
