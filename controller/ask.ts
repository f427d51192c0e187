// A question before something is taken away by a command of the controller.
import { askToConfirm, nobodyToAsk, type Question } from '../src/kernel/confirm.ts'
import { note } from './print.ts'

/** False where the answer is no, or where there is nobody to ask; which of them is said. */
export const isAllowed = async (asked: Question): Promise<boolean> => {
  const answer = await askToConfirm(asked, note)
  if (answer === 'yes') return true
  note(answer === 'nobody' ? nobodyToAsk(asked.question) : 'Nothing was changed.')
  return false
}
