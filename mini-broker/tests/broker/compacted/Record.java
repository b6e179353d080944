// Lets a real Kafka broker write and compact small partitions. Run by `record`:
//
//   java -cp "JARS/*" Record.java write 127.0.0.1:PORT 1     creates the topics and writes to them
//   java -cp "JARS/*" Record.java compact 127.0.0.1:PORT     lets Kafka compact them from now on
//   java -cp "JARS/*" Record.java write 127.0.0.1:PORT 2     stops that, and writes more
//
// While records are written, the topics have cleanup.policy=delete: so what stands in the files is what was
// written, and records without a key are taken too.

import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Record {
    // 2023-11-14 22:13:20 UTC. A new recording writes the same records.
    static final long START_MS = 1_700_000_000_000L;
    static final List<String> TOPICS = List.of("none", "gzip", "snappy", "lz4", "zstd", "keyless", "appended");

    public static void main(String[] args) throws Exception {
        try (var admin = Admin.create(Map.<String, Object>of("bootstrap.servers", args[1]))) {
            switch (args[0]) {
                case "compact" -> policy(admin, "compact");
                case "write" -> write(admin, args[1], Integer.parseInt(args[2]));
                default -> throw new IllegalArgumentException(args[0]);
            }
        }
    }

    static void policy(Admin admin, String policy) throws Exception {
        var changes = new HashMap<ConfigResource, Collection<AlterConfigOp>>();
        for (var topic : TOPICS) {
            var set = new AlterConfigOp(new ConfigEntry("cleanup.policy", policy), AlterConfigOp.OpType.SET);
            changes.put(new ConfigResource(ConfigResource.Type.TOPIC, topic), List.of(set));
        }
        admin.incrementalAlterConfigs(changes).all().get();
    }

    static void write(Admin admin, String bootstrap, int round) throws Exception {
        if (round > 1) policy(admin, "delete");
        for (var topic : TOPICS) {
            boolean appended = topic.equals("appended");
            if (round == 1) {
                // A tombstone goes in the pass after the first that has seen it.
                var configs = new HashMap<>(Map.of("retention.ms", "-1", "min.cleanable.dirty.ratio", "0.01",
                    "delete.retention.ms", "0", "segment.ms", appended ? "100" : "60000"));
                if (appended) configs.put("message.timestamp.type", "LogAppendTime");
                admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1).configs(configs))).all().get();
            }
            produce(bootstrap, topic, round, appended);
        }
    }

    // Four segments a round, some batches each; the last one stays active.
    static void produce(String bootstrap, String topic, int round, boolean sleep) throws Exception {
        var random = new Random(round);
        var properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("acks", "all");
        properties.put("enable.idempotence", "false");
        properties.put("compression.type", List.of("keyless", "appended").contains(topic) ? "none" : topic);
        properties.put("linger.ms", "60000"); // a batch ends where this program says flush
        properties.put("batch.size", "1000000");
        properties.put("key.serializer", ByteArraySerializer.class.getName());
        properties.put("value.serializer", ByteArraySerializer.class.getName());
        long ms = START_MS + round * 10_000_000L;
        try (var producer = new KafkaProducer<byte[], byte[]>(properties)) {
            for (int segment = 0; segment < 4; segment++, ms += 120_000) {
                for (int batch = 0; batch < 4; batch++) {
                    int count = segment == 3 ? 1 : 1 + random.nextInt(7);
                    for (int i = 0; i < count; i++, ms += 10) {
                        // Many records of some keys, few of others. In round 2 some of them never come again.
                        int spread = random.nextInt(3) == 0 ? 40 : 6;
                        byte[] key = bytes("key-" + (random.nextInt(spread) + 3 * (round - 1)));
                        byte[] value = random.nextInt(5) == 0 ? null : bytes(topic + " " + round + "/" + segment + "/" + batch + "/" + i + " book,lamp,cup,".repeat(random.nextInt(4)));
                        // The last batch that is compacted has no keys, so none of its records is left.
                        if (topic.equals("keyless") && (segment == 2 && batch == 3 || random.nextInt(9) == 0)) key = null;
                        // Some records are older than those before them.
                        long at = random.nextInt(6) == 0 ? ms - 5_000 : ms;
                        var record = new ProducerRecord<>(topic, 0, at, key, value);
                        if (random.nextInt(3) == 0) record.headers().add("trace", bytes("t-" + i));
                        producer.send(record);
                    }
                    producer.flush();
                }
                // The broker's clock decides where a segment ends.
                if (sleep) Thread.sleep(400);
            }
        }
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
