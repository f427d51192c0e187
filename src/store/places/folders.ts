// Which paths of a machine an actor may give to a stagelet, or to the template of previews. The schemas say what is such a
// path. See ADR 0082 and 0092.
import { liesBelow, pathsInText, resolvedPath } from '../../access/folders.ts'
import { isWithin, type Narrowing } from '../../access/place.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { sameJson } from '../../kernel/same-json.ts'
import { filled, previewSpec, type PreviewSpec } from '../../kinds/project/preview.ts'
import { stageletSpec } from '../../kinds/stagelet/schema.ts'
import { refOf, type KubeObject } from '../../resources/meta.ts'
import { machinePathsIn, type MachinePath } from '../../resources/paths.ts'
import { environmentsOf, namesOf, protectedIn } from '../../secrets/project-environments.ts'
import { projectNameOf, projectRefOf } from '../../resources/project-ref.ts'
import { specOf } from '../../kinds/typed.ts'
import { rightsOf } from '../core/actor.ts'
import { term } from '../state/rows.ts'
import type { View } from '../state/state.ts'
import { tellTaken, type Naming } from './names.ts'
import { finderIn, forbidden, narrowingFor, placeOf, type ObjectChange } from './places.ts'

type Objects = Pick<View, 'objects'>

type Acting = Pick<Naming, 'actor' | 'view'>

const folderOf = (stagelet: KubeObject): string => specOf('Stagelet', stagelet).compose.directory

const machineOf = (stagelet: KubeObject): string => specOf('Stagelet', stagelet).agentRef.name

/** `value`: in a text that fills a variable of the Compose file. */
interface NamedPath extends Pick<MachinePath, 'path'> {
  readonly role: MachinePath['role'] | 'value'
}

/** What a spec names of a machine, with the paths in a folder as the machine knows them. */
interface Named {
  /** Absent: on any one. */
  readonly machine?: string
  readonly directory: string | undefined
  readonly paths: readonly NamedPath[]
}

const namedBy = (
  named: readonly MachinePath[],
  values: Readonly<Record<string, string>> = {},
  machine?: string,
): Named => {
  const directory = named.find(({ role }) => role === 'folder')?.path
  const start = directory ?? named.find(({ role }) => role === 'source')?.path
  const inValues = Object.values(values).flatMap(pathsInText)
  const paths = [...named, ...inValues.map((path) => ({ role: 'value' as const, path }))]
  const whole = paths.map(({ role, path }) => ({
    role,
    path: role === 'inFolder' || role === 'value' ? resolvedPath(path, start) : path,
  }))
  return { directory, paths: whole, ...(machine !== undefined && { machine }) }
}

const ofStagelet = (stagelet: KubeObject): Named =>
  namedBy(
    machinePathsIn(stageletSpec, stagelet.spec),
    specOf('Stagelet', stagelet).compose.values,
    machineOf(stagelet),
  )

const templateOf = (project: KubeObject | undefined): PreviewSpec | undefined =>
  project && specOf('Project', project)?.preview

/** The stagelet of the project whose files previews run. */
const sourceOf = (view: Objects, project: KubeObject): KubeObject | undefined => {
  const { from } = templateOf(project) ?? {}
  const { namespace, name } = refOf(project)
  const source = from && finderIn(view)({ kind: 'Stagelet', namespace, name: from })
  return source && projectNameOf(source) === name ? source : undefined
}

/** A template is for any name (controller/previews/other-stacks.ts), and its source is on the machine of that. */
const ofTemplate = (view: Objects, project: KubeObject): Named => {
  const words: Readonly<Record<string, string>> = { name: 'name', project: project.metadata.name }
  const fill = (text: string): string => filled(text, (word) => words[word])
  const template = templateOf(project)
  const paths = machinePathsIn(previewSpec, template).map(({ role, path }) => ({
    role,
    path: fill(path),
  }))
  const source = sourceOf(view, project)
  const values = Object.entries(template?.variables ?? {}).map(
    ([key, text]) => [key, fill(text)] as const,
  )
  return namedBy(
    [
      ...paths,
      ...(source === undefined ? [] : [{ role: 'source' as const, path: folderOf(source) }]),
    ],
    Object.fromEntries(values),
  )
}

