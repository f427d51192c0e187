// What the caller may do with a request, each with a note.
import { useState } from 'preact/hooks'
import type { AccessRequest } from '../../../src/generated/rest-types.ts'
import { decideAccess, reviewAccess, type Decision } from '../../actions/access.ts'
import { whyNot } from '../../session/session.ts'
import { perform } from '../../ui/action.ts'
import { Button } from '../../ui/button.tsx'
import { CopyAs } from '../../ui/copy-as.tsx'
import { FormDialog } from '../../ui/dialogs/form-dialog.tsx'
import { isOwn } from '../../ui/use-requests.ts'
import { needsReview } from './state.ts'

type Choice = Decision | 'review'

const labels: Readonly<Record<Choice, string>> = {
  approve: 'Approve',
  deny: 'Deny',
  cancel: 'Take back',
  revoke: 'End now',
  review: 'Review',
}

const outcomes = ['Justified', 'Misuse'] as const

/** What may be done with it, in its state; others and the requester may do different things. */
const choicesFor = (request: AccessRequest): readonly Choice[] => {
  const { state } = request
  const isGiven = state === 'Approved' || state === 'Active'
  const ending: Choice[] = isGiven ? ['revoke'] : []
  if (isOwn(request)) return state === 'Pending' ? ['cancel'] : ending
  const review: Choice[] = needsReview(request) ? ['review'] : []
  return state === 'Pending' ? ['approve', 'deny'] : [...ending, ...review]
}

const whyNotFor = (choice: Choice, { team }: AccessRequest): string | undefined => {
  if (choice === 'cancel') return whyNot('create', 'accessrequests', team)
  const part = choice === 'review' ? 'review' : 'approval'
  return whyNot('update', `accessrequests/${part}`, team)
}

interface DialogProps {
  readonly choice: Choice
  readonly request: AccessRequest
  readonly onDone: () => void
  readonly onClose: () => void
}

const DecisionDialog = ({ choice, request, onDone, onClose }: DialogProps) => {
  const [note, setNote] = useState('')
  const [outcome, setOutcome] = useState<(typeof outcomes)[number]>('Justified')
  const action =
    choice === 'review'
      ? reviewAccess(request, outcome, note.trim())
      : decideAccess(choice, request, note.trim())
  const send = async (): Promise<void> => {
    await perform(action)
    onDone()
  }
  return (
    <FormDialog
      title={`${labels[choice]}: ${request.name}`}
      action={labels[choice]}
      danger={choice === 'deny' || choice === 'revoke'}
      send={send}
      onClose={onClose}
    >
      {choice === 'review' ? (
        <label>
          <span>Outcome</span>
          <select
            value={outcome}
            onChange={(event) =>
              setOutcome(event.currentTarget.value === 'Misuse' ? 'Misuse' : 'Justified')
            }
          >
            {outcomes.map((word) => (
              <option value={word}>{word}</option>
            ))}
          </select>
        </label>
      ) : null}
      <label>
        <span>Note</span>
        <input
          maxLength={1000}
          value={note}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
      </label>
      <CopyAs action={action} />
    </FormDialog>
  )
}

export const Decide = ({
  request,
  onDone,
}: {
  readonly request: AccessRequest
  readonly onDone: () => void
}) => {
  const [choice, setChoice] = useState<Choice | undefined>()
  const close = (): void => setChoice(undefined)
  return (
    <>
      {choicesFor(request).map((offered) => (
        <Button
          key={offered}
          variant={offered === 'approve' ? 'primary' : 'plain'}
          whyNot={whyNotFor(offered, request)}
          onPress={() => setChoice(offered)}
        >
          {labels[offered]}
        </Button>
      ))}
      {choice === undefined ? null : (
        <DecisionDialog
          choice={choice}
          request={request}
          onDone={() => {
            close()
            onDone()
          }}
          onClose={close}
        />
      )}
    </>
  )
}
