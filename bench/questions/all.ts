import type { Question } from '../question.js'
import { question as httpCost } from './http-cost.js'
import { question as latency } from './latency.js'

/** In the order in which they are asked. */
export const QUESTIONS: readonly Question[] = [httpCost, latency]
