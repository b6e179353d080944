import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.tools.consumer.group.ConsumerGroupCommand;

/** Brings groups and topics into a known state, and prints that state and what Kafka's own tool makes of it. */
public class Describe {
    static String broker;
    static Admin admin;
    /** What this program has done. */
    static final Map<TopicPartition, Long> ends = new HashMap<>();

    public static void main(String[] args) throws Exception {
        broker = args[0];
        admin = Admin.create(Map.of("bootstrap.servers", broker));

        produce("orders", 10, 7, 4, 0);
        commit("billing", "orders", 0, 5, Optional.empty());
        commit("billing", "orders", 1, 0, Optional.empty());
        commit("billing", "orders", 2, 4, Optional.empty());
        describe("nobody reads, and partition 3 was never read", "billing", List.of("orders"));

        produce("clicks", 20, 6);
        admin.deleteRecords(Map.of(new TopicPartition("clicks", 0), RecordsToDelete.beforeOffset(15))).all().get();
        commit("reports", "clicks", 0, 3, Optional.empty());
        commit("reports", "clicks", 1, 9, Optional.empty());
        describe("overtaken by retention, and beyond the end", "reports", List.of("clicks"));

        produce("jobs", 3, 5, 2);
        commit("workers", "jobs", 1, 1, Optional.empty());
        try (KafkaConsumer<byte[], byte[]> one = member("workers", "one", "jobs");
             KafkaConsumer<byte[], byte[]> two = member("workers", "two", "jobs")) {
            while (one.assignment().isEmpty() || two.assignment().isEmpty()) {
                one.poll(Duration.ofMillis(50));
                two.poll(Duration.ofMillis(50));
            }
            describe("members, and partitions where nothing is committed", "workers", List.of("jobs"));
        }

        String group = "a-group-with-a-name-of-forty-characters-";
        String topic = "a.topic-with_a.name-that-is-longer-than-its-column";
        produce(topic, 1234, 99);
        commit(group, topic, 0, 1000, Optional.of(0));
        commit(group, topic, 1, 99, Optional.empty());
        describe("long names", group, List.of(topic));
        describe("long names, --verbose", group, List.of(topic), "--verbose");

        commit("billing", "clicks", 0, 20, Optional.of(0));
        describe("two topics, --verbose", "billing", List.of("clicks", "orders"), "--verbose");
        admin.close();
    }

    static void produce(String topic, int... records) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, records.length, (short) 1))).all().get();
        Map<String, Object> config = Map.of("bootstrap.servers", broker);
        try (var producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int partition = 0; partition < records.length; partition++) {
                for (int n = 0; n < records[partition]; n++) {
                    producer.send(new ProducerRecord<>(topic, partition, null, new byte[1]));
                }
                ends.put(new TopicPartition(topic, partition), (long) records[partition]);
            }
            producer.flush();
        }
    }

    static void commit(String group, String topic, int partition, long offset, Optional<Integer> epoch) throws Exception {
        var offsets = Map.of(new TopicPartition(topic, partition), new OffsetAndMetadata(offset, epoch, ""));
        admin.alterConsumerGroupOffsets(group, offsets).all().get();
    }

    static KafkaConsumer<byte[], byte[]> member(String group, String client, String topic) {
        Map<String, Object> config = Map.of(
            "bootstrap.servers", broker,
            ConsumerConfig.GROUP_ID_CONFIG, group,
            ConsumerConfig.CLIENT_ID_CONFIG, client,
            ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false,
            ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, 100);
        var consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        consumer.subscribe(List.of(topic));
        return consumer;
    }

    static void describe(String title, String group, List<String> topics, String... flags) throws Exception {
        var committed = admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        Map<TopicPartition, String> owners = new HashMap<>();
        for (MemberDescription member : admin.describeConsumerGroups(List.of(group)).all().get().get(group).members()) {
            for (TopicPartition partition : member.assignment().topicPartitions()) {
                owners.put(partition, member.consumerId() + "," + member.host() + "," + member.clientId());
            }
        }
        List<String> command = new ArrayList<>(List.of("--bootstrap-server", broker, "--describe", "--group", group));
        command.addAll(List.of(flags));
        PrintStream out = System.out;
        var bytes = new ByteArrayOutputStream();
        System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        ConsumerGroupCommand.main(command.toArray(new String[0]));
        System.setOut(out);
        String printed = bytes.toString(StandardCharsets.UTF_8);

        System.out.println("# " + title);
        List<String> table = printed.lines().filter(line -> !line.isEmpty() && !line.startsWith("Consumer group")).toList();
        for (String line : table.subList(1, table.size())) {
            String[] cells = line.trim().split(" +"); // only to learn the order of the rows
            var partition = new TopicPartition(cells[1], Integer.parseInt(cells[2]));
            OffsetAndMetadata offset = committed.get(partition);
            String epoch = offset == null ? "-" : offset.leaderEpoch().map(String::valueOf).orElse("-");
            System.out.printf("row %s %s %d epoch=%s committed=%s end=%d owner=%s%n", group, partition.topic(),
                partition.partition(), epoch, offset == null ? "-" : offset.offset(), ends.get(partition),
                owners.getOrDefault(partition, "-"));
        }
        table.forEach(System.out::println);
        System.out.println();
    }
}
