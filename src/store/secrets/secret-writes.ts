// A write of a StagelySecret: prepareSecret() checks it and takes its value out; putSecret() seals and stores both.
import { withStatusOwner } from '../../managed-fields/status.ts'
import { defined } from '../../kernel/defined.ts'
import { withoutValue } from '../../kinds/secret/last-applied.ts'
import { refOf, type KubeObject } from '../../resources/meta.ts'
import { checkValue } from '../../kinds/secret/value.ts'
import { specOf } from '../../kinds/typed.ts'
import { valueDigest } from '../../secrets/digest.ts'
import { secretPlaceOf } from '../../secrets/place.ts'
import { type ProjectEntry } from '../../secrets/set-entry.ts'
import { noteLearnable } from '../guard/grants.ts'
import { invalidObject } from '../core/errors.ts'
import { confirmRing, projectRing } from './project-ring.ts'
import { withSettledFindings } from './findings.ts'
import { ensureProjectOf } from './projects.ts'
import { storeVersion } from './store-version.ts'
import { noteEnvironments } from './environments.ts'
import { checkAudience, checkEndOfValue, checkImmutable, checkNeighbours } from './secret-checks.ts'
import { noteSecretChange, type PreparedSecret } from './prepared-secret.ts'
import { secretStatusAfter, withLearntEnd } from './secret-status.ts'
import { lastVersion } from './secret-versions.ts'
import type { AuditEntry, StoredRow, WriteSession } from '../core/write-session.ts'
import { resetInSync, stageletsOf } from './reset-in-sync.ts'
import { checkDisclosure, checkFetchedDisclosure, type FoundValue } from './disclosure.ts'
import { drawnOf, findValue, hasNewPlace, isAtPlace, mustBeMarked } from './find-value.ts'
import { checkFollowerPlace } from '../places/check-place.ts'
import { checkFollowersStay, followersOf, sinceOf } from './followers.ts'
import {
  checkBecomesPlain,
  checkPlainValue,
  checkPlainWaits,
  isMade,
  isPlain,
  newVisibility,
  wasShown,
} from './plain-values.ts'
import { noteGivenValue } from './guesses-of-values.ts'
import { noteNewValue } from './policy.ts'
import { keepTemplate, referencesToCome } from './awaited-values.ts'
import { checkNotFollowed, referencesOf } from './references.ts'

interface SecretBefore {
  /** The stored secret; undefined: it is new. */
  readonly current: StoredRow | undefined
  /** A value that takes the place of the one in the spec, such as an old version. */
  readonly putBack?: FoundValue | undefined
}

const checkSpec = (
  session: WriteSession,
  object: KubeObject,
  { current, putBack }: SecretBefore,
): void => {
  if (current !== undefined) checkImmutable(object, current.object)
  if (putBack !== undefined) return
  checkEndOfValue(session, object, current)
  checkFetchedDisclosure(session, object, current)
}

const formatLater = {
  reason: 'FieldValueForbidden',
  message:
    'Forbidden: the value refers to secrets that have no value yet, so that its format cannot be checked: set the format when they have',
} as const

const waitingOf = (
  session: WriteSession,
  object: KubeObject,
  { value, references = [] }: { value: Buffer; references: readonly string[] | undefined },
): PreparedSecret['waits'] => {
  const awaits = referencesToCome(session, object, references)
  if (awaits.length === 0) return undefined
  // The writer of the last awaited value must not be refused because of this format, nor learn whether this value fits.
  if (specOf('StagelySecret', object).format !== undefined)
    throw invalidObject(refOf(object), [{ field: 'spec.format', ...formatLater }])
  return { value, awaits }
}

/** Checks who will see the secret, and who will read it. */
const checkReaders = (
  session: WriteSession,
  object: KubeObject,
  { before, current, putBack }: SecretBefore & { readonly before: ProjectEntry | undefined },
): void => {
  const stripped = withoutValue(object)
  if (hasNewPlace(object, current)) {
    noteEnvironments(session, stripped)
    checkNeighbours(session, stripped)
    if (current !== undefined) checkFollowersStay(session, stripped, current.object)
  }
  checkAudience(session, stripped, before)
  if (putBack === undefined) checkBecomesPlain(session, object, { before, current })
}

const checkBecomesTemplate = (
  session: WriteSession,
  object: KubeObject,
  before: ProjectEntry | undefined,
): void => {
  if (before?.references === undefined) checkNotFollowed(session, object)
}

