// The steps that a rotation went, as the audit log has them; read when somebody looks.
import type { Rotation } from '../../../src/generated/rest-types.ts'
import { useState } from 'preact/hooks'
import { api, must } from '../../api/client.ts'
import { WhenKnown } from '../../ui/when-known.tsx'
import { messageText } from '../../ui/text/message.ts'
import { DataTable } from '../../ui/table.tsx'
import { Since } from '../../ui/time.tsx'
import { useQuery } from '../../ui/use-query.ts'
import s from './rotations.module.css'

interface Props {
  readonly team: string
  readonly rotation: Rotation
}

const shown = 100

const Steps = ({ team, rotation }: Props) => {
  const { project, name, phase, attempt } = rotation
  const history = useQuery({
    key: ['rotation history', team, project, name],
    refetchOn: [phase, attempt],
    read: (signal) => {
      const path = { project_id: `${team}/${project}`, rotation: name }
      const params = { path, query: { limit: shown } }
      return must(
        api.GET('/projects/{project_id}/rotations/{rotation}/history', { params, signal }),
      )
    },
  })
  return (
    <WhenKnown value={history} rows={3}>
      {({ steps }) =>
        steps.length === 0 ? (
          <p class="muted">No steps yet.</p>
        ) : (
          <DataTable
            label={`History of ${name}`}
            stacks
            rows={steps.map((step, place) => ({ ...step, place }))}
            idOf={({ place }) => place.toString()}
            columns={[
              { title: 'When', head: true, render: ({ at }) => <Since at={at} /> },
              { title: 'Attempt', render: ({ attempt: n }) => <span class="num">{n}</span> },
              {
                title: 'Step',
                render: ({ from, to, what }) =>
                  [what, from === undefined || to === undefined ? to : `${from} → ${to}`]
                    .filter((text) => text !== undefined)
                    .join(': '),
              },
              { title: 'Message', render: ({ message = '' }) => messageText(message) },
            ]}
          />
        )
      }
    </WhenKnown>
  )
}

export const RotationHistory = (props: Props) => {
  const [isOpen, setOpen] = useState(false)
  return (
    <details class={s['history']} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>History</summary>
      {isOpen ? <Steps {...props} /> : null}
    </details>
  )
}
