/** What the benchmark can be told: the same flags for `npm run bench --` and for `session-mesh bench`. */
export const BENCH_FLAGS: readonly (readonly [flag: string, description: string])[] = [
  ['--quick', 'One round of the questions that matter most, at most 5 minutes'],
  ['--full', 'Longer windows, larger sizes, more variants: about 80 minutes (without either: about 30)'],
  ['--only <names>', 'Questions, such as latency,staleness'],
  ['--backends <names>', 'Variants, such as mesh-async,mesh-redis'],
  ['--nodes <counts>', 'Numbers of nodes, such as 1,3,5'],
  ['--config <file>', 'A cluster.config.ts of your own, measured as one more variant'],
  ['--seed <number>', 'Of the order of trials and of all dice (1)'],
  ['--rounds <count>', 'Rounds, of which the median is told'],
  ['--window <seconds>', 'Length of one measured window'],
  ['--out <folder>', 'Where the results go (bench/results)'],
  ['--readme', 'Puts the summary into README.md'],
]
