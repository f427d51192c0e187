// Who is in a team, and in which role.
import { useRoute } from 'preact-iso'
import { useState } from 'preact/hooks'
import type { TeamRole } from '../../src/access/team-roles.ts'
import { api, must } from '../api/client.ts'
import type { Member } from '../../src/rest/types.ts'
import { whyNot } from '../app/session.ts'
import { memberDoing, removeMemberDoing } from '../copy-as/people.ts'
import { useAction } from '../ui/action.ts'
import { Button } from '../ui/button.tsx'
import { confirmed } from '../ui/confirm-login.tsx'
import { CopyAs, wasDone } from '../ui/copy-as.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { WhenKnown } from '../ui/when-known.tsx'
import { Empty, PageFrame, Panel } from '../ui/page.tsx'
import { Table } from '../ui/table.tsx'
import { Since } from '../ui/time.tsx'
import { useQuery } from '../ui/use-query.ts'
import { RoleSelect, RolesPanel } from './people/roles.tsx'
import { TeamTabs } from './people/team-tabs.tsx'

const put = (team: string, user: string, role: TeamRole): Promise<Member> =>
  confirmed(() =>
    must(
      api.PUT('/teams/{team}/members/{user}', { params: { path: { team, user } }, body: { role } }),
    ),
  )

const AddMember = ({
  team,
  onDone,
  onClose,
}: {
  readonly team: string
  readonly onDone: () => void
  readonly onClose: () => void
}) => {
  const [user, setUser] = useState('')
  const [role, setRole] = useState<TeamRole>('developer')
  const doing = memberDoing(team, { user: user.trim(), role, isNew: true })
  const add = async (): Promise<void> => {
    await put(team, user.trim(), role)
    wasDone(doing)
    onDone()
  }
  return (
    <FormDialog title={`Add to ${team}`} action="Add to the team" send={add} onClose={onClose}>
      <label>
        <span>Name or e-mail address</span>
        <input required value={user} onInput={(event) => setUser(event.currentTarget.value)} />
      </label>
      <label>
        <span>Role</span>
        <RoleSelect
          label="Role"
          value={role}
          onChoose={(chosen) => {
            if (chosen !== '') setRole(chosen)
          }}
        />
      </label>
      {user.trim() === '' ? null : <CopyAs doing={doing} />}
    </FormDialog>
  )
}

interface TableProps {
  readonly team: string
  readonly members: readonly Member[]
  readonly onChanged: () => void
}

const MembersTable = ({ team, members, onChanged }: TableProps) => {
  const [going, setGoing] = useState<Member | undefined>()
  const { busy, run } = useAction()
  const whyNotChange = whyNot('update', 'members', team)
  const change = async (member: Member, role: TeamRole | ''): Promise<void> => {
    if (role === '' || role === member.role) return
    const { user } = member
    const doing = memberDoing(team, { user, role, isNew: false })
    await run(() => put(team, user, role), `${user} is ${role} of ${team}.`, doing)
    onChanged()
  }
  const remove = async (member: Member): Promise<void> => {
    const path = { team, user: member.user }
    const request = () => must(api.DELETE('/teams/{team}/members/{user}', { params: { path } }))
    const done = `${member.user} is no member any more.`
    await run(() => confirmed(request), done, removeMemberDoing(team, member.user))
    setGoing(undefined)
    onChanged()
  }
  return (
    <>
      <Table
        label={`Members of ${team}`}
        rows={members}
        idOf={({ user_id: id, role }) => `${id} ${role}`}
        columns={[
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
            render: (member) => (
              <>
                <RoleSelect
                  label={`Role of ${member.user}`}
                  value={member.role}
                  whyNot={
                    whyNotChange ??
                    (member.from_group ? 'It follows a group of the OpenID provider.' : undefined)
                  }
                  onChoose={(role) => void change(member, role)}
                />
                {member.from_group ? <small>from a group</small> : null}
              </>
            ),
          },
          { title: 'Since', wide: true, render: ({ since }) => <Since at={since} /> },
          {
            title: 'Action',
            end: true,
            render: (member) => (
              <Button
                small
                look="quiet"
                label={`Remove ${member.user}`}
                whyNot={whyNot('delete', 'members', team)}
                onPress={() => setGoing(member)}
              >
                Remove
              </Button>
            ),
          },
        ]}
      />
      {going === undefined ? null : (
        <Confirm
          danger
          title={`Take ${going.user} out of ${team}?`}
          action={`Remove ${going.user}`}
          busy={busy}
          onConfirm={() => void remove(going)}
          onClose={() => setGoing(undefined)}
        >
          <p>
            What they have read stays known to them:{' '}
            <a href={`/ui/audit?by=${encodeURIComponent(going.user)}`}>see it, and rotate it</a>.
          </p>
          <CopyAs doing={removeMemberDoing(team, going.user)} />
        </Confirm>
      )}
    </>
  )
}

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
  const [isAdding, setAdding] = useState(false)
  return (
    <PageFrame
      windowTitle={`Members of ${team}`}
      title={`Team ${team}`}
      tabs={<TeamTabs team={team} current="members" />}
      actions={
        <Button
          command={`add-member:${team}`}
          look="primary"
          whyNot={whyNot('update', 'members', team)}
          onPress={() => setAdding(true)}
        >
          Add a member
        </Button>
      }
    >
      <Panel flush title="Members">
        <WhenKnown of={members}>
          {({ members: all }) =>
            all.length === 0 ? (
              <Empty title="Nobody is in this team.">
                Admins of the controller may do all in it.
              </Empty>
            ) : (
              <MembersTable team={team} members={all} onChanged={() => void members.again()} />
            )
          }
        </WhenKnown>
      </Panel>
      <RolesPanel />
      {isAdding ? (
        <AddMember
          team={team}
          onDone={() => {
            setAdding(false)
            void members.again()
          }}
          onClose={() => setAdding(false)}
        />
      ) : null}
    </PageFrame>
  )
}
