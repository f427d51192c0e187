// The names of all kinds, and how the API addresses them. Without schemas: most commands need no more.
import type { KindNames } from '../resources/kind-names.ts'
import { apiGroup } from '../resources/meta.ts'
import { names as accessPolicy } from './access-policy/names.ts'
import { names as accessRequest } from './access-request/names.ts'
import { names as agent } from './agent/names.ts'
import { names as event } from './event/names.ts'
import { names as namespace } from './namespace/names.ts'
import { names as notifier } from './notifier/names.ts'
import { names as observation } from './observation/names.ts'
import { names as project } from './project/names.ts'
import { names as rotation } from './rotation/names.ts'
import { names as secret } from './secret/names.ts'
import { names as secretStore } from './secret-store/names.ts'
import { names as stagelet } from './stagelet/names.ts'
import { names as trustedIssuer } from './trusted-issuer/names.ts'

/** Each kind by its name. */
export const named = {
  Namespace: namespace,
  Project: project,
  Agent: agent,
  StagelySecret: secret,
  Stagelet: stagelet,
  Notifier: notifier,
  Rotation: rotation,
  SecretStore: secretStore,
  TrustedIssuer: trustedIssuer,
  AccessPolicy: accessPolicy,
  AccessRequest: accessRequest,
  Event: event,
  Observation: observation,
} as const satisfies { readonly [K in string]: KindNames & { readonly kind: K } }

type Named = typeof named
export type KindName = keyof Named

export const kindNames: readonly KindNames[] = Object.values(named)

/** Kinds that REST has objects of. */
export type RestKindName = {
  [K in KindName]: Named[K] extends { readonly rest: unknown } ? K : never
}[KindName]

/** Of these a path names one by itself; the others are below their project. */
export type RestTargetKind = {
  [K in RestKindName]: Named[K]['rest'] extends { readonly in: unknown } ? never : K
}[RestKindName]
export type RestTarget = Named[RestTargetKind]['rest']['word']

const restEntries = kindNames.flatMap(({ kind, rest }) =>
  rest === undefined ? [] : [{ kind, rest }],
)

/** The kind that a path means by this word. */
export const kindOfTarget = (word: RestTarget): RestTargetKind => {
  const found = restEntries.find(({ rest }) => rest.word === word)
  if (found === undefined) throw new Error(`no kind has the word ${word}`)
  return found.kind as RestTargetKind
}

/** Kinds that the dashboard has a form for. */
export type FormKind = {
  [K in KindName]: Named[K] extends { readonly form: true } ? K : never
}[KindName]

/** Whether its objects lie in a project. */
export const isInProject = (kind: KindName): boolean =>
  (named[kind] as KindNames).selectableFields?.includes('spec.projectRef.name') === true

/** Kinds that a cluster and a folder of manifests may hold. */
export const isDeclared = ({ group, internal, ofApiAlone }: KindNames): boolean =>
  group === apiGroup && internal !== true && ofApiAlone !== true
