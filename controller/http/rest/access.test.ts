import { describe, expect, it } from 'vitest'
import type { Principal } from '../../../src/access/principal.ts'
import type { TeamRole } from '../../../src/access/team-roles.ts'
import type { KubeObject } from '../../../src/resources/meta.ts'
import type { Store } from '../../../src/store/store.ts'
import { authorizeRest } from './access.ts'
import { renderId } from './ids.ts'
import type { Access, RestRoute } from './route.ts'
import { restRoutes } from './table.ts'

const uid = '0b2f9a52-6c1e-4a43-9d3a-0d4d3f3f9a10'
const shop: KubeObject = {
  apiVersion: 'stagely.dev/v1alpha1',
  kind: 'Project',
  metadata: { name: 'shop', namespace: 'red', uid },
}
const store = {
  getStored: ({ name }: { name: string }) =>
    Promise.resolve(name === 'shop' ? { object: shop } : undefined),
  getByUid: (_: string, id: string) => Promise.resolve(id === uid ? shop : undefined),
} as unknown as Store

const member = (roles: Record<string, TeamRole>, admin = false): Principal => ({
  id: 'u1',
  name: 'ann',
  kind: 'user',
  admin,
  roles: new Map(Object.entries(roles)),
  tokenId: 't1',
})

const write: Access = { in: 'project', verb: 'patch', resource: 'stagelysecrets' }
const ask = (
  principal: Principal,
  access: Access,
  id = renderId('Project', uid),
): Promise<unknown> => authorizeRest(store, principal, access, { project_id: id })

describe('authorize', () => {
  it('gives the target to who may, by id and by team/name', async () => {
    expect(await ask(member({ red: 'developer' }), write)).toBe(shop)
    expect(await ask(member({}, true), write, 'red/shop')).toBe(shop)
  })

  it('says the same of what is elsewhere as of what is nowhere', async () => {
    const stranger = member({ blue: 'owner' })
    const elsewhere = (await ask(stranger, write, 'red/shop').catch((e: unknown) => e)) as Error
    const nowhere = (await ask(stranger, write, 'red/none').catch((e: unknown) => e)) as Error
    expect(elsewhere).toMatchObject({ reason: 'NotFound' })
    expect(elsewhere.message.replace('shop', 'none')).toBe(nowhere.message)
  })

  it('names the roles that may where the role is too small', async () => {
    const message = /in team "red" as viewer; roles that may: owner, maintainer, developer/
    await expect(ask(member({ red: 'viewer' }), write)).rejects.toThrow(message)
  })

  it('says so where the role would do, and the token has not that much', async () => {
    const limited = (ofAdmin: boolean): Principal => ({
      ...member(ofAdmin ? {} : { red: 'owner' }),
      limits: { readOnly: true, ofAdmin },
    })
    const message =
      /ann may not patch stagelysecrets in team "red"[^;]*; it is the scopes of this token/
    await expect(ask(limited(false), write)).rejects.toThrow(message)
    await expect(ask(limited(true), write)).rejects.toThrow(message)
    await expect(ask(limited(true), { in: 'admin' })).rejects.toThrow(/scopes of this token/)
    await expect(ask(limited(false), { in: 'admin' })).rejects.toThrow(/no admin/)
    const viewer = { ...limited(false), roles: new Map([['red', 'viewer' as const]]) }
    await expect(ask(viewer, write)).rejects.toThrow(/roles that may: owner/)
  })

  it('asks for the right in some team where the route is in all of them', async () => {
    const audit: Access = { in: 'teams', verb: 'list', resource: 'audit' }
    await expect(ask(member({ red: 'owner' }), audit)).rejects.toThrow(/roles that may: auditor/)
    await expect(ask(member({}), audit)).rejects.toThrow(/in no team/)
    expect(await ask(member({ red: 'owner', blue: 'auditor' }), audit)).toBeUndefined()
  })

  it('keeps what is the controller’s for its admins', async () => {
    await expect(ask(member({ red: 'owner' }), { in: 'admin' })).rejects.toThrow(/no admin/)
    expect(await ask(member({}, true), { in: 'admin' })).toBeUndefined()
  })
})

/** `confirmed`, `reveal` or `refused` as the route says, for the query that asks most of a session. */
const ruleOf = ({ session }: RestRoute): string | undefined =>
  typeof session === 'function' ? session({ dry_run: false, erase: 'true' }) : session

describe('a session of a browser', () => {
  it('has a confirmed login where values, new stagelets, people, tokens, keys, notifiers, stores, rotations, issuers, access and what erases are concerned', () => {
    const ruled = restRoutes.filter((route) => ruleOf(route) !== undefined)
    expect(ruled.map((route) => `${ruleOf(route)} ${route.id}`).sort()).toEqual([
      ...['confirmed approveAccess', 'confirmed createIssuer', 'confirmed createJoinToken'],
      ...[
        'confirmed createNotifier',
        'confirmed createPolicy',
        'confirmed createRotation',
        'confirmed createStagelet',
        'confirmed createStore',
        'confirmed createToken',
        'confirmed createTokenOfTeam',
      ],
      ...['confirmed createTokenOfUser', 'confirmed createUser', 'confirmed deleteIssuer'],
      ...['confirmed deleteNotifier', 'confirmed deletePolicy'],
      ...['confirmed deleteProject', 'confirmed deleteRotation', 'confirmed deleteStore'],
      ...['confirmed deleteTeam', 'confirmed deleteUser', 'confirmed erasePerson'],
      ...['confirmed purgeSecret', 'confirmed putMember', 'confirmed removeMember'],
      ...['confirmed requestAccess', 'confirmed reviewAccess', 'confirmed revokeRotation'],
      ...['confirmed revokeToken', 'confirmed revokeTokenOfTeam', 'confirmed revokeTokenOfUser'],
      ...['confirmed rotateKeys', 'confirmed rotateSealingKey', 'confirmed takeBackup'],
      'confirmed updateIssuer',
      ...['confirmed updateNotifier', 'confirmed updatePolicy'],
      ...['confirmed updateRotation', 'confirmed updateStore'],
      ...['confirmed updateUser', 'confirmed whereIsSecret', 'confirmed whereIsValue'],
      ...['refused createSessionCode', 'refused revealSecrets'],
      'reveal revealSecret',
    ])
  })

  it('needs no confirmation only for what changes secrets, stagelets, ends access, asks stores, tests notifiers, changes agents and projects, and for counts of logs', () => {
    const open = restRoutes.filter(
      (route) =>
        ruleOf(route) === undefined &&
        route.method !== 'GET' &&
        !['public', 'session'].includes(route.access.in),
    )
    const about = open.map(({ id, access }) => ('resource' in access ? access.resource : id))
    expect([...new Set(about)].sort()).toEqual([
      ...['accessrequests', 'accessrequests/approval', 'agents', 'agents/join', 'createTeam'],
      ...['endMySession', 'notifiers', 'projects'],
      'rotations/run',
      'secretstores',
      ...['stagelets/deploy', 'stagelets/logs', 'stagelets/pause', 'stagelets/preview'],
      'stagelysecrets',
      'stagelysecrets/findings',
      'stagelysecrets/fingerprints',
    ])
  })
})
