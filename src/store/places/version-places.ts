// Where versions of secrets count, and have counted. The name of a stagelet may be another one's by now, in another
// environment: a version that has ended is judged by where its stagelet was then. See ADR 0082.
import { touches, type Narrowing, type Place } from '../../access/place.ts'
import { defined } from '../../kernel/defined.ts'
import type { ObjectRef } from '../../resources/meta.ts'
import { environmentsOf, protectedIn } from '../../secrets/project-environments.ts'
import { projectNameOf } from '../../resources/project-ref.ts'
import { specOf } from '../../kinds/typed.ts'
import { emptyLayout, environmentOf, type Layout } from '../../secrets/layout.ts'
import { isForController, shownAudience } from '../../secrets/place.ts'
import { type EndedIn, type ProjectEntry } from '../../secrets/set-entry.ts'
import type { Actor } from '../core/actor.ts'
import type { View } from '../state/state.ts'
import { finderIn, forbidden, narrowingFor, placeOfViewers, type Lookup } from './places.ts'
import { checkEnvironments } from './protection.ts'

type Project = Pick<ObjectRef, 'namespace' | 'name'>

export interface PlacedVersion extends Pick<ProjectEntry, 'stagelet' | 'environments'> {
  /** Of an ended version for one stagelet; absent: of others. */
  readonly endedIn?: EndedIn | undefined
}

/** The member of a version by its columns. */
export const endedInOf = (row: {
  readonly stagelet: string | null
  readonly ended_in: string | null
  readonly current: boolean
}): Pick<PlacedVersion, 'endedIn'> =>
  defined({
    endedIn:
      row.stagelet === null || row.current
        ? undefined
        : (JSON.parse(row.ended_in ?? 'null') as EndedIn),
  })

/** Where a stagelet of the project is now; null: it is not there. */
export const environmentsNow = (
  view: Pick<View, 'objects'>,
  { namespace, name: project }: Project,
  name: string,
): EndedIn => {
  const stagelet = finderIn(view)({ kind: 'Stagelet', namespace, name })
  if (stagelet === undefined || projectNameOf(stagelet) !== project) return null
  const { environment } = specOf('Stagelet', stagelet)
  return environment === undefined ? [] : [environment]
}

/** An entry of a former set, which had this layout. */
export const asLaidOut = (entry: ProjectEntry, layout: Layout = emptyLayout): PlacedVersion => {
  const { stagelet } = entry
  if (stagelet === undefined || isForController(entry)) return entry
  const environment = environmentOf(layout, stagelet)
  return { stagelet, endedIn: environment === undefined ? [] : [environment] }
}

const placeOfVersion = (version: PlacedVersion, project: Project, find: Lookup): Place => {
  const { endedIn, stagelet } = version
  if (endedIn === undefined) return placeOfViewers(shownAudience(version), project, find)
  return {
    project: project.name,
    environments: endedIn ?? [],
    isWider: endedIn === null || endedIn.length === 0,
    stagelet: endedIn === null ? undefined : stagelet,
  }
}

/** Whether a narrowed login may know of an old or new version of a secret of the project. */
export const seesVersion = (
  narrowing: Narrowing,
  version: PlacedVersion,
  project: Project,
  find: Lookup,
): boolean => touches(narrowing, placeOfVersion(version, project, find))

interface Acting {
  readonly actor: Actor
  readonly view: Pick<View, 'objects'>
}

/** Forbidden where the actor may not have the value of the version, since it has counted elsewhere. */
export const checkVersion = (
  { actor, view }: Acting,
  { ref }: { readonly ref: ObjectRef },
  version: PlacedVersion,
  { isGranted = false }: { readonly isGranted?: boolean } = {},
): void => {
  const { endedIn } = version
  const find = finderIn(view)
  const project = find(ref)
  if (endedIn === undefined || project === undefined) return
  const narrowing = narrowingFor(actor, project)
  if (narrowing !== undefined && !seesVersion(narrowing, version, ref, find))
    throw forbidden(actor, narrowing, 'this version counted elsewhere, or nobody knows where')
  if (isGranted) return
  const all = protectedIn(environmentsOf(project))
  checkEnvironments(
    actor,
    project,
    endedIn === null ? all : all.filter((one) => endedIn.includes(one)),
  )
}
