import { age, integer, text, wide } from '../../resources/columns.ts'
import { defineKind } from '../../resources/define-kind.ts'
import { names } from './names.ts'
import { projectSpec, projectStatus, checkProject } from './schema.ts'

export const project = defineKind({
  names,
  spec: projectSpec,
  status: projectStatus,
  check: checkProject,
  columns: [
    integer('Revision', '.status.revision', 'Newest closed revision.'),
    integer('Secrets', '.status.secrets', 'Secrets in the newest set.'),
    integer('Stagelets', '.status.stagelets.total', 'Stagelets of the project.'),
    integer('In-Sync', '.status.stagelets.inSync', 'Stagelets that are in sync.'),
    wide(text('Rollout', '.status.rollout.state', 'State of the rollout of the newest revision.')),
    age,
  ],
})