/** Changes nothing yet. `object` has its uid. */
export const prepareSecret = async (
  session: WriteSession,
  object: KubeObject,
  { current, putBack }: SecretBefore,
): Promise<PreparedSecret> => {
  const spec = specOf('StagelySecret', object)
  await noteLearnable(session, object, current)
  checkSpec(session, object, { current, putBack })
  const project = await ensureProjectOf(session, object)
  const stripped = withoutValue(object)
  const before = current === undefined ? undefined : session.head(current.uid)
  checkReaders(session, object, { before, current, putBack })
  const found = putBack ?? (await findValue(session, project, object, { head: before, current }))
  if (found === undefined) return { object: stripped, version: undefined, before, project }
  const { value, origin, since } = found
  checkDisclosure(session, object, { origin, current, before })
  const faults = checkValue(spec, value)
  if (faults.length > 0) throw invalidObject(refOf(object), faults)
  const { key, type, file } = spec
  const references = referencesOf(spec, value)
  const refers = references !== undefined
  if (refers) checkBecomesTemplate(session, stripped, before)
  const digest = valueDigest(project.digestKey, { type, key, value, file, refers })
  const waits = waitingOf(session, stripped, { value, references })
  if (waits !== undefined) {
    checkPlainWaits(object, waits.awaits)
    session.templates.push({ project, digest })
    return { object: stripped, version: undefined, before, project, waits }
  }
  const sameValue = before?.valueDigest === digest
  noteGivenValue(session, project, { key, digest, before, origin, isStored: sameValue })
  const keeps = origin === 'stored' || sameValue
  const made = isMade(object, { found, keeps, before, current })
  checkPlainValue(object, { made, isPutBack: putBack !== undefined, found })
  const isAsBefore = sameValue && before !== undefined && isAtPlace(before, spec)
  if (isAsBefore && !mustBeMarked(before, spec, current)) {
    const learnt = withLearntEnd(stripped, found, { isTemplate: refers })
    const next = learnt ?? stripped
    return { object: next, version: undefined, before, project, learns: learnt !== undefined }
  }
  await confirmRing(session, projectRing(session, project))
  const version = lastVersion(session, object.metadata.uid ?? '') + 1
  const entry = entryOf(object, {
    version,
    bytes: value.length,
    valueDigest: digest,
    references,
    made,
    drawn: drawnOf(session, object, { found, keptFrom: keeps ? before : undefined }),
  })
  const isByCaller = !keeps && putBack === undefined
  const firstGiven = keeps ? (sinceOf(current) ?? since) : since
  const wasPlain = wasShown(found, keeps ? before : undefined)
  return {
    object: stripped,
    version: { entry, keeps, isByCaller, value, origin, since: firstGiven, wasPlain },
    before,
    project,
  }
}

interface Content extends Pick<ProjectEntry, 'version' | 'bytes' | 'valueDigest'> {
  readonly references: ProjectEntry['references'] | undefined
  readonly made: boolean
  readonly drawn: true | undefined
}

const entryOf = (
  object: KubeObject,
  { references, made, drawn, ...content }: Content,
): ProjectEntry => {
  const spec = specOf('StagelySecret', object)
  const { key, type, file } = spec
  const { uid: secretId = '', name } = object.metadata
  return {
    secretId,
    name,
    key,
    ...secretPlaceOf(spec),
    type,
    ...content,
    ...defined({
      file,
      references,
      plain: isPlain(object) || undefined,
      made: made || undefined,
      drawn,
    }),
  }
}

/** A newly given value replaces a waiting template. */
const withAwaits = ({ object, version, waits }: PreparedSecret): KubeObject => {
  const { awaits, ...status } = object.status ?? {}
  if (waits !== undefined) return { ...object, status: { ...status, awaits: [...waits.awaits] } }
  const isOver = version !== undefined || specOf('StagelySecret', object).references !== true
  return awaits !== undefined && isOver ? { ...object, status } : object
}

/** Seals the new version, if there is one, and stores the object with the status that follows from it. */
export const putSecret = async (
  session: WriteSession,
  prepared: PreparedSecret,
  { current, source, audit }: { current?: StoredRow; source: string; audit: AuditEntry },
): Promise<StoredRow> => {
  const { version, before, project, waits } = prepared
  const object = await withSettledFindings(session, withAwaits(prepared), version?.entry ?? before)
  if (waits !== undefined) await keepTemplate(session, object, waits.value)
  if (version !== undefined) storeVersion(session, project, version)
  if (version?.isByCaller === true) noteNewValue(session, object, current)
  noteSecretChange(session, { object, version, before, project }, current)
  const stagelets = version === undefined ? [] : stageletsOf(session, project.ref)
  const stored = version && {
    ...version,
    stagelets: stagelets.map((row) => row.object),
    layout: project.layout,
  }
  const isDeclared = session.fetch(project.ref) !== undefined
  const status = { ...secretStatusAfter(session, object, { stored, isDeclared }) }
  const detail = {
    ...audit.detail,
    ...defined({ version: version?.entry.version, visibility: newVisibility(prepared) }),
  }
  const owned = withStatusOwner({ ...object, status }, current?.object, session.now)
  const row = session.put(owned, source, current, { ...audit, detail })
  if (version === undefined) return row
  await resetInSync(session, project, { stagelets, entries: [before, version.entry] })
  const followers = followersOf(session, refOf(object), project.ref.name)
  await moveFollowers(session, followers, {
    since: status.valueSince,
    source: object.metadata.name,
    value: version.value,
    drawn: version.entry.drawn,
    // A value that comes back was not the followers' meanwhile, and they may be new.
    origin: version.origin === 'stored' && before === undefined ? 'elsewhere' : version.origin,
  })
  return row
}

/** Secrets that take their value from this one get it as their next version. */
const moveFollowers = async (
  session: WriteSession,
  followers: readonly StoredRow[],
  { source, ...putBack }: FoundValue & { source: string },
): Promise<void> => {
  for (const current of followers) {
    checkFollowerPlace(session, current.object)
    const prepared = await prepareSecret(session, current.object, { current, putBack })
    const audit = { action: 'follow', detail: { source } }
    if (prepared.version !== undefined)
      await putSecret(session, prepared, { current, source: current.source, audit })
  }
}
