/** Questions whose answers are a few figures each, as data: replication, the wire, joining, races. */
import type { QuestionName } from '../../results.js'
import type { Column } from '../tables.js'

export interface Listed {
  readonly question: QuestionName
  readonly title: string
  readonly short: string
  readonly lead: string
  readonly tables: readonly ListedTable[]
}

/** Figures that were measured together. */
export interface ListedTable {
  readonly caption: string
  readonly columns: readonly Column[]
  /** Of these, what is drawn as bars, side by side. */
  readonly drawn: readonly string[]
}

const REPLICATION: readonly ListedTable[] = [
  {
    caption: 'Until a write is visible on another node',
    columns: [['visibleP50', 'median'], ['visibleP99', '99 %']],
    drawn: ['visibleP50', 'visibleP99'],
  },
  {
    caption: 'Changes that a node takes in',
    columns: [['deltasPerSecond', 'changes'], ['cpuPerDelta', 'CPU for each']],
    drawn: [],
  },
  {
    caption: 'What replication adds over HTTP',
    columns: [
      ['cpuOrigin', 'CPU where it happens'],
      ['cpuPeer', 'CPU of each peer'],
      ['cpuPeerIdle', 'a peer at rest, of a core'],
      ['writesPerSecond', 'writes of two nodes'],
      ['httpShareOfOneNode', 'of one node alone'],
    ],
    drawn: [],
  },
  {
    caption: 'Until a dead node is noticed',
    columns: [['noticedReset', 'its connections are reset'], ['noticedSilence', 'it is silent']],
    drawn: [],
  },
]

export const LISTED: readonly Listed[] = [
  {
    question: 'replication',
    title: 'How replication goes',
    short: 'Replication',
    lead:
      'From the write on one node until another node can answer with it; how many changes a node takes in per second; ' +
      'what a replicated write costs the node it happened on and each other one; when a dead node is noticed.',
    tables: REPLICATION,
  },
  {
    question: 'wire',
    title: 'What goes over the wire',
    short: 'Wire',
    lead:
      'Bytes of TCP payload to one peer for a change of 100 B, for a request that only reads, and per second while ' +
      'nothing happens. The size of the session must not matter.',
    tables: [
      {
        caption: 'Bytes to one peer',
        columns: [['bytesPerChange', 'per change'], ['bytesPerAccess', 'per access'], ['idleBytesPerSecond', 'idle']],
        drawn: [],
      },
    ],
  },
  {
    question: 'join',
    title: 'How long a node needs to join',
    short: 'Joining',
    lead: 'From the start of the process until it can serve every session of the cluster, and what that moves.',
    tables: [
      {
        caption: 'Joining',
        columns: [
          ['ready', 'ready after'],
          ['readyAfterLink', 'of that, after its first link'],
          ['bytes', 'received'],
          ['donorP99', 'requests at the donor, 99 %'],
          ['donorLongest', 'the longest of them'],
        ],
        drawn: [],
      },
    ],
  },
  {
    question: 'races',
    title: 'What concurrent requests lose',
    short: 'Races',
    lead:
      'Two requests change different attributes of one session at the same time: how often is one of them lost? A logout ' +
      'while another request of the session is still writing: how often is the session back? No bar is best.',
    tables: [
      {
        caption: 'Lost, and back again',
        columns: [['lost', 'a change was lost'], ['revived', 'the session was back'], ['lostIncrements', 'increments lost']],
        drawn: ['lost', 'revived'],
      },
    ],
  },
  {
    question: 'profile',
    title: 'Whose code a request goes to',
    short: 'Profile',
    lead:
      'CPU of all nodes per request while their main threads were sampled, by whose code ran. What the engine has built in, ' +
      'such as a hash or a write to a socket, counts for whoever called it. Other threads: compiler, helpers of the ' +
      'collector, and the sampling itself. Compare shares.',
    tables: [
      {
        caption: 'CPU per request',
        columns: [
          ['cpuSampled', 'in all'],
          ['application', 'application'],
          ['express', 'Express'],
          ['expressSession', 'express-session, its store'],
          ['meshHttp', 'session-mesh: HTTP'],
          ['meshSession', 'values, ids'],
          ['mesh', 'backend'],
          ['meshReplica', 'replica'],
          ['meshTransport', 'transport'],
          ['msgpackr', 'msgpackr'],
          ['ws', 'ws'],
          ['redisClient', 'Redis client'],
          ['nodeHttp', "Node's HTTP and sockets"],
          ['nodeCrypto', "Node's crypto"],
          ['node', 'the rest of Node'],
          ['native', 'outside JavaScript'],
          ['collector', 'collector'],
          ['otherThreads', 'other threads'],
        ],
        drawn: [],
      },
    ],
  },
]
