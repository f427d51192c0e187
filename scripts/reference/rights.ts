// The page of roles and rights, made of the table that decides them.
import { readVerbs, resources, rightsOf, verbs, type Verb } from '../../src/access/roles.ts'
import { teamRoles } from '../../src/access/team-roles.ts'
import { generatedMark } from './mark.ts'

const cellOf = (held: readonly Verb[] = []): string => {
  if (held.length === verbs.length) return 'all'
  const isRead = readVerbs.every((verb) => held.includes(verb))
  const rest = isRead ? held.filter((verb) => !readVerbs.includes(verb)) : held
  return [...(isRead ? ['read'] : []), ...rest].join(', ')
}

const rowOf = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`

export const renderRights = (): string => `# Roles and rights

${generatedMark('src/access/roles.ts')}

What each role of a team may do. An admin of the controller may do everything in every team. \`read\` is get, list and watch. \`all\` is that and create, update, patch and delete. \`get\` of \`stagelysecrets/value\` is the reveal of a value. What a role can do on a machine: [security model](../security-model.md#on-a-machine).

${rowOf(['right', ...teamRoles])}${rowOf(['right', ...teamRoles].map(() => '---'))}${resources
  .map((resource) =>
    rowOf([`\`${resource}\``, ...teamRoles.map((role) => cellOf(rightsOf[role][resource]))]),
  )
  .join('')}`
