// Asks Kafka's own classes where records go, and prints their answers. Run by `record`:
//
//   java … Record keys    the keys, their hashes, and their partitions for eight numbers of partitions
//   java … Record sticky  what BuiltInPartitioner decides for records without a key

// BuiltInPartitioner shows what it decides only to its own package.
package org.apache.kafka.clients.producer.internals;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.stream.*;
import org.apache.kafka.common.Cluster;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Utils;

public class Record {
    static final int[] COUNTS = {2, 3, 4, 5, 6, 8, 12, 100};

    public static void main(String[] args) {
        switch (args[0]) {
            case "keys" -> keys().forEach(Record::printKey);
            case "sticky" -> sticky();
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    // Keys as programs have them, and keys that find mistakes: every length, bytes above 127, nothing at all.
    static Collection<byte[]> keys() {
        var keys = new LinkedHashMap<String, byte[]>();
        var add = new Object() {
            void bytes(byte[] key) { keys.putIfAbsent(HexFormat.of().formatHex(key), key); }
            void text(String key) { bytes(key.getBytes(StandardCharsets.UTF_8)); }
        };
        for (var key : List.of("", "21", "foobar", "a-little-bit-long-string", "anna", "ben", "carla", "dora", "emil",
                "Zoë", "Łukasz", "straße", "東京", "Ελένη", "موسى", "😀", "e\u0301", "\u00e9", " ", "a b", "null", "0", "-1")) {
            add.text(key);
        }
        for (int n = 0; n < 100; n++) add.text("user-" + n);
        for (int n = 0; n < 60; n++) add.text("" + (10_000 + 37 * n));
        var random = new Random(4_1_1);
        for (int n = 0; n < 40; n++) add.text(new UUID(random.nextLong(), random.nextLong()).toString());
        for (int n = 0; n < 30; n++) add.bytes(ByteBuffer.allocate(8).putLong(n * 1_000_003L).array());
        for (int length = 1; length <= 20; length++) add.bytes("x".repeat(length).getBytes());
        for (int length : new int[] {50, 100, 200, 255, 256, 257}) add.text("long ".repeat(length).substring(0, length));
        while (keys.size() < 500) {
            var bytes = new byte[1 + random.nextInt(24)];
            random.nextBytes(bytes);
            add.bytes(bytes);
        }
        return keys.values();
    }

    static void printKey(byte[] key) {
        var partitions = IntStream.of(COUNTS).map(count -> BuiltInPartitioner.partitionForKey(key, count));
        var hex = key.length == 0 ? "-" : HexFormat.of().formatHex(key);
        System.out.println(hex + " " + Utils.murmur2(key) + " " + partitions.mapToObj(String::valueOf).collect(Collectors.joining(",")));
    }

    // A stream of records for each batch size. Now and then partitions lose their leaders, sometimes all of them.
    static void sticky() {
        var random = new Random(794);
        for (int batchSize : new int[] {1, 100, 1000, 16384}) {
            var partitioner = new Watched(batchSize, random);
            System.out.println("batch " + batchSize);
            int partitions = 1 + random.nextInt(6);
            var cluster = cluster(partitions, random);
            for (int n = 0; n < 250; n++) {
                int bytes = 1 + random.nextInt(random.nextInt(10) == 0 ? 3 * batchSize : 1 + batchSize / 3);
                // Kafka draws for a record when the one before it has filled the batch, and for the first record now.
                var chosen = partitioner.peekCurrentPartitionInfo(partitioner.cluster = cluster);
                var drawn = partitioner.drawn == null ? "" : " " + partitioner.drawn;
                System.out.println(bytes + " " + chosen.partition() + drawn);
                partitioner.drawn = null;
                if (random.nextInt(12) == 0) cluster = cluster(partitions, random);
                partitioner.updatePartitionInfo(chosen, bytes, partitioner.cluster = cluster);
            }
        }
    }

    // Says which random number was drawn, and which partitions it was drawn for.
    static class Watched extends BuiltInPartitioner {
        final Random random;
        Cluster cluster;
        String drawn;

        Watched(int batchSize, Random random) {
            super(new LogContext(), "topic", batchSize);
            this.random = random;
        }

        @Override
        int randomPartition() {
            int number = Utils.toPositive(random.nextInt());
            var led = cluster.availablePartitionsForTopic("topic");
            var from = led.isEmpty() ? cluster.partitionsForTopic("topic") : led;
            drawn = number + " " + from.stream().map(one -> "" + one.partition()).collect(Collectors.joining(","));
            return number;
        }
    }

    static Cluster cluster(int partitions, Random random) {
        var node = new Node(1, "127.0.0.1", 9092);
        var all = new ArrayList<PartitionInfo>();
        boolean none = random.nextInt(10) == 0;
        for (int n = 0; n < partitions; n++) {
            boolean led = !none && random.nextInt(4) > 0;
            all.add(new PartitionInfo("topic", n, led ? node : null, new Node[] {node}, new Node[] {node}));
        }
        return new Cluster("id", List.of(node), all, Set.of(), Set.of());
    }
}
