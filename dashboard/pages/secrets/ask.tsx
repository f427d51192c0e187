// Asks for access to a guarded value, where reading it was refused for that.
import { useState } from 'preact/hooks'
import { requestAccess } from '../../actions/access.ts'
import { api, ApiProblem, must } from '../../api/client.ts'
import { whyNot } from '../../session/session.ts'
import { someOf } from '../../live/known.ts'
import { perform } from '../../ui/action.ts'
import { Button } from '../../ui/button.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { FormDialog } from '../../ui/dialogs/form-dialog.tsx'
import { accessUrl } from '../../ui/text/links.ts'
import { useQuery } from '../../ui/use-query.ts'
import type { ProjectPlace } from '../project/data.ts'

interface Props {
  readonly place: ProjectPlace
  readonly secret: { readonly key: string; readonly scope: string }
}

export const isRequestNeeded = (error: unknown): boolean =>
  error instanceof ApiProblem && error.problem.reason === 'AccessRequestNeeded'

/** Whether a policy guards values of the project, so that a request may help. */
export const useIsGuarded = ({ team, project }: ProjectPlace, enabled: boolean): boolean => {
  const policies = useQuery({
    key: ['policies', team],
    enabled: enabled && whyNot('list', 'accesspolicies', team) === undefined,
    read: async (signal) =>
      (await must(api.GET('/policies', { params: { query: { team } }, signal }))).policies,
  })
  return someOf(policies).some(({ projects }) => projects.includes(project))
}

export const AskForAccess = ({ place, secret }: Props) => {
  const [isAsking, setAsking] = useState(false)
  const [asked, setAsked] = useState<string | undefined>()
  const [reason, setReason] = useState('')
  const [duration, setDuration] = useState('')
  const { key, scope } = secret
  const given = duration.trim() === '' ? undefined : duration.trim()
  const action = requestAccess(place, { key, scope, reason: reason.trim(), duration: given })
  if (asked !== undefined)
    return (
      <p role="status">
        <a href={accessUrl({ team: place.team, name: asked })}>{asked}</a> waits for an approval.
      </p>
    )
  return (
    <>
      <p>This value is guarded: others approve who reads it.</p>
      <Button
        small
        whyNot={whyNot('create', 'accessrequests', place.team)}
        onPress={() => setAsking(true)}
      >
        Ask for access…
      </Button>
      {isAsking ? (
        <FormDialog
          title={`Ask for access to ${key}`}
          action="Ask"
          send={async () => {
            const { name } = await perform(action)
            setAsked(name)
          }}
          onClose={() => setAsking(false)}
        >
          <label>
            <span>Reason</span>
            <input
              required
              minLength={3}
              maxLength={1000}
              value={reason}
              onInput={(event) => setReason(event.currentTarget.value)}
            />
          </label>
          <label>
            <span>For how long</span>
            <input
              placeholder="30m; as long as the policy gives"
              value={duration}
              onInput={(event) => setDuration(event.currentTarget.value)}
            />
          </label>
          {reason.trim() === '' ? null : <CopyAs action={action} />}
        </FormDialog>
      ) : null}
    </>
  )
}
