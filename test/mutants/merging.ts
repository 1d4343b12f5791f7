/** Rules by which attributes of several writers merge; a quarter of the seeds has such. Elsewhere properties judge. */
import { one, type Mutant } from './mutant.js'

const REGISTER = 'replica/merge/register'
const COUNTER = 'replica/merge/counter'
const SET = 'replica/merge/set'
const PROPERTIES = 'properties/merge'

export const MERGING: readonly Mutant[] = [
  one('K1', 'of two kinds that began together the one that came first stays', REGISTER,
    'return order > 0 || (order === 0 && from.kind > held.kind);', 'return order > 0;', PROPERTIES),
  one('K1', 'what was written into an epoch that is over still counts', REGISTER,
    '|| isLater(held, from)) return held;', ') return held;', 6),
  one('K2', 'an addition is taken for the sum of all', COUNTER, 'sum: before + add', 'sum: add', 3),
  one('K2', 'the sums of those who were heard last are the counter', COUNTER,
    'const entries = laterByActor(a.entries, b.entries, dotOf);', 'const { entries } = b;', 3),
  one('K3', 'the number written last is the greatest', 'replica/merge/max',
    'const order = value - a.top.value ||', 'const order =', 3),
  one('K4', 'removed elements come back with a fragment', SET,
    'return isShared === true || !(coversDot(other.seen, dot) || coversDot(removed, dot));',
    'return true;', 'scenarios/removed-elsewhere'),
  one('K4', 'the removal of an element that has not arrived is forgotten', SET,
    'removed: open(state.removed, change.remove, seen)', 'removed: state.removed', 7),
  one('K4', 'a removal takes what its author does not hold', SET,
    'const held = remove.map((bytes) => find(elements, bytes)).filter((element) => element !== undefined);',
    'const held = remove.map((bytes) => find(elements, bytes) ?? { bytes, dots: [] });',
    'scenarios/removed-twice'),
  one('K5', 'an attribute is sent only when its latest write is new', REGISTER,
    'return isMerged(register.value) && dotsOf(register.value).some((dot) => !since.has(dot));',
    'return false;', 6),
]
