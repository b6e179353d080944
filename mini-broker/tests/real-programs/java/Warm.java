// Loads what a consumer needs, and ends: what is loaded then is kept in an archive, from which the many short-lived
// programs of this suite start in half the time.

import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class Warm {
    public static void main(String[] args) throws Exception {
        for (var name : List.of("Member", "org.apache.kafka.tools.VerifiableConsumer",
            "org.apache.kafka.tools.consumer.ConsoleConsumer", "org.apache.kafka.tools.consumer.ConsoleConsumerOptions")) {
            Class.forName(name);
        }
        Member.tell("warm", Map.of("partitions", List.of()));
        // Nobody listens there.
        var settings = Map.<String, Object>of("bootstrap.servers", "127.0.0.1:1", "group.id", "warm");
        try (var consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of("warm"));
            consumer.poll(Duration.ofMillis(300));
        }
    }
}