const stageletsIn = (view: Objects, { metadata }: KubeObject): KubeObject[] =>
  view.objects
    .withTerm(term.kind('Stagelet'))
    .map(({ object }) => object)
    .filter((other) => other.metadata.namespace === metadata.namespace)

const isOn = (machine: string | undefined, stagelet: KubeObject): boolean =>
  machine === undefined || machineOf(stagelet) === machine

const meets = (a: string, b: string): boolean => liesBelow(a, b) || liesBelow(b, a)

/** Another stack, which the actor may not write, lies in the folder, or around it. */
const meetsOthers = (
  view: Objects,
  narrowing: Narrowing,
  {
    object,
    machine,
    path,
  }: { readonly object: KubeObject; readonly machine: string | undefined; readonly path: string },
): boolean =>
  stageletsIn(view, object).some((other) => {
    if (!isOn(machine, other)) return false
    const place = placeOf(other, finderIn(view))
    return place !== undefined && !isWithin(narrowing, place) && meets(path, folderOf(other))
  })

/** The folder is that of a stagelet of the same project and environment on the same machine, and holds no other stack. */
const mayCopy = (
  view: Objects,
  narrowing: Narrowing,
  { stagelet, path }: { readonly stagelet: KubeObject; readonly path: string },
): boolean => {
  const machine = machineOf(stagelet)
  const { environment } = specOf('Stagelet', stagelet)
  const isSource = (other: KubeObject): boolean =>
    isOn(machine, other) &&
    projectNameOf(other) === projectNameOf(stagelet) &&
    specOf('Stagelet', other).environment === environment &&
    resolvedPath(folderOf(other)) === resolvedPath(path)
  return (
    stageletsIn(view, stagelet).some(isSource) &&
    !meetsOthers(view, narrowing, { object: stagelet, machine, path })
  )
}

/** What lies outside of the folders. A value is judged by where it leads: it may be no path. */
const refusalBelow = (
  view: Objects,
  folders: readonly string[],
  { object, named: { paths } }: { readonly object: KubeObject; readonly named: Named },
): string | undefined => {
  const open = paths.filter(({ role }) => role !== 'value')
  if (!open.every(({ path }) => folders.some((folder) => liesBelow(path, folder))))
    return `folder, files and whatever else it names on the machine must lie below ${folders.join(', ')}`
  const { from } = templateOf(object.kind === 'Stagelet' ? undefined : object) ?? {}
  return from !== undefined && sourceOf(view, object) === undefined
    ? 'preview.from names no stagelet, so nobody knows where its folder will be'
    : undefined
}

interface Refusal {
  readonly why: string
  /** It tells of stacks elsewhere, which the actor need not see. */
  readonly isOfOthers: boolean
}

const ofOthers = (why: string): Refusal => ({ why, isOfOthers: true })
const ofItself = (why: string): Refusal => ({ why, isOfOthers: false })

/** Why a narrowed actor may not choose these paths; undefined: it may. A path that no rule names is closed. */
const refusalOf = (
  view: Objects,
  narrowing: Narrowing,
  { object, named }: { readonly object: KubeObject; readonly named: Named },
): Refusal | undefined => {
  const { folders } = narrowing
  const { machine, directory = '/', paths } = named
  const isStagelet = object.kind === 'Stagelet'
  const bounded = folders && refusalBelow(view, folders, { object, named })
  if (bounded !== undefined) return ofItself(bounded)
  for (const { role, path } of paths) {
    if (role === 'source' && isStagelet && !mayCopy(view, narrowing, { stagelet: object, path }))
      return ofOthers(
        'a copy (compose.copyOf) is made of the folder of a stagelet of the same environment alone',
      )
    if (role === 'value' && meetsOthers(view, narrowing, { object, machine, path }))
      return ofOthers('a value for the Compose file names the folder of a stack elsewhere')
    if (folders !== undefined) continue
    if (role === 'other')
      return ofItself('writableFolders, adopt and mounts need a narrowing with folders')
    if (role === 'inFolder' && !liesBelow(path, directory))
      return ofItself('files outside of the folder of the stack need a narrowing with folders')
    if (role !== 'folder' || !meetsOthers(view, narrowing, { object, machine, path })) continue
    return ofOthers(
      isStagelet
        ? 'the folder meets that of a stack elsewhere: choose another one'
        : 'the folder of the template for previews is not open to it',
    )
  }
  return undefined
}

