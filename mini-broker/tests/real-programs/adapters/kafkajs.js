// kafkajs, a client in JavaScript alone. It has no consumer without a group: it reads where there are groups.

const readline = require('readline')
const { AssignerProtocol, CompressionCodecs, CompressionTypes, Kafka, logLevel } = require('kafkajs')
const snappy = require('kafkajs-snappy')
const lz4 = require('lz4-napi')
const zstd = require('@bokuweb/zstd-wasm')

// kafkajs brings gzip; the others are plug-ins. Those for lz4 and zstd that carry its name want a C compiler,
// so two libraries that come ready to run are plugged in here.
CompressionCodecs[CompressionTypes.Snappy] = snappy
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: ({ buffer }) => lz4.compressFrame(buffer),
  decompress: (buffer) => lz4.decompressFrame(buffer),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: async ({ buffer }) => Buffer.from(zstd.compress(buffer)),
  decompress: async (buffer) => Buffer.from(zstd.decompress(buffer)),
})

const TYPES = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
}
const bytes = (text) => (text === null ? null : Buffer.from(text, 'latin1'))
const text = (bytes) => (bytes === null ? null : bytes.toString('latin1'))
const READ_WITHIN_MS = 10_000
const LOG_APPEND_TIME = 1
let kafka
let admin
let reader

// The member of one group that reads a topic, from wherever it is told; the next topic gets another.
class Reader {
  constructor(topic) {
    this.topic = topic
    this.consumer = kafka.consumer({ groupId: `reader of ${topic}`, maxWaitTimeInMs: 50 })
    this.taken = { partition: -1 }
  }

  async start() {
    const joined = new Promise((resolve) => this.consumer.on(this.consumer.events.GROUP_JOIN, resolve))
    await this.consumer.connect()
    await this.consumer.subscribe({ topics: [this.topic], fromBeginning: true })
    const eachBatch = async ({ batch }) => this.read(batch)
    await this.consumer.run({ autoCommit: false, eachBatch })
    await joined
  }

  read(batch) {
    const { taken } = this
    // What was on its way from the place before is passed over.
    if (batch.partition !== taken.partition || Number(batch.fetchedOffset) !== taken.next) return
    taken.next = Number(batch.lastOffset()) + 1
    for (const one of batch.messages.slice(0, taken.count - taken.records.length)) {
      const headers = Object.entries(one.headers).map(([name, value]) => [name, text(value)])
      taken.records.push([Number(one.offset), Number(one.timestamp), text(one.key), text(one.value), headers])
      taken.append_time = one.batchContext.timestampType === LOG_APPEND_TIME
    }
    if (taken.records.length === taken.count) taken.done()
  }

  take(partition, offset, count) {
    return new Promise((resolve, reject) => {
      const taken = { partition, next: offset, count, records: [] }
      const late = setTimeout(() => reject(new Error(`${taken.records.length} of ${count} records came in time`)), READ_WITHIN_MS)
      taken.done = () => {
        clearTimeout(late)
        this.taken = { partition: -1 }
        resolve({ records: taken.records, append_time: taken.append_time })
      }
      this.taken = taken
      this.consumer.seek({ topic: this.topic, partition, offset: String(offset) })
    })
  }
}

