// What the pages of one project share: its objects from the collections, and the sets that services run which are
// behind.
import { computed, type ReadonlySignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import { defined } from '../../../src/kernel/defined.ts'
import { api, must } from '../../api/client.ts'
import type { Project, Secret, SetDiff, Stagelet } from '../../../src/generated/rest-types.ts'
import { agents, projects, secretsOf, stagelets } from '../../live/collections.ts'
import {
  knownFailure,
  findIn,
  loading,
  mapKnown,
  partOf,
  someOf,
  type Failure,
  type Known,
} from '../../live/known.ts'
import { withoutSkew } from '../../live/clock-skew.ts'
import { editsOf, type Edit } from '../../staging/staging.ts'
import { useQuery } from '../../ui/use-query.ts'
import { layoutIn } from './layout.ts'
import { byPlace, byText, createListing, type SecretListing } from './listing.ts'
import { createMatrix, type Matrix, type SetAt } from './matrix.ts'
import { type RunCount } from './run-count.ts'
import { setBefore, type SetIndex } from './set-index.ts'

export interface ProjectPlace {
  readonly team: string
  readonly project: string
}

export const useProjectPlace = (): ProjectPlace => {
  const { team = '', project = '' } = useRoute().params
  return { team, project }
}

export const useProjectFound = ({ team, project }: ProjectPlace): Known<Project | undefined> =>
  findIn(projects.list.value, (candidate) => candidate.team === team && candidate.name === project)

export const useStagelets = ({ team, project }: ProjectPlace): Known<readonly Stagelet[]> => {
  const all = stagelets.list.value
  return useMemo(
    () =>
      mapKnown(all, (rows) =>
        rows
          .filter((stagelet) => stagelet.team === team && stagelet.project === project)
          .sort((a, b) => byText(a.name, b.name)),
      ),
    [all, team, project],
  )
}

const listings = new Map<string, ReadonlySignal<SecretListing>>()

/** Of one project; computed once for each change, also while one goes from page to page. */
const listingOf = ({ team, project }: ProjectPlace): SecretListing => {
  const place = `${team}/${project}`
  let listing = listings.get(place)
  if (listing === undefined) {
    const toListing = createListing()
    const { list } = secretsOf(team, project)
    const layout = computed(() =>
      layoutIn({ team, project }, someOf(projects.list.value), someOf(stagelets.list.value)),
    )
    listings.set(place, (listing = computed(() => toListing(someOf(list.value), layout.value))))
  }
  return listing.value
}

const readDiff = async (
  { team, project }: ProjectPlace,
  from: number,
  signal: AbortSignal,
): Promise<SetDiff> =>
  must(
    api.GET('/projects/{project_id}/revisions/diff', {
      params: { path: { project_id: `${team}/${project}` }, query: { from: String(from) } },
      signal,
    }),
  )

/** The sets of earlier revisions. What cannot be read is not known; the others are. */
const useSetAt = (
  place: ProjectPlace,
  revisions: readonly number[],
  [head, stamp]: readonly [SetIndex, string],
): SetAt => {
  const read = useQuery({
    key: ['sets', place.team, place.project],
    refetchOn: [revisions, stamp],
    exact: true,
    enabled: revisions.length > 0,
    read: async (signal) => {
      const answers = await Promise.allSettled(
        revisions.map((revision) => readDiff(place, revision, signal)),
      )
      return answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : undefined))
    },
  })
  const data = partOf(read)
  return useMemo(() => {
    const sets = new Map<number, SetIndex>()
    for (const [index, revision] of revisions.entries()) {
      const diff = data?.[index]
      if (diff !== undefined) sets.set(revision, setBefore(head, diff))
    }
    return (revision) => sets.get(revision)
  }, [data, head])
}

/** Revisions that a service runs which is behind. */
const revisionsOf = (all: readonly Stagelet[]): readonly number[] => {
  const behind = all.flatMap(({ services }) =>
    services.filter(({ in_sync }) => in_sync === false).map(({ revision }) => revision ?? 0),
  )
  return [...new Set(behind)].filter((revision) => revision > 0).sort((a, b) => a - b)
}

/** The set of one revision, to be held against now. */
const useThen = (
  place: ProjectPlace,
  at: number | undefined,
  [head, stamp]: readonly [SetIndex, string],
) => {
  const read = useQuery<SetDiff>({
    key: ['set', place.team, place.project, at],
    refetchOn: stamp,
    exact: true,
    enabled: at !== undefined,
    read: (signal) => readDiff(place, at ?? 0, signal),
  })
  const isAsked = at !== undefined
  const data = partOf(read)
  const then = useMemo(
    () => (isAsked && data !== undefined ? setBefore(head, data) : undefined),
    [head, data, isAsked],
  )
  return { then, thenFailure: isAsked ? knownFailure(read) : undefined }
}

