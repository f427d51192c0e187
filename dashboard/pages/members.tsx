// The members of a team, their roles, and where these count.
import { useRoute } from 'preact-iso'
import { useState } from 'preact/hooks'
import { narrowingText } from '../../src/access/place.ts'
import type { TeamRole } from '../../src/access/team-roles.ts'
import { api, must } from '../api/client.ts'
import type { Member } from '../../src/generated/rest-types.ts'
import { whyNot } from '../session/session.ts'
import { removeMember, setMember } from '../actions/people.ts'
import { mapKnown } from '../live/known.ts'
import { useAction } from '../ui/action.ts'
import { Button } from '../ui/button.tsx'
import { ConfirmAction } from '../ui/dialogs/confirm-action.tsx'
import { ListPanel } from '../ui/list.tsx'
import { Empty, PageFrame } from '../ui/page.tsx'
import type { TableColumn } from '../ui/table.tsx'
import { Since } from '../ui/time.tsx'
import { useQuery } from '../ui/use-query.ts'
import { MemberDialog } from './people/member-dialog.tsx'
import { RoleSelect, RolesPanel } from './people/roles.tsx'
import { TeamTabs } from './people/team-tabs.tsx'

interface RoleProps {
  readonly team: string
  readonly member: Member
  readonly onChanged: () => void
}

const whyNotChange = (team: string, { from_group: isOfGroup }: Member): string | undefined =>
  whyNot('update', 'members', team) ??
  (isOfGroup ? 'Role and place follow a group of the OpenID provider.' : undefined)

const MemberRole = ({ team, member, onChanged }: RoleProps) => {
  const { run } = useAction()
  const { user, role, from_group: isOfGroup } = member
  const choose = async (next: TeamRole | ''): Promise<void> => {
    if (next === '' || next === role) return
    const action = setMember(team, { user, role: next, isNew: false })
    await run(action, `${user} is ${next} of ${team}.`)
    onChanged()
  }
  return (
    <>
      <RoleSelect
        label={`Role of ${user}`}
        value={role}
        whyNot={whyNotChange(team, member)}
        onChoose={(next) => void choose(next)}
      />
      {isOfGroup ? <small>from a group</small> : null}
    </>
  )
}

const columnsOf = (
  team: string,
  onChanged: () => void,
  { onEdit, onRemove }: Readonly<Record<'onEdit' | 'onRemove', (member: Member) => void>>,
): readonly TableColumn<Member>[] => [
  {
    title: 'Member',
    head: true,
    render: ({ user, email }) => (
      <>
        {user}
        {email === undefined ? null : <small>{email}</small>}
      </>
    ),
  },
  {
    title: 'Role',
    render: (member) => <MemberRole team={team} member={member} onChanged={onChanged} />,
  },
  {
    title: 'Only',
    render: (member) => narrowingText(member) || <span class="muted">the whole team</span>,
  },
  { title: 'Since', wide: true, render: ({ since }) => <Since at={since} /> },
  {
    title: 'Action',
    end: true,
    render: (member) => (
      <>
        <Button
          small
          variant="quiet"
          label={`Edit ${member.user}`}
          whyNot={whyNotChange(team, member)}
          onPress={() => onEdit(member)}
        >
          Edit
        </Button>
        <Button
          small
          variant="quiet"
          label={`Remove ${member.user}`}
          whyNot={whyNot('delete', 'members', team)}
          onPress={() => onRemove(member)}
        >
          Remove
        </Button>
      </>
    ),
  },
]

export const Page = () => {
  const { team = '' } = useRoute().params
  const members = useQuery({
    key: ['members', team],
    read: (signal) =>
      must(
        api.GET('/teams/{team}/members', {
          params: { path: { team }, query: { limit: 1000 } },
          signal,
        }),
      ),
  })
  const [edited, setEdited] = useState<Member | 'new' | undefined>()
  const [removed, setRemoved] = useState<Member | undefined>()
  const reload = (): void => void members.refetch()
  return (
    <PageFrame
      windowTitle={`Members of ${team}`}
      title={`Team ${team}`}
      tabs={<TeamTabs team={team} current="members" />}
      actions={
        <Button
          command={`add-member:${team}`}
          variant="primary"
          whyNot={whyNot('update', 'members', team)}
          onPress={() => setEdited('new')}
        >
          Add a member
        </Button>
      }
    >
      <ListPanel
        title="Members"
        label={`Members of ${team}`}
        rows={mapKnown(members, ({ members: all }) => all)}
        idOf={(member) => `${member.user_id} ${member.role} ${narrowingText(member)}`}
        columns={columnsOf(team, reload, { onEdit: setEdited, onRemove: setRemoved })}
        empty={
          <Empty title="No members yet">Admins of the controller have access to every team.</Empty>
        }
      />
      <RolesPanel />
      {edited === undefined ? null : (
        <MemberDialog
          team={team}
          member={edited === 'new' ? undefined : edited}
          onDone={() => {
            setEdited(undefined)
            reload()
          }}
          onClose={() => setEdited(undefined)}
        />
      )}
      {removed === undefined ? null : (
        <ConfirmAction
          danger
          title={`Remove ${removed.user} from ${team}?`}
          label={`Remove ${removed.user}`}
          action={removeMember(team, removed.user)}
          onDone={reload}
          onClose={() => setRemoved(undefined)}
        >
          <p>
            They still know the values that they have read:{' '}
            <a href={`/ui/audit?by=${encodeURIComponent(removed.user)}`}>
              review and rotate these values
            </a>
            .
          </p>
        </ConfirmAction>
      )}
    </PageFrame>
  )
}
