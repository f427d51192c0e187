// The reviews behind `kubectl auth can-i` and `auth whoami`. They use the same table of rights as the
// routes.
import * as z from 'zod'
import { narrowingText } from '../../../src/access/place.ts'
import { allows, allowsAdmin, narrowingOf, type Principal } from '../../../src/access/principal.ts'
import { teamRoles, type TeamRole } from '../../../src/access/team-roles.ts'
import { readVerbs, resources, verbs, type Verb } from '../../../src/access/roles.ts'
import { defined } from '../../../src/kernel/defined.ts'
import { isReason } from '../../../src/kernel/errors.ts'
import type { ObjectRef } from '../../../src/resources/meta.ts'
import { faultOfIssue } from '../../../src/resources/validation/faults.ts'
import type { Kind } from '../../../src/resources/define-kind.ts'
import { checkPlace } from '../../../src/store/places/check-place.ts'
import { rightsOf } from '../../../src/store/core/actor.ts'
import { finderIn, sees } from '../../../src/store/places/places.ts'
import type { Actor, Store } from '../../../src/store/store.ts'
import { actorOf, type App, type AppContext } from '../env.ts'
import { readObject, type BodyBounds } from './body.ts'
import { servedKinds, verbsOf } from './discovery.ts'
import { rightOf } from './route.ts'
import { kubeInvalid } from './status.ts'

/** An empty text means "any" or "none"; null and absent mean the same. */
const text = z
  .string()
  .nullish()
  .transform((given) => given ?? '')
const attributes = z.object({
  namespace: text,
  verb: text,
  group: text,
  resource: text,
  subresource: text,
  name: text,
})
type Attributes = z.infer<typeof attributes>

const accessSpec = z
  .object({
    resourceAttributes: attributes.nullish(),
    nonResourceAttributes: z.object({ path: text, verb: text }).nullish(),
  })
  .refine(
    ({ resourceAttributes, nonResourceAttributes }) =>
      !resourceAttributes !== !nonResourceAttributes,
    'give exactly one of resourceAttributes and nonResourceAttributes',
  )
const rulesSpec = z.object({ namespace: text })

/** 422 with every fault of the spec. */
const specOf = <T>(schema: z.ZodType<T>, kind: string, given: unknown): T => {
  const spec = given ?? {}
  const { data, error } = schema.safeParse(spec)
  if (error === undefined) return data
  const faults = error.issues.map((issue) => faultOfIssue(issue, 'spec', spec, () => false))
  throw kubeInvalid({ kind, group: 'authorization.k8s.io' }, '', faults)
}

/** Limits of reviews of oneself, which everybody who is logged in may send. */
const bounds: BodyBounds = { bytes: 16 * 1024, yamlSigns: 500 }

/**
 * Whether the place of an object lets the caller do it. One that is not there may be made, and a narrowed login may do no
 * more to it: what it does not see is answered alike.
 */
type MayReach = (ref: ObjectRef, verb: Verb) => boolean

const mayReachObject = (
  { state }: Store,
  actor: Actor,
  { ref, verb }: { readonly ref: ObjectRef; readonly verb: Verb },
): boolean => {
  const find = finderIn(state)
  const object = find(ref)
  const narrowing = rightsOf(actor).narrowingIn(ref.namespace)
  const isThere = object !== undefined && (narrowing === undefined || sees(narrowing, object, find))
  if (!isThere) return narrowing === undefined || verb === 'create'
  if (readVerbs.includes(verb)) return true
  try {
    checkPlace({ actor, view: state }, object)
    return true
  } catch (error) {
    if (isReason(error, 'Forbidden')) return false
    throw error
  }
}

const answer = async (
  c: AppContext,
  status: (user: Principal, spec: unknown, mayReach: MayReach) => object,
  store?: Store,
): Promise<Response> => {
  const { apiVersion, kind, spec } = (await readObject(c, bounds)).content
  const mayReach: MayReach = (ref, verb) =>
    store === undefined || mayReachObject(store, actorOf(c), { ref, verb })
  return c.json(
    {
      apiVersion,
      kind,
      metadata: {},
      ...defined({ spec }),
      status: status(c.get('user'), spec, mayReach),
    },
    201,
  )
}

const kindOf = ({ group, resource }: Attributes): Kind | undefined =>
  servedKinds.find((kind) => kind.plural === resource && kind.group === group)

/** Subresources and their rights; `status` is written by machines and admins. */
const joinSubresources = ['token', 'revoke']

const mayDo = (user: Principal, attributes: Attributes, verb: Verb, kind: Kind): boolean => {
  const { subresource, name, namespace: given } = attributes
  const text = kind.kind === 'Namespace' ? given || name : given
  const namespace = text === '' ? undefined : text
  if (subresource === 'status' && verb !== 'get') return allowsAdmin(user, verb)
  if (kind.kind === 'Agent' && joinSubresources.includes(subresource))
    return verb === 'create' && allows(user, { verb, resource: 'agents/join', namespace })
  if (subresource !== '' && subresource !== 'status') return false
  // A list over all namespaces shows each caller the objects of his own teams.
  const isList = verb === 'list' || verb === 'watch'
  if (isList && namespace === undefined) return true
  return allows(user, { verb, resource: rightOf(kind), namespace })
}

