// Which folders of a machine a narrowed login may give to a stagelet. See ADR 0082.
import { liesBelow, resolvedPath } from '../../access/folders.ts'
import { isWithin, type Narrowing } from '../../access/place.ts'
import { sameJson } from '../../kernel/same-json.ts'
import type { KubeObject } from '../../resources/meta.ts'
import { specOf } from '../../resources/typed.ts'
import type { Actor } from '../core/actor.ts'
import { term } from '../state/rows.ts'
import type { View } from '../state/state.ts'
import { finderIn, forbidden, narrowingFor, placeOf, type ObjectChange } from './places.ts'

const composeOf = (stagelet: KubeObject) => specOf('Stagelet', stagelet).compose

const machineOf = (stagelet: KubeObject): string => specOf('Stagelet', stagelet).agentRef.name

/** What chooses the files of a machine. */
const choiceOf = (stagelet: KubeObject): unknown => {
  const { directory, files, envFiles, writableFolders, adopt, projectName } = composeOf(stagelet)
  const machine = machineOf(stagelet)
  return { machine, directory, files, envFiles, writableFolders, adopt, projectName }
}

const templateOf = (project: KubeObject): unknown => specOf('Project', project)?.preview?.directory

/** Folder and files of a stagelet, and what else it names on the machine. */
const pathsOf = (stagelet: KubeObject): { readonly own: string[]; readonly more: string[] } => {
  const { directory, files = [], envFiles = [], ...compose } = composeOf(stagelet)
  const { writableFolders = [], adopt = [] } = compose
  return {
    own: [directory, ...files, ...envFiles].map((path) => resolvedPath(path, directory)),
    more: [...writableFolders, ...adopt],
  }
}

/** Another stack, which the actor may not write, lies in the folder, or around it. Without a machine: on any one. */
const meetsOthers = (
  view: Pick<View, 'objects'>,
  narrowing: Narrowing,
  where: {
    readonly namespace: string | undefined
    readonly machine?: string
    readonly directory: string
  },
): boolean => {
  const { namespace, machine, directory } = where
  return view.objects.withTerm(term.kind('Stagelet')).some(({ object: other }) => {
    if (other.metadata.namespace !== namespace) return false
    if (machine !== undefined && machineOf(other) !== machine) return false
    const place = placeOf(other, finderIn(view))
    if (place === undefined || isWithin(narrowing, place)) return false
    const theirs = composeOf(other).directory
    return liesBelow(directory, theirs) || liesBelow(theirs, directory)
  })
}

/** Why the stagelet may not have these paths; undefined: it may. */
const refusalOf = (
  view: Pick<View, 'objects'>,
  narrowing: Narrowing,
  stagelet: KubeObject,
): string | undefined => {
  const { own, more } = pathsOf(stagelet)
  const { folders } = narrowing
  if (folders !== undefined)
    return [...own, ...more].every((path) => folders.some((folder) => liesBelow(path, folder)))
      ? undefined
      : `folder, files and whatever else the stagelet names on the machine must lie below ${folders.join(', ')}`
  if (more.length > 0) return 'writableFolders and adopt need a narrowing with folders'
  if (!own.every((path) => liesBelow(path, composeOf(stagelet).directory)))
    return 'files outside of the folder of the stack need a narrowing with folders'
  const { namespace } = stagelet.metadata
  const { directory } = composeOf(stagelet)
  return meetsOthers(view, narrowing, { namespace, machine: machineOf(stagelet), directory })
    ? 'the folder meets that of a stack elsewhere: choose another one'
    : undefined
}

/** The same for the template of previews: its folder is for any machine and name. */
const templateRefusal = (
  view: Pick<View, 'objects'>,
  narrowing: Narrowing,
  project: KubeObject,
): string | undefined => {
  const directory = specOf('Project', project)?.preview?.directory?.replaceAll('{name}', 'name')
  if (directory === undefined) return undefined
  const { folders } = narrowing
  const { namespace } = project.metadata
  const isOpen =
    folders?.some((folder) => liesBelow(directory, folder)) ??
    !meetsOthers(view, narrowing, { namespace, directory })
  return isOpen ? undefined : 'the folder of the template for previews is not open to it'
}

/** Refuses a stagelet whose files a narrowed actor may not choose. What stays as it was is nobody's choice. */
export const checkFolders = (
  { actor, view }: { readonly actor: Actor; readonly view: Pick<View, 'objects'> },
  { before, after }: ObjectChange,
): void => {
  if (after === undefined || actor.followsTemplate === true) return
  const narrowing = narrowingFor(actor, after)
  if (narrowing === undefined) return
  const { kind } = after
  if (kind !== 'Stagelet' && kind !== 'Project') return
  const choice = kind === 'Stagelet' ? choiceOf : templateOf
  if (before !== undefined && sameJson(choice(before), choice(after))) return
  const refuse = kind === 'Stagelet' ? refusalOf : templateRefusal
  const refusal = refuse(view, narrowing, after)
  if (refusal !== undefined) throw forbidden(actor, narrowing, refusal)
}
