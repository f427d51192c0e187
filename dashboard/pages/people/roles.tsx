// What each role may do, in words, from the one table of rights.
import { rightsOf, type Resource, type Verb } from '../../../src/access/roles.ts'
import { teamRoles, type TeamRole } from '../../../src/access/team-roles.ts'
import { Panel } from '../../ui/page.tsx'
import { DataTable } from '../../ui/table.tsx'

const rights: readonly (readonly [string, Verb, Resource])[] = [
  ['view projects, stagelets and names of secrets', 'list', 'stagelysecrets'],
  ['edit secrets, roll back', 'update', 'stagelysecrets'],
  ['read values', 'get', 'stagelysecrets/value'],
  ['deploy and retry', 'create', 'stagelets/deploy'],
  ['pause and resume', 'patch', 'stagelets/pause'],
  ['read logs (masked)', 'get', 'stagelets/logs'],
  ['create and delete stagelets', 'create', 'stagelets'],
  ['edit projects, stagelets and agents', 'update', 'projects'],
  ['see members', 'list', 'members'],
  ['create machine tokens', 'create', 'tokens'],
  ['manage members', 'update', 'members'],
  ['erase secrets for good', 'delete', 'stagelysecrets/purge'],
  ['read the audit log', 'list', 'audit'],
]

const mayIn = (role: TeamRole, verb: Verb, resource: Resource): boolean =>
  rightsOf[role][resource]?.includes(verb) === true

export const RolesPanel = () => (
  <Panel flush title="Role permissions">
    <DataTable
      label="Role permissions"
      rows={rights}
      idOf={([words]) => words}
      columns={[
        { title: 'Permission', head: true, render: ([words]) => words },
        ...teamRoles.map((role) => ({
          title: role,
          upright: true,
          render: ([, verb, resource]: (typeof rights)[number]) =>
            mayIn(role, verb, resource) ? 'yes' : <span class="muted">–</span>,
        })),
      ]}
    />
  </Panel>
)

export const RoleSelect = ({
  label,
  value,
  whyNot,
  onChoose,
  none,
}: {
  readonly label: string
  readonly value: TeamRole | ''
  readonly whyNot?: string | undefined
  readonly onChoose: (role: TeamRole | '') => void
  /** The text of no role, where that may be chosen. */
  readonly none?: string
}) => (
  <select
    aria-label={label}
    value={value}
    disabled={whyNot !== undefined}
    title={whyNot}
    onChange={(event) => onChoose(event.currentTarget.value as TeamRole | '')}
  >
    {none === undefined ? null : <option value="">{none}</option>}
    {teamRoles.map((role) => (
      <option value={role}>{role}</option>
    ))}
  </select>
)