const mayAccess = (user: Principal, attributes: Attributes): boolean => {
  if (user.admin) return true
  const { verb } = attributes
  const plain = verbs.find((v) => v === (verb === 'deletecollection' ? 'delete' : verb))
  const kind = kindOf(attributes)
  if (plain === undefined || kind === undefined || !verbsOf(kind).includes(verb)) return false
  return mayDo(user, attributes, plain, kind)
}

const isReadable = (path: string): boolean =>
  [...readable, ...open].some((pattern) =>
    pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern,
  )

/** A right that counts below a team, for the object that is named. */
const mayAccessNamed = (user: Principal, attributes: Attributes, mayReach: MayReach): boolean => {
  if (!mayAccess(user, attributes)) return false
  const { verb, name, namespace } = attributes
  const kind = kindOf(attributes)
  const plain = verbs.find((v) => v === verb)
  if (kind?.namespaced !== true || plain === undefined || name === '' || namespace === '')
    return true
  return mayReach({ kind: kind.kind, namespace, name }, plain)
}

const accessStatus = (user: Principal, given: unknown, mayReach: MayReach): object => {
  const spec = specOf(accessSpec, 'SelfSubjectAccessReview', given)
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec
  const allowed = resource
    ? mayAccessNamed(user, resource, mayReach)
    : user.admin || (path?.verb === 'get' && isReadable(path.path))
  return { allowed, reason: reasonOf(user, resource?.namespace ?? '') }
}

const reasonOf = (user: Principal, namespace: string): string => {
  if (user.admin) return 'admin of the controller'
  if (user.limits?.ofAdmin === true) return 'admin of the controller, with a limited token'
  const role: TeamRole | undefined = user.roles.get(namespace)
  if (role === undefined) return `no member of team ${JSON.stringify(namespace)}`
  const narrowing = narrowingOf(user)?.(namespace)
  const only = narrowing === undefined ? '' : `, only ${narrowingText(narrowing)}`
  return `${role} of team ${JSON.stringify(namespace)}${only}`
}

const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }
const review = (group: string, ...reviewed: string[]): object => ({
  verbs: ['create'],
  apiGroups: [group],
  resources: reviewed,
})
/** Rights of everybody who is logged in. */
const ownReviews = [
  review('authentication.k8s.io', 'selfsubjectreviews'),
  review('authorization.k8s.io', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews'),
]
const readable = ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*']
const open = ['/healthz', '/livez', '/metrics', '/readyz', '/version']

/** One rule for each kind, and for each part of a kind with a right of its own. */
const rulesIn = (user: Principal, namespace: string): object[] => {
  if (user.admin) return [everything]
  const where = namespace === '' ? undefined : namespace
  const whole = { subresource: '', name: '' }
  const kindRules = servedKinds.map((kind) => ({
    verbs: verbsOf(kind).filter((verb) =>
      mayAccess(user, { ...whole, namespace, verb, group: kind.group, resource: kind.plural }),
    ),
    apiGroups: [kind.group],
    resources: [kind.plural],
  }))
  const partRules = resources
    .filter((resource) => resource.includes('/'))
    .map((resource) => ({
      verbs: verbs.filter((verb) => allows(user, { verb, resource, namespace: where })),
      apiGroups: ['stagely.dev'],
      resources: [resource],
    }))
  return [...kindRules, ...partRules].filter((rule) => rule.verbs.length > 0)
}

const rulesStatus = (user: Principal, spec: unknown): object => {
  const { namespace } = specOf(rulesSpec, 'SelfSubjectRulesReview', spec)
  const narrowing = narrowingOf(user)?.(namespace)
  return {
    resourceRules: [...rulesIn(user, namespace), ...ownReviews],
    nonResourceRules: [
      ...(user.admin ? [{ verbs: ['*'], nonResourceURLs: ['*'] }] : []),
      { verbs: ['get'], nonResourceURLs: [...readable, ...open] },
    ],
    // Rules name no places.
    incomplete: narrowing !== undefined,
    ...(narrowing !== undefined && {
      evaluationError: `these rights count only in ${narrowingText(narrowing)}`,
    }),
  }
}

/** `stagely:admin`, and `stagely:TEAM:ROLE` for each team. */
const groupsOf = (user: Principal): string[] => [
  'system:authenticated',
  ...(user.admin || user.limits?.ofAdmin === true ? ['stagely:admin'] : []),
  ...teamRoles.flatMap((role) =>
    [...user.roles].filter(([, held]) => held === role).map(([team]) => `stagely:${team}:${role}`),
  ),
]

export const mountSelfReviews = (app: App, store: Store): void => {
  app.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', (c) =>
    answer(c, accessStatus, store),
  )
  app.post('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', (c) => answer(c, rulesStatus))
  app.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', (c) =>
    answer(c, (user) => ({
      userInfo: { username: user.name, uid: user.id, groups: groupsOf(user) },
    })),
  )
}
