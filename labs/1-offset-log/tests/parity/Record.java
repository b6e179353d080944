// Lets a real Kafka broker write small partitions, and writes down where Kafka itself finds things in
// them. Run by `record`, first against the live broker, then on the files it left:
//
//   java -cp "JARS/*" Record.java write 127.0.0.1:PORT TIMES
//       creates the topics, writes the records, asks the broker for offsets by time; answers go to TIMES
//   java -cp "JARS/*" Record.java look DIR TIMES
//       opens copies of the partitions in DIR with Kafka's LogSegment and prints lookups.txt

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.FileRecords;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.LogSegment;

public class Record {
    // The first record's time: 2023-11-14 22:13:20 UTC. Later times are counted from here, so that a new
    // recording writes the same records.
    static final long START_MS = 1_700_000_000_000L;
    static final long SEGMENT_MS = 60_000;

    // Records in each batch, and by how much time jumps before the batch. A jump of more than segment.ms
    // begins a new segment. One batch is late: its records are older than those before it.
    static final int[] BATCHES = {1, 5, 3, 8, 2, 6, 4, 2, 6, 4, 7, 1, 2, 4, 1, 5, 3, 6, 2, 3};
    static final long[] JUMPS_MS = {
        0, 0, 0, 0, 0, 0, 0, 120_000, 0, 0, -30_000, 31_000, 0, 0, 180_000, 0, 0, 0, 0, 0};