/** Why a secret is not changed here: a folder or a cluster has it; undefined: it is. */
export const whyNotOwnedHere = ({ source }: Secret): string | undefined =>
  source === 'api' || source === 'system' ? undefined : `Managed by ${source}: change it there.`

export interface SecretRow {
  readonly id: string
  readonly secret: Secret
  /** Computed when it is asked for. */
  readonly runs: RunCount
  readonly edit: Edit | undefined
  readonly isStaged: boolean
}

const shownFields = ({
  environments,
  visibility,
}: NonNullable<Edit['fields']> = {}): Partial<Secret> => ({
  ...(Array.isArray(environments) && { environments: environments.map(String) }),
  ...(visibility === 'Plain' && { visibility }),
})

/** A secret that is staged and does not exist yet is a row as well. */
export const asSecret = (edit: Edit, { team, project }: ProjectPlace): Secret => ({
  id: `staged-${edit.id}`,
  name: '',
  team,
  project,
  key: edit.key,
  scope: edit.scope,
  type: edit.type,
  ...defined({ stagelet: edit.stagelet, file_path: edit.file_path }),
  ...shownFields(edit.fields),
  version: 0,
  service_count: 0,
  services: [],
  refers_to: [],
  state: 'no_value',
  warnings: [],
  source: 'api',
  created_at: '',
  updated_at: '',
  conditions: [],
})

/** The rows of a project in order, and the matrix of what services see and run. */
export interface ProjectSecrets {
  readonly rows: readonly SecretRow[]
  readonly secrets: readonly Secret[]
  readonly stagelets: readonly Stagelet[]
  readonly matrix: Matrix
  readonly stamp: string
  /** The set of the revision that is asked for; undefined: none is, or it is not known yet. */
  readonly then: SetIndex | undefined
  readonly thenFailure: Failure | undefined
}

/** A row of a secret stays the same object while nothing of it has changed: it is not drawn anew. */
const useRowOf = (matrix: Matrix) =>
  useMemo(() => {
    const rowOf = new WeakMap<Secret, SecretRow>()
    return (secret: Secret, edit: Edit | undefined): SecretRow => {
      const before = rowOf.get(secret)
      if (before !== undefined && before.edit === edit) return before
      const row = {
        id: secret.id,
        secret,
        edit,
        isStaged: edit !== undefined,
        get runs() {
          return matrix.runsOf(secret)
        },
      }
      rowOf.set(secret, row)
      return row
    }
  }, [matrix])

export const useProjectSecrets = (place: ProjectPlace, at?: number): ProjectSecrets => {
  const { team, project } = place
  const { secrets, stamp, head } = listingOf(place)
  const stagelets = someOf(useStagelets(place))
  const machines = someOf(agents.list.value)
  const all = useMemo(() => withoutSkew(stagelets, machines), [stagelets, machines])
  const edits = editsOf(team, project)
  const revisions = useMemo(() => revisionsOf(all), [all])
  const setAt = useSetAt(place, revisions, [head, stamp])
  const matrix = useMemo(() => createMatrix(head, all, setAt), [head, all, setAt])
  const rowOf = useRowOf(matrix)
  const rows = useMemo(() => {
    const bySecret = new Map(edits.map((edit) => [edit.secretId, edit]))
    const fresh = edits.filter(({ op }) => op === 'create')
    const stagedRows = fresh.map((edit) => rowOf(asSecret(edit, place), edit))
    const storedRows = secrets.map((secret) => rowOf(secret, bySecret.get(secret.id)))
    return stagedRows.length === 0
      ? storedRows
      : [...stagedRows, ...storedRows].sort((a, b) => byPlace(a.secret, b.secret))
  }, [secrets, edits, rowOf])
  const { then, thenFailure } = useThen(place, at, [head, stamp])
  return useMemo(
    () => ({ rows, secrets, stagelets: all, matrix, stamp, then, thenFailure }),
    [rows, secrets, all, matrix, stamp, then, thenFailure],
  )
}

/** How many secrets are read: what runs of them is known once the stagelets are. */
const secretsRead = (
  all: Known<readonly Stagelet[]>,
  secrets: Known<readonly Secret[]>,
): Known<number> => {
  const counted = mapKnown(secrets, ({ length }) => length)
  if (all.state === 'known') return counted
  return all.state === 'failed' ? { state: 'failed', failure: all.failure } : loading
}

export const useSecretsRead = ({ team, project }: ProjectPlace): Known<number> => {
  const { list } = secretsOf(team, project)
  return useMemo(
    () => computed(() => secretsRead(stagelets.list.value, list.value)),
    [team, project],
  ).value
}
