// Fills templates with what they refer to, so that no reader ever gets one in place of a value.
import { maxFileBytes } from '../../kinds/secret/schema.ts'
import {
  renderedLength,
  renderTemplate,
  parseTemplate,
  type Template,
} from '../../kinds/secret/value-template.ts'
import { isForStagelet } from '../../secrets/place.ts'
import { createDependencies, createResolver } from '../../secrets/references.ts'
import { createResolvedDigest } from '../../secrets/resolved-digest.ts'
import { setTampered } from '../core/errors.ts'
import type { Seen } from '../../secrets/set-entry.ts'
import type { OpenedEntry } from '../core/sets.ts'

/** The template of an opened entry that refers to others, as its version says it does. */
const templateOf = (projectUid: string, entry: OpenedEntry): Template => {
  const template = parseTemplate(entry.value)
  const same =
    typeof template === 'object' && template.references.join() === entry.references?.join()
  if (!same) throw setTampered(projectUid)
  return template
}

/** Stands for a value that is too long, which is refused anyway: a chain of such values must cost nothing. */
export const tooLong = Buffer.alloc(0)

/** What an entry is for `viewer`, or `tooLong`. */
export const createFiller = (
  projectUid: string,
  entries: readonly Seen<OpenedEntry>[],
  viewer: string | undefined,
): ((entry: Seen<OpenedEntry>) => Buffer) =>
  createResolver<Seen<OpenedEntry>, Buffer>(entries, viewer, (entry, values) => {
    if (entry.references === undefined) return entry.value
    const template = templateOf(projectUid, entry)
    if (values.includes(tooLong) || renderedLength(template, values) > maxFileBytes) return tooLong
    return renderTemplate(template, values)
  })

/**
 * The entries that `viewer` may see, with their values: all references are filled in.
 * Throws where a set does not resolve.
 */
export const resolveEntries = (
  projectUid: string,
  entries: readonly Seen<OpenedEntry>[],
  viewer: string | undefined,
): Seen<OpenedEntry>[] => {
  if (entries.every((entry) => entry.references === undefined))
    return entries.filter((entry) => isForStagelet(entry, viewer))
  const fill = createFiller(projectUid, entries, viewer)
  const follow = createResolvedDigest(entries, viewer)
  const reach = createDependencies(entries, viewer)
  return entries
    .filter((entry) => isForStagelet(entry, viewer))
    .map((entry) => {
      if (entry.references === undefined) return entry
      const value = fill(entry)
      if (value === tooLong) throw setTampered(projectUid)
      const { references: _, plain, ...rest } = follow(entry)
      // What it refers to may have become masked since.
      const isPlain = plain === true && reach(entry).every((reached) => reached.plain === true)
      return { ...rest, ...(isPlain && { plain }), value, bytes: value.length }
    })
}
