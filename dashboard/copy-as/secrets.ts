// What somebody does with secrets: new, changed and deleted ones, one by one and as one change set; and going back.
import { secretName } from '../../src/resources/kinds/secret-name.ts'
import { idOf, type Doing } from './doing.ts'
import type { Spec } from './spec.ts'
import { given, type Json } from './text.ts'

interface Project {
  readonly team: string
  readonly project: string
}

/** One edit, as it is staged: without its value. */
export interface SecretEdit {
  readonly op: 'create' | 'update' | 'delete'
  /** Name of the object; absent for a new one. */
  readonly name?: string | undefined
  readonly key: string
  readonly scope: string
  readonly stagelet?: string | undefined
  readonly type: 'env' | 'file'
  readonly file_path?: string | undefined
  /** A new value comes with it. */
  readonly hasValue: boolean
  readonly moved?: Readonly<Partial<Record<'scope' | 'stagelet', string | null>>> | undefined
  /** Other fields by their REST names: only REST takes them as they are. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined
}

/** A secret by its place. */
type Kept = Pick<SecretEdit, 'name' | 'key' | 'scope' | 'stagelet'>

const pathOf = ({ team, project }: Project): string => `/projects/${idOf(team, project)}/secrets`

const nameOf = ({ name, key, scope, stagelet }: Kept): string =>
  name ?? secretName({ key, scope, stagelet })

const keptUrl = (place: Project, secret: Kept): string =>
  `${pathOf(place)}/${encodeURIComponent(nameOf(secret))}`

/** The fields of REST, as the dashboard sends them. */
const restFields = (edit: SecretEdit): Readonly<Record<string, Json | undefined>> => ({
  ...(edit.op === 'create'
    ? {
        ...{ key: edit.key, scope: edit.scope, type: edit.type },
        ...{ stagelet: edit.stagelet, file_path: edit.file_path },
      }
    : edit.moved),
  ...(edit.fields as Readonly<Record<string, Json>> | undefined),
  value_base64: edit.hasValue ? given(edit.key) : undefined,
})

const objectOf = ({ team, project }: Project, edit: SecretEdit): Json => {
  const scope = edit.moved?.scope ?? edit.scope
  const stagelet = edit.moved?.stagelet === undefined ? edit.stagelet : edit.moved.stagelet
  return {
    apiVersion: 'stagely.dev/v1alpha1',
    kind: 'StagelySecret',
    metadata: { name: nameOf(edit), namespace: team },
    spec: {
      projectRef: { name: project },
      key: edit.key,
      scope,
      stageletRef: typeof stagelet === 'string' ? { name: stagelet } : undefined,
      type: edit.type === 'file' ? 'file' : undefined,
      file: edit.file_path === undefined ? undefined : { path: edit.file_path },
      valueBase64: edit.hasValue ? given(edit.key) : undefined,
    },
  }
}

const where = ({ team, project }: Project, edit: Kept): string[] => [
  ...['-n', team, '--project', project, '--scope', edit.scope],
  ...(edit.stagelet === undefined ? [] : ['--stagelet', edit.stagelet]),
]

const kubeDelete = ({ team }: Project, edits: readonly SecretEdit[]): string[] => [
  ...['delete', '-n', team, 'stagelysecret'],
  ...edits.map(nameOf),
]

const stagelyDelete = (place: Project, edit: SecretEdit): string[] => [
  ...['secrets', 'delete', edit.key, ...where(place, edit), '--yes'],
]

const hasFields = ({ fields = {} }: SecretEdit): boolean => Object.keys(fields).length > 0

const objectsOf = (place: Project, edits: readonly SecretEdit[]): Pick<Doing, 'objects'> =>
  edits.some(hasFields)
    ? {}
    : { objects: { namespace: place.team, list: edits.map((edit) => objectOf(place, edit)) } }

/** One edit alone. */
export const secretDoing = (place: Project, edit: SecretEdit): Doing => {
  const { op, key } = edit
  const url = keptUrl(place, edit)
  if (op === 'delete')
    return {
      name: `Delete ${key}`,
      rest: { method: 'DELETE', path: url },
      deletes: { kubectl: kubeDelete(place, [edit]), stagely: [stagelyDelete(place, edit)] },
    }
  const isPlainValue = edit.hasValue && edit.moved === undefined && !hasFields(edit)
  const isSet = isPlainValue && (op === 'update' || edit.type === 'env')
  return {
    name: op === 'create' ? `New secret ${key}` : `Change ${key}`,
    rest: {
      method: op === 'create' ? 'POST' : 'PATCH',
      path: op === 'create' ? pathOf(place) : url,
      body: restFields(edit),
    },
    ...objectsOf(place, [edit]),
    ...(isSet && {
      stagely: { words: ['secrets', 'set', key, ...where(place, edit)], reads: key },
    }),
  }
}

/** All of a review, in one revision. `note` says why. */
export const changeSetDoing = (
  place: Project,
  edits: readonly SecretEdit[],
  note: string,
): Doing => {
  const gone = edits.filter(({ op }) => op === 'delete')
  const kept = edits.filter(({ op }) => op !== 'delete')
  const operations = edits.map((edit) => ({
    op: edit.op,
    id: edit.op === 'create' ? undefined : nameOf(edit),
    ...(edit.op !== 'delete' && restFields(edit)),
  }))
  return {
    name: 'Apply these edits',
    rest: {
      method: 'POST',
      path: `${pathOf(place)}/batch`,
      body: { operations, note: note === '' ? undefined : note },
    },
    ...objectsOf(place, kept),
    ...(gone.length === 0 || kept.some(hasFields)
      ? {}
      : {
          deletes: {
            kubectl: kubeDelete(place, gone),
            stagely: gone.map((edit) => stagelyDelete(place, edit)),
          },
        }),
  }
}

/** One secret has an older value again. */
export const secretBackDoing = (place: Project, secret: Kept, version: number): Doing => ({
  name: `Give ${secret.key} its value of v${version.toString()} again`,
  rest: { method: 'POST', path: `${keptUrl(place, secret)}/rollback`, body: { version } },
  stagely: {
    words: [
      ...['secrets', 'rollback', secret.key, ...where(place, secret)],
      ...['--to-version', version.toString(), '--yes'],
    ],
  },
})

/** A deleted secret: several of its place may have been deleted, so that its id names it. */
interface Gone extends Kept {
  readonly id: string
}

const ofGone = (
  place: Project,
  { id }: Gone,
  verb: 'restore' | 'purge',
): Pick<Doing, 'rest'> & { readonly words: readonly string[] } => ({
  rest: { method: 'POST', path: `${pathOf(place)}/${encodeURIComponent(id)}/${verb}` },
  words: ['secrets', verb, id, '-n', place.team, '--project', place.project],
})

export const restoreDoing = (place: Project, secret: Gone): Doing => {
  const { rest, words } = ofGone(place, secret, 'restore')
  return { name: `Restore ${secret.key}`, rest, stagely: { words } }
}

/** For good. */
export const purgeDoing = (place: Project, secret: Gone): Doing => {
  const { rest, words } = ofGone(place, secret, 'purge')
  return { name: `Erase ${secret.key}`, rest, stagely: { words: [...words, '--yes'] } }
}

/** What is no value: REST takes `body`, a manifest `patch`. */
export const secretSpecDoing = (
  place: Project,
  secret: Kept,
  { body, patch }: { readonly body: Spec; readonly patch: Spec },
): Doing => ({
  name: `Change ${secret.key}`,
  rest: { method: 'PATCH', path: keptUrl(place, secret), body },
  kubectl: [
    ...['patch', '-n', place.team, 'stagelysecret', nameOf(secret), '--type', 'merge'],
    ...['-p', JSON.stringify({ spec: patch })],
  ],
})

/** What is read is printed; the audit log has it. */
export const readDoing = (place: Project, secret: Kept): Doing => ({
  name: `Read ${secret.key}`,
  rest: { method: 'POST', path: `${keptUrl(place, secret)}/reveal`, body: {} },
  stagely: { words: ['secrets', 'get', secret.key, ...where(place, secret), '--reveal'] },
})

export const newProjectDoing = (
  { team, name }: { readonly team: string; readonly name: string },
  description?: string,
): Doing => ({
  name: `New project ${name}`,
  rest: { method: 'POST', path: '/projects', body: { team, name, description } },
  objects: {
    namespace: team,
    list: [
      {
        apiVersion: 'stagely.dev/v1alpha1',
        kind: 'Project',
        metadata: { name, namespace: team },
        spec: { description },
      },
    ],
  },
})

/** All secrets of the project as they were. */
export const goBackDoing = ({ team, project }: Project, revision: number): Doing => ({
  name: `Go back to revision ${revision.toString()}`,
  rest: { method: 'POST', path: `/projects/${idOf(team, project)}/rollback`, body: { revision } },
  stagely: {
    words: [
      ...['secrets', 'rollback', '-n', team, '--project', project],
      ...['--to-revision', revision.toString(), '--yes'],
    ],
  },
})
