// Copying. Text that is shown is copied as it is; masked values never come this way (see docs/dashboard.md).
import { useSignal } from '@preact/signals'
import { Button } from './button.tsx'
import Check from 'icon:check'
import CopyIcon from 'icon:copy'
import s from './copy.module.css'

export const CopyButton = ({
  text,
  label = 'Copy',
}: {
  readonly text: string
  readonly label?: string
}) => {
  const state = useSignal<'' | 'copied' | 'refused'>('')
  const copy = async (): Promise<void> => {
    state.value = await navigator.clipboard.writeText(text).then(
      () => 'copied' as const,
      () => 'refused' as const,
    )
    setTimeout(() => (state.value = ''), 2500)
  }
  return (
    <Button small variant="quiet" label={label} onPress={() => void copy()}>
      {state.value === 'copied' ? <Check size={14} /> : <CopyIcon size={14} />}
      <span aria-live="polite">
        {state.value === '' ? '' : state.value === 'copied' ? 'copied' : 'refused by the browser'}
      </span>
    </Button>
  )
}

/** A command to run somewhere else: shown whole, copied by one press. */
export const CopyCommand = ({ text }: { readonly text: string }) => (
  <div class={s['command']}>
    <pre tabIndex={0}>
      <code>{text}</code>
    </pre>
    <CopyButton text={text} label="Copy the command" />
  </div>
)
