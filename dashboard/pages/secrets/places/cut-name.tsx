// A name in a narrow place. Names that begin alike differ at their end, so that a long one is cut in the middle.
import s from './cut-name.module.css'

/** Characters at the end that are always seen. */
const tailLength = 8

export const CutName = ({ name }: { readonly name: string }) => {
  if (name.length <= tailLength * 2) return <span>{name}</span>
  return (
    <>
      <span class="visually-hidden">{name}</span>
      <span class={s['cut']} aria-hidden="true">
        <span>{name.slice(0, -tailLength)}</span>
        <span>{name.slice(-tailLength)}</span>
      </span>
    </>
  )
}