const isProtected = (view: Objects, stagelet: KubeObject): boolean => {
  const { environment } = specOf('Stagelet', stagelet)
  const project = finderIn(view)(projectRefOf(stagelet))
  return environment !== undefined && protectedIn(environmentsOf(project)).includes(environment)
}

const mayFor = ({ actor }: Pick<Acting, 'actor'>, object: KubeObject, name: string): boolean =>
  rightsOf(actor).mayChangeProtected(object.metadata.namespace ?? '', name)

/** A path meets the folder of a stack in a protected environment, which the actor may not change. */
const meetsProtected = (acting: Acting, object: KubeObject, { machine, paths }: Named): boolean =>
  stageletsIn(acting.view, object)
    .filter((other) => isOn(machine, other) && isProtected(acting.view, other))
    .filter((other) => !mayFor(acting, object, specOf('Stagelet', other).environment ?? ''))
    .some((other) => paths.some(({ path }) => meets(path, folderOf(other))))

/** Of all environments where the source is not there yet: nobody knows in which one it will be. */
const mayOpenSource = (acting: Acting, project: KubeObject): boolean => {
  const source = sourceOf(acting.view, project)
  const environment = source && specOf('Stagelet', source).environment
  const names = environment === undefined ? namesOf(environmentsOf(project)) : [environment]
  return names.every((name) => mayFor(acting, project, name))
}

const leadsIntoProtected = (acting: Acting, object: KubeObject, named: Named): boolean => {
  const isTemplate = object.kind === 'Project'
  const template = templateOf(isTemplate ? object : finderIn(acting.view)(projectRefOf(object)))
  const isOpened = template?.fromProtected === true
  if (isTemplate && isOpened) return !mayOpenSource(acting, object)
  if (acting.actor.followsTemplate !== true) return meetsProtected(acting, object, named)
  // Its values are those of the template, which were judged with it.
  const paths = named.paths.filter(({ role }) => role !== 'value')
  return !isOpened && meetsProtected(acting, object, { ...named, paths })
}

const refusedAsProtected = ({ actor }: Acting, { kind, metadata }: KubeObject): StagelyError =>
  new StagelyError(
    'Forbidden',
    `${actor.name} may not do this: ${kind} ${JSON.stringify(metadata.name)} would run from the folder of a stack in a protected environment, or copy it, or fill its Compose file with a path to it, with the files that lie there. Choose another folder. For previews, who may change that environment may set spec.preview.fromProtected of the project`,
    { denied: { why: 'Role', namespace: metadata.namespace ?? '' } },
  )

/**
 * What chooses the files of a machine, and what runs with them. Where previews run the folder of a protected environment,
 * images and values are chosen too: they get those files.
 */
const choiceOf = (view: Objects, object: KubeObject): unknown => {
  if (object.kind === 'Project') return templateOf(object)
  const { compose } = specOf('Stagelet', object)
  const template = templateOf(finderIn(view)(projectRefOf(object)))
  return [ofStagelet(object), template?.fromProtected === true ? compose : compose.projectName]
}

/** Refuses paths that the actor may not choose. What stays as it was is nobody's choice. */
export const checkFolders = (naming: Naming, { before, after }: ObjectChange): void => {
  if (after === undefined || (after.kind !== 'Stagelet' && after.kind !== 'Project')) return
  const { actor, view } = naming
  if (before !== undefined && sameJson(choiceOf(view, before), choiceOf(view, after))) return
  const named = after.kind === 'Stagelet' ? ofStagelet(after) : ofTemplate(view, after)
  const narrowing = actor.followsTemplate === true ? undefined : narrowingFor(actor, after)
  if (narrowing !== undefined) {
    const refusal = refusalOf(view, narrowing, { object: after, named })
    const tells = (): boolean => refusal?.isOfOthers ?? leadsIntoProtected(naming, after, named)
    tellTaken(naming, `folder ${JSON.stringify(named)}`, tells)
    if (refusal !== undefined) throw forbidden(actor, narrowing, refusal.why)
  }
  if (leadsIntoProtected(naming, after, named)) throw refusedAsProtected(naming, after)
}