const handlers = {
  async hello({ broker, groups }) {
    await zstd.init()
    kafka = new Kafka({ brokers: broker.split(','), logLevel: logLevel.ERROR })
    admin = kafka.admin()
    await admin.connect()
    const { version } = require('kafkajs/package.json')
    const can = ['create', 'produce', 'times', 'headers', 'binary', 'nulls', 'idempotent']
    return { program: `kafkajs ${version}`, can: groups ? [...can, 'read', 'find', 'groups'] : can }
  },

  async read({ topic, partition, at, count }) {
    if (reader?.topic !== topic) {
      await reader?.consumer.disconnect()
      reader = new Reader(topic)
      await reader.start()
    }
    const offset = 'time' in at ? (await handlers.find({ topic, partition, time: at.time })).offset : at.offset ?? 0
    return reader.take(partition, offset, count)
  },

  async find({ topic, partition, time }) {
    const [found, ends] = [await admin.fetchTopicOffsetsByTimestamp(topic, time), await handlers.ends({ topic })]
    const offset = Number(found.find((one) => one.partition === partition).offset)
    // For a time after the last record it gives the end.
    return { offset: offset < 0 || offset === ends.ends[partition] ? null : offset }
  },

  async ends({ topic }) {
    const found = await admin.fetchTopicOffsets(topic)
    const ends = []
    for (const one of found) ends[one.partition] = Number(one.offset)
    return { ends }
  },

  async groups() {
    return { groups: (await admin.listGroups()).groups.map((group) => group.groupId) }
  },

  async 'describe-group'({ group }) {
    const [found] = (await admin.describeGroups([group])).groups
    const members = found.members.map(({ clientId, memberAssignment }) => {
      const { assignment } = AssignerProtocol.MemberAssignment.decode(memberAssignment) ?? { assignment: {} }
      return [clientId, null, Object.entries(assignment).flatMap(([topic, held]) => held.map((one) => [topic, one]))]
    })
    return { state: found.state, protocol: found.protocol, members }
  },

  async committed({ group, partitions }) {
    const found = await admin.fetchOffsets({ groupId: group, topics: [...new Set(partitions.map(([topic]) => topic))] })
    const offsets = partitions.map(([topic, partition]) => {
      const one = found.find((other) => other.topic === topic).partitions.find((other) => other.partition === partition)
      return Number(one.offset) < 0 ? null : [Number(one.offset), one.metadata ?? '']
    })
    return { offsets }
  },

  async commit({ group, offsets }) {
    for (const [topic, partition, offset] of offsets) {
      await admin.setOffsets({ groupId: group, topic, partitions: [{ partition, offset: String(offset) }] })
    }
    return { codes: offsets.map(() => null) }
  },

  async 'delete-groups'({ groups }) {
    const codes = new Map(groups.map((group) => [group, null]))
    try {
      await admin.deleteGroups(groups)
    } catch (error) {
      for (const one of error.groups ?? []) codes.set(one.groupId, one.errorCode)
      if (!error.groups) throw error
    }
    return { codes: [...codes.values()] }
  },

  async create({ topic, partitions, configs }) {
    const admin = kafka.admin()
    await admin.connect()
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }))
    // Waiting for leaders gives up at once where a broker makes the topic known a little later.
    const waitForLeaders = false
    await admin.createTopics({ waitForLeaders, topics: [{ topic, numPartitions: partitions, replicationFactor: -1, configEntries }] })
    await admin.disconnect()
    return {}
  },

  async topics() {
    const admin = kafka.admin()
    await admin.connect()
    const topics = await admin.listTopics()
    await admin.disconnect()
    return { topics }
  },

  async produce({ topic, codec, acks, records }) {
    const producer = kafka.producer(acks === 'idempotent' ? { idempotent: true, maxInFlightRequests: 1 } : {})
    await producer.connect()
    const settings = {}
    if (codec !== 'default') settings.compression = TYPES[codec]
    if (acks === '0' || acks === '1') settings.acks = Number(acks)
    if (acks === 'all') settings.acks = -1
    const size = codec === 'default' ? records.length : 100
    for (let n = 0; n < records.length; n += size) {
      const messages = records.slice(n, n + size).map(([time, key, value, headers]) => ({
        key: bytes(key),
        value: bytes(value),
        timestamp: String(time),
        headers: Object.fromEntries(headers.map(([name, text]) => [name, bytes(text)])),
      }))
      await producer.send({ topic, messages, ...settings })
    }
    await producer.disconnect()
    return {}
  },
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line)
    let answer
    try {
      answer = await handlers[request.do](request)
    } catch (error) {
      console.error(error)
      answer = { error: String(error) }
    }
    process.stdout.write(JSON.stringify(answer) + '\n')
  }
}

main()
