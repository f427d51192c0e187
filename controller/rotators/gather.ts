// Reads what a Rotation is decided by.
import { toTimestamp } from '../../src/kernel/clock.ts'
import { refOf } from '../../src/resources/meta.ts'
import { sameJson } from '../../src/kernel/same-json.ts'
import type { RotationSpec } from '../../src/kinds/rotation/schema.ts'
import { isForAll } from '../../src/secrets/place.ts'
import type { Reader } from '../../src/store/store.ts'
import { consumersBySecret } from '../reconcilers/project/decide.ts'
import {
  gatherProject,
  type ProjectInput,
  type SecretObject,
} from '../reconcilers/project/gather.ts'
import { awayIn } from './proof/away-stagelets.ts'
import { busyOf } from './busy.ts'
import { isWatched } from './machine/after-end.ts'
import type { RotationFacts, RotationObject } from './machine/facts.ts'
import { nothingToProve, proofOf, type Proof } from './proof/proof.ts'
import { releasedBlocks, trustedEnds } from './proof/released.ts'
import type { RolloutStep } from './providers/rotator.ts'
import { withFollowers } from './proof/viewers.ts'

export interface Gathered {
  readonly facts: RotationFacts
  /** By output, as far as they exist. */
  readonly outputs: ReadonlyMap<string, SecretObject>
  readonly projectUid: string | undefined
}

interface Place {
  readonly stagelet: string
  readonly service: string
}

const insideOf = ({ rotator }: RotationSpec): Place | undefined => {
  const { postgres, mariadb, redis } = rotator
  return (postgres ?? mariadb ?? redis)?.in
}

const adopts = ({ rotator }: RotationSpec): boolean =>
  Object.values(rotator).some(
    (own: { readonly adopt?: boolean | string | undefined } | undefined) =>
      own?.adopt !== undefined && own.adopt !== false,
  )

/**
 * What the outputs hold, and somebody else has written, or a Rotation that was deleted since. Where it names one of the
 * logins that take turns it is asked whether it is accepted.
 */
const foreignOf = (
  { spec, status = {} }: RotationObject,
  outputs: ReadonlyMap<string, SecretObject>,
): Readonly<Record<string, number>> | undefined => {
  const { postgres, mariadb } = spec.rotator
  if ((postgres ?? mariadb) === undefined) return undefined
  const versions: Record<string, number> = {}
  for (const output of Object.keys(spec.outputs)) {
    const version = outputs.get(output)?.status?.version
    if (version === undefined) return undefined
    versions[output] = version
  }
  return sameJson(versions, status.versions ?? {}) ? undefined : versions
}

/** What is taken over must be known: a login by its name, anything else by what the outputs hold. */
const adoptFaults = (
  { spec, status = {} }: RotationObject,
  outputs: ReadonlyMap<string, SecretObject>,
): string[] => {
  const { redis, generate, webhook, awsIam } = spec.rotator
  const isOfValue = [redis, generate, webhook, awsIam].some((own) => own?.adopt === true)
  const hasValue = [...outputs.values()].some((secret) => secret.status?.version !== undefined)
  if (!isOfValue || hasValue || status.lastRotatedAt !== undefined) return []
  const names = Object.entries(spec.outputs).map(([output, name]) => `${name} (${output})`)
  return [
    `adopt says that services use a credential today, and no output holds it, so that it could never be ended: write it into ${names.join(', ')} first, or take adopt away where there is none`,
  ]
}

/** The secret with the one password that the rotator itself logs in with; of Redis two are valid at a time. */
const adminOf = ({ rotator: { postgres, mariadb } }: RotationSpec): string | undefined =>
  (postgres?.in ?? postgres?.at ?? mariadb?.in)?.adminRef?.name

const isAdmin =
  'is the password of the administrator by which this rotation changes logins (adminRef): once it is changed, and before the secret holds the new one, no step could log in; change it by hand, or with a webhook rotator'

