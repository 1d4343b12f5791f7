import type { Question } from '../question.js'
import { question as calibration } from './calibration.js'
import { question as httpCost } from './http-cost.js'
import { question as join } from './join.js'
import { question as latency } from './latency.js'
import { question as memory } from './memory.js'
import { question as profile } from './profile.js'
import { question as races } from './races.js'
import { question as replication } from './replication.js'
import { question as scale } from './scale.js'
import { question as staleness } from './staleness.js'
import { question as wire } from './wire.js'

/** In the order in which they are asked. */
export const QUESTIONS: readonly Question[] = [httpCost, latency, replication, wire, memory, join, scale, staleness, races, profile, calibration]
