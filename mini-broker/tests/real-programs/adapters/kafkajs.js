// kafkajs, a client in JavaScript alone. It has no consumer without a group: it produces.

const readline = require('readline')
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = require('kafkajs')
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
let kafka

const handlers = {
  async hello({ broker }) {
    await zstd.init()
    kafka = new Kafka({ brokers: broker.split(','), logLevel: logLevel.ERROR })
    const { version } = require('kafkajs/package.json')
    return { program: `kafkajs ${version}`, can: ['create', 'produce', 'times', 'headers', 'binary', 'nulls', 'idempotent'] }
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
