// History as a narrowed login reads it: versions and changes that counted elsewhere are left out. See ADR 0082.
import { isBelowProject, type Narrowing, type NarrowingIn } from '../access/place.ts'
import { defined } from '../kernel/defined.ts'
import { refOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import { projectRefOf } from '../resources/project-ref.ts'
import type { RevisionInfo, SecretVersion } from './core/history.ts'
import type { ChangedVersion } from './history/versions.ts'
import { finderIn, sees } from './places/places.ts'
import { asLaidOut, seesVersion, type PlacedVersion } from './places/version-places.ts'
import type { Store } from './store.ts'

const shownKeys = 20

/** What a revision changed of what is in view. A note may tell of the rest. */
const shownRevision = (
  { revision, closedAt, moved = [] }: RevisionInfo,
  versions: readonly ChangedVersion[],
  seesStagelet: (name: string) => boolean,
): RevisionInfo => {
  const written = versions.filter(({ from }) => from === revision)
  const deleted = versions.filter(({ to, isReplaced }) => to === revision && !isReplaced)
  const keys = [...new Set([...written, ...deleted].map(({ key }) => key))].sort()
  const inView = moved.filter(seesStagelet)
  return {
    revision,
    closedAt,
    written: written.length,
    deleted: deleted.length,
    keys: keys.slice(0, shownKeys),
    by: [...new Set(written.map(({ by }) => by))],
    ...(inView.length > 0 && { moved: inView }),
  }
}

const shownVersions = (
  versions: readonly SecretVersion[],
  isSeen: (version: SecretVersion) => boolean,
): SecretVersion[] => {
  const seen = versions.filter(isSeen)
  const told = new Set(seen.map(({ version }) => version))
  return seen.map(({ sameAs, ...version }) => ({
    ...version,
    ...defined({ sameAs: sameAs !== undefined && told.has(sameAs) ? sameAs : undefined }),
  }))
}

export const historyOf = (
  store: Store,
  narrowingIn: NarrowingIn,
): Pick<Store, 'readSet' | 'versionsOf' | 'listRevisions' | 'deletedSecrets'> => {
  /** Where a part of the project is hidden: the project, and what of it is in view. */
  const partOf = (
    project: KubeObject | undefined,
  ): { project: KubeObject; narrowing: Narrowing } | undefined => {
    const narrowing = project && narrowingIn(project.metadata.namespace ?? '')
    return project !== undefined && narrowing !== undefined && isBelowProject(narrowing)
      ? { project, narrowing }
      : undefined
  }
  const partWithUid = async (uid: string) => partOf(await store.getByUid('Project', uid))
  const find = (ref: ObjectRef): KubeObject | undefined => finderIn(store.state)(ref)
  const isSeen =
    ({ project, narrowing }: { project: KubeObject; narrowing: Narrowing }) =>
    (version: PlacedVersion): boolean =>
      seesVersion(narrowing, version, refOf(project), find)
  return {
    readSet: async (uid, revision) => {
      const set = await store.readSet(uid, revision)
      const part = await partWithUid(uid)
      if (part === undefined) return set
      const entries = set.entries.filter((entry) => isSeen(part)(asLaidOut(entry, set.layout)))
      return { ...set, entries }
    },
    versionsOf: async (uid) => {
      const versions = await store.versionsOf(uid)
      const secret = await store.getByUid('StagelySecret', uid)
      const part = partOf(secret && find(projectRefOf(secret)))
      return part === undefined ? versions : shownVersions(versions, isSeen(part))
    },
    listRevisions: async (uid) => {
      const revisions = await store.listRevisions(uid)
      const part = await partWithUid(uid)
      if (part === undefined) return revisions
      const { narrowing, project } = part
      const versions = (await store.changedVersions(uid)).filter(isSeen(part))
      const { namespace } = refOf(project)
      const seesStagelet = (name: string): boolean => {
        const stagelet = find({ kind: 'Stagelet', namespace, name })
        return stagelet !== undefined && sees(narrowing, stagelet, find)
      }
      return revisions.map((revision) => shownRevision(revision, versions, seesStagelet))
    },
    deletedSecrets: async (uid) => {
      const deleted = await store.deletedSecrets(uid)
      const part = await partWithUid(uid)
      return part === undefined ? deleted : deleted.filter(isSeen(part))
    },
  }
}
