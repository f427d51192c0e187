// Two values beside each other, with what differs marked: two versions of a secret, or two secrets of one key. Both are
// read for that, and the audit log has both readings.
import { useState } from 'preact/hooks'
import { whyNot } from '../../../session/session.ts'
import { Button } from '../../../ui/button.tsx'
import { Dialog } from '../../../ui/dialogs/dialog.tsx'
import { visibleText } from '../../../ui/text/visible-text.ts'
import { useSending } from '../../../ui/use-sending.ts'
import type { ProjectPlace } from '../../project/data.ts'
import { differenceOf, withSpaces } from './differing.ts'
import { ReadProblem, revealValue, useShownFor } from '../read-value.tsx'
import f from '../../../ui/fields/form.module.css'
import s from '../page.module.css'

export interface Side {
  readonly secretId: string
  /** Absent: the newest. */
  readonly version?: number
  /** `v3`, `web of prod`. */
  readonly name: string
}

type Two<T> = readonly [T, T]

/** Both values are in these elements only, and go with them. */
const Both = ({
  names: [leftName, rightName],
  values,
  onGone,
}: {
  readonly names: Two<string>
  readonly values: Two<string>
  readonly onGone: () => void
}) => {
  const seconds = useShownFor(onGone)
  const { before, left, right, after } = differenceOf(...values)
  const lineOf = (name: string, own: string) => (
    <div>
      <p class="muted">{name}</p>
      <pre class={s['value']} tabIndex={0} aria-label={`Value of ${name}`}>
        {visibleText(withSpaces(before))}
        <mark>{visibleText(withSpaces(own))}</mark>
        {visibleText(withSpaces(after))}
      </pre>
    </div>
  )
  return (
    <>
      {lineOf(leftName, left)}
      {lineOf(rightName, right)}
      <p class="muted num">Hidden in {seconds} s.</p>
    </>
  )
}

interface Props {
  readonly title: string
  readonly place: ProjectPlace
  readonly sides: Two<Side>
  readonly onClose: () => void
}

export const CompareValues = ({ title, place, sides: [left, right], onClose }: Props) => {
  const [values, setValues] = useState<Two<string> | undefined>()
  const { busy, error, run } = useSending()
  const read = async (): Promise<void> => {
    const leftValue = await revealValue(place, left.secretId, left.version)
    setValues([leftValue, await revealValue(place, right.secretId, right.version)])
  }
  return (
    <Dialog wide title={title} onClose={onClose}>
      <div class={f['form']}>
        {error === undefined ? null : <ReadProblem error={error} />}
        {values === undefined ? (
          <>
            <p>
              The values differ. Both are read to show the difference: that makes two entries in the
              audit log, with your name, the time and your address.
            </p>
            <div class={f['buttons']}>
              <Button onPress={onClose}>Cancel</Button>
              <Button
                variant="primary"
                busy={busy}
                whyNot={whyNot('get', 'stagelysecrets/value', place.team)}
                onPress={() => void run(read)}
              >
                Show both values
              </Button>
            </div>
          </>
        ) : (
          <Both
            names={[left.name, right.name]}
            values={values}
            onGone={() => setValues(undefined)}
          />
        )}
      </div>
    </Dialog>
  )
}
