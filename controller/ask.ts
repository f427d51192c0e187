// Asks for confirmation before a command of the controller deletes something.
import { askToConfirm, nobodyToAsk, type Question } from '../src/kernel/confirm.ts'
import { printRemark } from './print.ts'

/** False when the answer is no, or when there is no terminal; a message says which. */
export const isAllowed = async (asked: Question): Promise<boolean> => {
  const answer = await askToConfirm(asked, printRemark)
  if (answer === 'yes') return true
  printRemark(answer === 'nobody' ? nobodyToAsk(asked) : 'Nothing was changed.')
  return false
}
