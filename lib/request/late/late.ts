/**
 * The second part of the request path: what is needed once a request was sent, or cannot be. Loaded while the backend
 * thinks about the first one, so that the first one leaves earlier.
 */
export { answerOf } from './answer.js'
export { errorResponse, shownError } from '../failures/host-error.js'
export { handBack } from './hand-back.js'
export { lateAnswer } from './hand-over.js'
export { recover } from './recover.js'
export { noteSwitch, overdue, settle, waitForAnyAccount } from './refused.js'
