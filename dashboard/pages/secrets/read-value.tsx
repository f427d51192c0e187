// Reading a value: onto the clipboard, without its ever being in the page, or shown for half a minute. The
// controller notes each reading in the audit log.
import { useEffect, useRef, useState } from 'preact/hooks'
import { api, must } from '../../api/client.ts'
import { useShortcuts } from '../../session/keys.ts'
import { whyNot } from '../../session/session.ts'
import { Button } from '../../ui/button.tsx'
import {
  confirmed,
  unlockValues,
  ValuesLocked,
  valuesLocked,
} from '../../ui/dialogs/confirm-login.tsx'
import { ProblemBox } from '../../ui/problem.tsx'
import { useSending } from '../../ui/use-sending.ts'
import { useOwnGrants } from '../../ui/use-requests.ts'
import { AskForAccess, isRequestNeeded, useIsGuarded } from './ask.tsx'
import { clipboardLeft, copyValue } from './clipboard.ts'
import type { ProjectPlace } from '../project/data.ts'
import { bytesOfBase64, hexRows } from './hex.ts'
import { readCount } from './read-count.ts'
import s from './page.module.css'

const shownSeconds = 30

interface Props {
  readonly place: ProjectPlace
  readonly secret: { readonly id: string; readonly key: string; readonly scope: string }
}

class NotText extends Error {}

export const ReadProblem = ({ error }: { readonly error: unknown }) =>
  error instanceof ValuesLocked ? (
    <p role="alert">Values are locked: confirm your identity to read one.</p>
  ) : error instanceof NotText ? (
    <p role="alert">
      This value is not text, and cannot be copied or compared. Show it, or read it into a file with{' '}
      <code>stagely secrets get --reveal</code>.
    </p>
  ) : (
    <ProblemBox error={error} />
  )

/** Asks for a confirmed login where that is wanted. `version`: an older one. */
const read = async (
  { team, project }: ProjectPlace,
  secretId: string,
  version?: number,
): Promise<string | Uint8Array> => {
  await unlockValues()
  const path = { project_id: `${team}/${project}`, secret_id: secretId }
  const body = version === undefined ? {} : { version }
  const { value, value_base64: base64 = '' } = await confirmed(() =>
    must(api.POST('/projects/{project_id}/secrets/{secret_id}/reveal', { params: { path }, body })),
  )
  readCount.value += 1
  return value ?? bytesOfBase64(base64)
}

export const revealValue = async (...args: Parameters<typeof read>): Promise<string> => {
  const value = await read(...args)
  if (typeof value !== 'string') throw new NotText()
  return value
}

/** How many seconds a value is still shown. It goes at once when the page is hidden or loses the focus. */
export const useShownFor = (onGone: () => void): number => {
  const [left, setLeft] = useState(shownSeconds)
  useEffect(() => {
    const timer = setInterval(() => setLeft((before) => before - 1), 1_000)
    const hide = (): void => {
      if (document.hidden || !document.hasFocus()) onGone()
    }
    document.addEventListener('visibilitychange', hide)
    window.addEventListener('blur', hide)
    window.addEventListener('pagehide', onGone)
    const stopWatching = valuesLocked.subscribe((isLocked) => {
      if (isLocked) onGone()
    })
    return () => {
      clearInterval(timer)
      stopWatching()
      document.removeEventListener('visibilitychange', hide)
      window.removeEventListener('blur', hide)
      window.removeEventListener('pagehide', onGone)
    }
  }, [])
  useEffect(() => {
    if (left <= 0) onGone()
  }, [left])
  return left
}

/** The value is in this element only, and goes with it. */
const Shown = ({
  value,
  onGone,
}: {
  readonly value: string | Uint8Array
  readonly onGone: () => void
}) => {
  const node = useRef<HTMLPreElement>(null)
  const isText = typeof value === 'string'
  const left = useShownFor(onGone)
  useShortcuts([{ keys: 'Escape', does: 'Hide the value', run: () => (onGone(), true) }])
  useEffect(() => {
    if (node.current !== null) node.current.textContent = isText ? value : hexRows(value).join('\n')
  }, [])
  return (
    <>
      {isText ? null : <p class="muted">{value.length} bytes that are not text</p>}
      <pre
        class={isText ? s['value'] : `${s['value']} ${s['hex']}`}
        ref={node}
        tabIndex={0}
        aria-label="The value"
      />
      <p class="muted num">
        Hidden in {left} s, or with Esc.{' '}
        <Button small variant="quiet" onPress={onGone}>
          Hide
        </Button>
      </p>
    </>
  )
}

export const ReadValue = ({ place, secret }: Props) => {
  const { id: secretId } = secret
  const grants = useOwnGrants(place.team, place.project)
  const [value, setValue] = useState<{ readonly read: string | Uint8Array } | undefined>()
  const { busy, error, run } = useSending()
  const why = grants.length > 0 ? undefined : whyNot('get', 'stagelysecrets/value', place.team)
  const isGuarded = useIsGuarded(place, why !== undefined) && why !== undefined
  const left = clipboardLeft.value
  const copy = (): void => void run(() => copyValue(revealValue(place, secretId)))
  const show = (): void =>
    void run(async () => {
      setValue({ read: await read(place, secretId) })
    })
  const unlessBusy = (does: () => void) => (): boolean => {
    if (why === undefined && !busy) does()
    return true
  }
  useShortcuts([
    { keys: 'c', does: 'Copy the value', run: unlessBusy(copy) },
    { keys: 'v', does: 'Show the value', run: unlessBusy(show) },
  ])
  return (
    <>
      <div class={s['reads']}>
        <Button small whyNot={why} busy={busy} keys="c" onPress={copy}>
          Copy the value
        </Button>
        <Button small whyNot={why} busy={busy} keys="v" onPress={show}>
          Show the value
        </Button>
      </div>
      <p class="muted" role="status">
        {left === 0
          ? 'Reading is recorded in the audit log, with your name and address.'
          : `Copied. The clipboard is cleared in ${left} s. A clipboard history may keep the value.`}
      </p>
      {isRequestNeeded(error) || isGuarded ? (
        <AskForAccess place={place} secret={secret} />
      ) : error === undefined ? null : (
        <ReadProblem error={error} />
      )}
      {value === undefined ? null : <Shown value={value.read} onGone={() => setValue(undefined)} />}
    </>
  )
}