/** Why the outputs cannot be changed. */
const outputFaults = (
  { metadata: { name }, spec, status = {} }: RotationObject,
  project: ProjectInput,
  outputs: ReadonlyMap<string, SecretObject>,
): string[] => {
  const inside = insideOf(spec)
  const judged = status.judged === undefined ? '' : ` (${status.judged.message})`
  const consumers = consumersBySecret(project)
  const ownService = (secret: SecretObject): boolean =>
    (consumers.get(secret.metadata.uid ?? '') ?? []).some(
      ({ stagelet, service }) =>
        stagelet.metadata.name === inside?.stagelet && service.name === inside.service,
    )
  const carriers = (secret: SecretObject): SecretObject[] =>
    inside === undefined ? [] : withFollowers(project.secrets, [secret])
  return Object.entries(spec.outputs).flatMap(([output, secretName]): string[] => {
    const secret = outputs.get(output)
    const what = `output ${output}: secret "${secretName}"`
    if (secret === undefined) return [`${what} does not exist in project "${spec.projectRef.name}"`]
    const from = secret.spec.valueFrom?.rotation
    if (from?.name !== name || from.output !== output)
      return [`${what} must say valueFrom.rotation: {name: ${name}, output: ${output}}`]
    const version = secret.status?.version
    const isOwn = version === undefined || version === status.versions?.[output]
    return [
      ...(secretName === adminOf(spec) ? [`${what} ${isAdmin}`] : []),
      ...carriers(secret).flatMap((carrier) => {
        const taken =
          carrier === secret ? '' : ` gives its value to "${carrier.metadata.name}", which`
        return [
          ...(isForAll(carrier.spec) && carrier.spec.audience !== 'Controller'
            ? [
                `${what}${taken} is global: a new value would re-create the database too; give it the scope of a service`,
              ]
            : []),
          ...(ownService(carrier)
            ? [
                `${what}${taken} is seen by the database's own service "${inside?.service ?? ''}", which it would re-create`,
              ]
            : []),
        ]
      }),
      ...(isOwn || adopts(spec)
        ? []
        : [
            `${what} has a value that somebody wrote: say adopt in the rotator to take it over${judged}`,
          ]),
    ]
  })
}

const stepsIn = ({ rotator }: RotationSpec): readonly RolloutStep[] => {
  if (rotator.generate === undefined) return ['Switch']
  return rotator.generate.order === 'SwitchFirst'
    ? ['Switch', 'Remove']
    : ['Add', 'Switch', 'Remove']
}

/** The proof, and the stacks that nobody sees any more. */
const withReleased = (
  rotation: RotationObject,
  project: ProjectInput,
  outputs: readonly SecretObject[],
): Proof => {
  // To go back, it is enough that the old values run.
  const { status = {} } = rotation
  const isBack = status.step === 'Back'
  const of = { revision: isBack ? 0 : (status.revision ?? 0), needsHealth: !isBack }
  const proof = proofOf(project, outputs, of)
  const blockedBy = [...proof.blockedBy, ...releasedBlocks(project, rotation)]
  return { ...proof, blockedBy, ended: trustedEnds(project, rotation) }
}

export const gatherRotation = async (
  reader: Reader,
  rotation: RotationObject,
  nowMs: number,
): Promise<Gathered> => {
  const { spec, status = {}, metadata } = rotation
  const { namespace } = refOf(rotation)
  const createdMs = Date.parse(metadata.creationTimestamp ?? '') || nowMs
  const around = { nowMs, uid: metadata.uid ?? '', createdMs, steps: stepsIn(spec) }
  const place = { namespace, name: spec.projectRef.name }
  const project = await gatherProject(reader, place, toTimestamp(nowMs))
  if (project === undefined) {
    const faults = [`project "${place.name}" does not exist`]
    const nothing = { hasProject: false, hasValues: false, changed: [], away: [] }
    const none = { ...nothing, proof: nothingToProve, busy: undefined }
    return { facts: { ...around, ...none, faults }, outputs: new Map(), projectUid: undefined }
  }
  const outputs = new Map(
    Object.entries(spec.outputs).flatMap(([output, name]) => {
      const secret = project.secrets.find((candidate) => candidate.metadata.name === name)
      return secret === undefined ? [] : [[output, secret] as const]
    }),
  )
  const names = Object.keys(spec.outputs)
  const changed = names.filter(
    (output) => outputs.get(output)?.status?.version !== status.versions?.[output],
  )
  const { uid, creationTimestamp: since } = project.project.metadata
  const isAsked = status.restored?.state === 'Untested' || status.restored?.state === 'Unknown'
  const isIdle = (status.phase ?? 'Idle') === 'Idle'
  return {
    outputs,
    projectUid: project.project.metadata.uid,
    facts: {
      ...around,
      hasProject: true,
      project: { uid: uid ?? '', since: since ?? '' },
      away: isAsked ? await awayIn(reader, { namespace, project: place.name }) : [],
      faults: [...outputFaults(rotation, project, outputs), ...adoptFaults(rotation, outputs)],
      foreign: isIdle ? foreignOf(rotation, outputs) : undefined,
      hasValues: names.every((output) => outputs.get(output)?.status?.version !== undefined),
      changed,
      proof:
        isIdle && !isWatched(status, nowMs)
          ? nothingToProve
          : withReleased(rotation, project, [...outputs.values()]),
      busy: isIdle ? await busyOf(reader, rotation) : undefined,
    },
  }
}
