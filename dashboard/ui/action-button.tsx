// A button that does one action.
import type { ApiAction } from '../actions/copy-as.ts'
import { useAction, type OnDone } from './action.ts'
import { Button, type ButtonProps } from './button.tsx'

interface Props<T> extends Omit<ButtonProps, 'onPress' | 'busy'> {
  readonly action: ApiAction<T>
  readonly onDone: OnDone<T>
}

export const ActionButton = <T,>({ action, onDone, ...button }: Props<T>) => {
  const { busy, run } = useAction()
  return <Button {...button} busy={busy} onPress={() => void run(action, onDone)} />
}
