// Stores templates that have waited for the values of other secrets, in the write that gives the last of these values.
import { defined } from '../../kernel/defined.ts'
import { parseTemplate } from '../../kinds/secret/value-template.ts'
import { updateInSession } from './objects.ts'
import { dropStaged } from '../secrets/staged-values.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'
import type { ProjectState } from '../core/project-state.ts'
import { awaitsOf, keptTemplate, referencesToCome } from '../secrets/awaited-values.ts'

const admit = async (
  session: WriteSession,
  project: ProjectState,
  { object, uid }: StoredRow,
): Promise<boolean> => {
  const awaits = awaitsOf(object) ?? []
  if (referencesToCome(session, object, awaits).length > 0) return false
  const value = await keptTemplate(session, project, uid)
  if (value === undefined) return false
  const template = parseTemplate(value)
  if (typeof template === 'string') return false
  const { awaits: _, ...status } = object.status ?? {}
  session.completed.add(uid)
  await updateInSession(
    session,
    { ...object, status: defined(status) },
    {
      putBack: { value, origin: 'plain' },
      audit: { action: 'complete', detail: { awaited: [...awaits] } },
    },
  )
  await dropStaged(session, uid)
  return true
}

/** At the end of a write, before its references are checked. One template may have waited for another. */
export const admitTemplates = async (session: WriteSession): Promise<void> => {
  const projects = new Set(session.secretChanges.map(({ project }) => project))
  for (const project of projects) {
    let isNews = true
    while (isNews) {
      isNews = false
      const rows = session.select(term.templatesOf(project.ref))
      for (const row of rows.filter(({ object }) => awaitsOf(object) !== undefined))
        isNews = (await admit(session, project, row)) || isNews
    }
  }
}
