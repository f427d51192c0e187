// The text of one log line: text nodes only.
import { segmentsOf } from './ansi.ts'
import s from './logs.module.css'

export const LogText = ({ text }: { readonly text: string }) => (
  <>
    {segmentsOf(text).map(({ text: part, style, symbol }) =>
      symbol || style !== '' ? (
        <span
          class={`${style
            .split(' ')
            .map((name) => s[name] ?? '')
            .join(' ')} ${symbol ? s['symbol'] : ''}`}
        >
          {part}
        </span>
      ) : (
        part
      ),
    )}
  </>
)