    static final List<String> TOPICS = List.of("none", "gzip", "snappy", "lz4", "zstd", "idempotent", "compacted");

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "write" -> write(args[1], Path.of(args[2]));
            case "look" -> look(Path.of(args[1]), Path.of(args[2]));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    static void write(String bootstrap, Path times) throws Exception {
        var answers = new ArrayList<String>();
        try (var admin = Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap))) {
            for (var topic : TOPICS) {
                var configs = new HashMap<>(Map.of(
                    "segment.ms", "" + SEGMENT_MS, "index.interval.bytes", "200", "retention.ms", "-1"));
                if (topic.equals("compacted")) {
                    configs.putAll(Map.of("cleanup.policy", "compact", "min.cleanable.dirty.ratio", "0.01"));
                }
                admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1).configs(configs))).all().get();
                var asked = produce(bootstrap, topic);
                for (var ms : asked) {
                    var partition = new TopicPartition(topic, 0);
                    var found = admin.listOffsets(Map.of(partition, OffsetSpec.forTimestamp(ms))).all().get().get(partition);
                    // The compacted partition is not compacted yet: only its files are asked, in `look`.
                    answers.add(topic + "-0 " + ms + " " + (topic.equals("compacted") ? "later" : found.offset()));
                }
            }
        }
        Files.write(times, answers);
    }

    // Writes the records of one topic and returns the times worth asking for: before the first record,
    // on and between records inside a batch, between batches, after the last.
    static Set<Long> produce(String bootstrap, String topic) throws Exception {
        var properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("acks", "all");
        properties.put("enable.idempotence", "" + topic.equals("idempotent"));
        properties.put("compression.type", List.of("idempotent", "compacted").contains(topic) ? "none" : topic);
        properties.put("linger.ms", "60000"); // a batch ends where this program says flush
        properties.put("batch.size", "1000000");
        properties.put("key.serializer", ByteArraySerializer.class.getName());
        properties.put("value.serializer", ByteArraySerializer.class.getName());
        var asked = new TreeSet<Long>(List.of(START_MS - 1_000));
        long ms = START_MS;
        int n = 0;
        try (var producer = new KafkaProducer<byte[], byte[]>(properties)) {
            for (int batch = 0; batch < BATCHES.length; batch++) {
                ms += JUMPS_MS[batch];
                for (int i = 0; i < BATCHES[batch]; i++, n++, ms += 10) {
                    byte[] key = n % 10 == 9 ? null : bytes("user-" + n % 4);
                    byte[] value = n % 13 == 12 ? null : bytes("order " + n + " " + "book,lamp,cup,".repeat(n % 9));
                    // Compaction keeps the last record of each key: some keys here come only once.
                    if (topic.equals("compacted") && n % 5 < 2) key = bytes("once-" + n);
                    if (topic.equals("compacted") && key == null) key = bytes("user-9");
                    var record = new ProducerRecord<>(topic, 0, ms, key, value);
                    if (n % 3 == 0) record.headers().add("trace", bytes("t-" + n));
                    producer.send(record);
                    if (i == 0) asked.add(ms);
                    if (i == 2) asked.add(ms - 5);
                    if (i == BATCHES[batch] - 1 && batch % 2 == 0) asked.add(ms + 1);
                }
                producer.flush();
            }
        }
        asked.add(ms + 1_000_000);
        return asked;
    }

    static void look(Path dir, Path times) throws Exception {
        for (var topic : TOPICS) {
            var segments = open(dir.resolve(topic + "-0"));
            long end = segments.lastEntry().getValue().readNextOffset();
            for (long offset = 0; offset < end; offset++) {
                boolean edge = offset < 10 || offset > end - 3 || segments.containsKey(offset) || segments.containsKey(offset + 1);
                if (!edge && offset % 4 != 0) continue;
                var found = find(segments, offset);
                System.out.printf("%s-0 offset %d -> base %d position %d segment %d%n",
                    topic, offset, found.batch.offset, found.batch.position, found.segment);
            }
            for (var line : Files.readAllLines(times)) {
                var words = line.split(" ");
                if (!words[0].equals(topic + "-0")) continue;
                long ms = Long.parseLong(words[1]);
                long found = findTime(segments, ms);
                if (!words[2].equals("later") && found != Long.parseLong(words[2])) {
                    throw new IllegalStateException("the broker said " + line + ", its files say " + found);
                }
                if (found < 0) {
                    System.out.printf("%s-0 time %d -> none%n", topic, ms);
                } else {
                    System.out.printf("%s-0 time %d -> base %d offset %d%n", topic, ms, find(segments, found).batch.offset, found);
                }
            }
        }
    }

    record Found(long segment, FileRecords.LogOffsetPosition batch) {}

    // As a fetch does it: the last segment that begins at or before the offset, then the segment's own
    // lookup; after compaction that may find nothing, and the answer is in the next segment.
    static Found find(TreeMap<Long, LogSegment> segments, long offset) throws Exception {
        for (var entry = segments.floorEntry(offset); entry != null; entry = segments.higherEntry(entry.getKey())) {
            var batch = entry.getValue().translateOffset(offset);
            if (batch != null) return new Found(entry.getKey(), batch);
        }
        throw new IllegalStateException("no batch for offset " + offset);
    }

    // As ListOffsets does it: the first segment whose largest time is late enough.
    static long findTime(TreeMap<Long, LogSegment> segments, long ms) throws Exception {
        for (var segment : segments.values()) {
            if (segment.largestTimestamp() >= ms) {
                return segment.findOffsetByTimestamp(ms, 0).map(found -> found.offset).orElse(-1L);
            }
        }
        return -1;
    }

    static TreeMap<Long, LogSegment> open(Path partition) throws Exception {
        // Opening may touch index files: work on a copy.
        var copy = Files.createTempDirectory("parity").resolve(partition.getFileName());
        Files.createDirectories(copy);
        var segments = new TreeMap<Long, LogSegment>();
        try (Stream<Path> files = Files.list(partition)) {
            for (var file : files.toList()) Files.copy(file, copy.resolve(file.getFileName()));
        }
        try (Stream<Path> files = Files.list(copy)) {
            for (var name : files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(".log")).toList()) {
                long base = Long.parseLong(name.substring(0, 20));
                var config = new LogConfig(Map.of());
                segments.put(base, LogSegment.open(new File(copy.toString()), base, config, Time.SYSTEM, true, 0, false, ""));
            }
        }
        return segments;
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
