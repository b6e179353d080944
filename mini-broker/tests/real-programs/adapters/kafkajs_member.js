// kafkajs as a member of a group (see README.md). It commits by itself, after each batch or when it is closed.

const { AssignerProtocol, AssignerProtocol: { MemberAssignment, MemberMetadata }, Kafka, PartitionAssigners, logLevel } = require('kafkajs')

const HEARTBEAT_MS = 500
const settings = JSON.parse(process.argv[2])
const tell = (event, more = {}) => process.stdout.write(JSON.stringify({ event, at: Date.now(), ...more }) + '\n')

// kafkajs brings an assignor that no other client has. This is everybody's `range`, so that it can be in a group with them.
const range = ({ cluster }) => ({
  name: 'range',
  version: 0,
  protocol: ({ topics }) => ({ name: 'range', metadata: MemberMetadata.encode({ version: 0, topics }) }),
  async assign({ members }) {
    const wants = members.map(({ memberId, memberMetadata }) => ({ memberId, topics: MemberMetadata.decode(memberMetadata).topics }))
    const topics = [...new Set(wants.flatMap((member) => member.topics))]
    await cluster.addMultipleTargetTopics(topics)
    const plan = new Map(wants.map(({ memberId }) => [memberId, {}]))
    for (const topic of topics) {
      const partitions = cluster.findTopicPartitionMetadata(topic).map((one) => one.partitionId).sort((a, b) => a - b)
      const readers = wants.filter((member) => member.topics.includes(topic)).map((member) => member.memberId).sort()
      readers.forEach((memberId, n) => {
        const more = Math.min(n, partitions.length % readers.length)
        const each = Math.floor(partitions.length / readers.length)
        const from = n * each + more
        const mine = partitions.slice(from, from + each + (n < partitions.length % readers.length ? 1 : 0))
        if (mine.length) plan.get(memberId)[topic] = mine
      })
    }
    return [...plan].map(([memberId, assignment]) => ({ memberId, memberAssignment: MemberAssignment.encode({ version: 0, assignment }) }))
  },
})

async function main() {
  const kafka = new Kafka({
    brokers: settings.broker.split(','),
    clientId: settings.client,
    logLevel: logLevel.ERROR,
    // A broker that comes back is found again soon.
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 30 },
  })
  const consumer = kafka.consumer({
    groupId: settings.group,
    partitionAssigners: [settings.assignor === 'range' ? range : PartitionAssigners.roundRobin],
    sessionTimeout: settings.session_ms,
    heartbeatInterval: HEARTBEAT_MS,
    maxWaitTimeInMs: 250,
  })
  let held = []
  let lastHeartbeat = Date.now()
  const positions = new Map()
  const commit = async () => {
    const offsets = [...positions.values()]
    positions.clear()
    if (offsets.length) await consumer.commitOffsets(offsets)
  }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    // It may join again without having said that it lost what it had, at some time after its last heartbeat.
    if (held.length) tell('lost', { partitions: held, at: lastHeartbeat })
    positions.clear()
    lastHeartbeat = Date.now()
    held = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) => partitions.map((one) => [topic, one]))
    tell('assigned', { partitions: held })
  })
  consumer.on(consumer.events.HEARTBEAT, () => {
    lastHeartbeat = Date.now()
  })
  consumer.on(consumer.events.REBALANCING, () => {
    tell('revoked', { partitions: held })
    held = []
  })
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    tell(payload.restart ? 'trouble' : 'failed', { code: payload.error.code ?? payload.error.cause?.code ?? null, text: String(payload.error) })
    if (!payload.restart) process.exit(1)
  })
  await consumer.connect()
  await consumer.subscribe({ topics: settings.topics, fromBeginning: settings.reset === 'earliest' })
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: true,
    async eachBatch({ batch, heartbeat }) {
      tell('records', { records: batch.messages.map((one) => [batch.topic, batch.partition, Number(one.offset), one.value && one.value.toString('latin1')]) })
      positions.set(`${batch.topic} ${batch.partition}`, { topic: batch.topic, partition: batch.partition, offset: String(Number(batch.lastOffset()) + 1) })
      if (settings.commit === 'often') await commit()
      await heartbeat()
    },
  })
  process.on('SIGTERM', async () => {
    await consumer.stop()
    await commit().catch((error) => tell('not committed', { text: String(error) }))
    await consumer.disconnect()
    tell('revoked', { partitions: held })
    tell('closed')
    process.exit(0)
  })
}

main().catch((error) => {
  tell('failed', { code: error.code ?? null, text: String(error) })
  process.exit(1)
})
