// Kafka's own consumer as a member of a group, a process of its own (see README.md): its settings are its argument, its
// events JSON lines. SIGTERM asks it to close as a program should.

import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class Member implements ConsumerRebalanceListener {
    static final ObjectMapper JSON = new ObjectMapper();
    static final Map<String, Class<?>> ASSIGNORS = Map.of("range", RangeAssignor.class, "roundrobin", RoundRobinAssignor.class,
        "sticky", StickyAssignor.class, "cooperative-sticky", CooperativeStickyAssignor.class);

    final JsonNode settings;
    final KafkaConsumer<byte[], byte[]> consumer;
    // What is read and not committed.
    final Map<TopicPartition, OffsetAndMetadata> positions = new HashMap<>();
    volatile boolean stopping;

    Member(JsonNode settings) {
        this.settings = settings;
        var client = new HashMap<String, Object>(Map.of(
            "bootstrap.servers", text("broker"), "client.id", text("client"), "group.id", text("group"),
            "auto.offset.reset", text("reset"), "session.timeout.ms", text("session_ms"), "heartbeat.interval.ms", "500",
            "enable.auto.commit", "false"));
        client.put("partition.assignment.strategy", ASSIGNORS.get(text("assignor")).getName());
        if (!settings.get("instance").isNull()) client.put("group.instance.id", text("instance"));
        consumer = new KafkaConsumer<>(client, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    public static void main(String[] args) throws Exception {
        var member = new Member(JSON.readTree(args[0]));
        var main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            member.stopping = true;
            member.consumer.wakeup();
            try {
                main.join();
            } catch (InterruptedException error) {
                throw new IllegalStateException(error);
            }
        }));
        member.run();
    }

    void run() {
        try {
            consumer.subscribe(List.of(JSON.convertValue(settings.get("topics"), String[].class)), this);
            while (!stopping) read(consumer.poll(Duration.ofMillis(100)));
        } catch (WakeupException stopped) {
            // Asked to close.
        } catch (KafkaException error) {
            tell("failed", Map.of("code", code(error), "text", error.toString()));
            return;
        }
        consumer.close();
        tell("closed", Map.of());
    }

    void read(ConsumerRecords<byte[], byte[]> polled) {
        if (polled.isEmpty()) return;
        var records = new ArrayList<List<Object>>();
        for (var one : polled) {
            var value = one.value() == null ? null : new String(one.value(), StandardCharsets.ISO_8859_1);
            records.add(Arrays.asList(one.topic(), one.partition(), one.offset(), value));
            positions.put(new TopicPartition(one.topic(), one.partition()), new OffsetAndMetadata(one.offset() + 1));
        }
        tell("records", Map.of("records", records));
        if (text("commit").equals("often")) commit(List.copyOf(positions.keySet()));
    }

    void commit(Collection<TopicPartition> partitions) {
        var offsets = new HashMap<TopicPartition, OffsetAndMetadata>();
        for (var one : partitions) {
            var offset = positions.remove(one);
            if (offset != null) offsets.put(one, offset);
        }
        try {
            if (!offsets.isEmpty()) consumer.commitSync(offsets);
        } catch (CommitFailedException | org.apache.kafka.common.errors.RebalanceInProgressException error) {
            tell("not committed", Map.of("code", code(error), "text", error.toString()));
        } catch (WakeupException stopped) {
            consumer.commitSync(offsets);
            throw stopped;
        }
    }

    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        tell("assigned", Map.of("partitions", named(partitions), "generation", consumer.groupMetadata().generationId()));
    }

    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        commit(partitions);
        tell("revoked", Map.of("partitions", named(partitions)));
    }

    public void onPartitionsLost(Collection<TopicPartition> partitions) {
        positions.keySet().removeAll(partitions);
        tell("lost", Map.of("partitions", named(partitions)));
    }

    static List<List<Object>> named(Collection<TopicPartition> partitions) {
        return partitions.stream().map(one -> List.<Object>of(one.topic(), one.partition())).toList();
    }

    // A missing offset has a class of its own and no code.
    static int code(KafkaException error) {
        return error instanceof NoOffsetForPartitionException ? -1 : Errors.forException(error).code();
    }

    String text(String name) {
        return settings.get(name).asText();
    }

    static synchronized void tell(String event, Map<String, ?> more) {
        ObjectNode line = JSON.createObjectNode().put("event", event).put("at", System.currentTimeMillis());
        more.forEach((name, value) -> line.set(name, JSON.valueToTree(value)));
        System.out.println(line);
    }
}
