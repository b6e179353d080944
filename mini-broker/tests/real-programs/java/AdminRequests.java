// What Kafka's admin client asks and is refused, as codes.

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.*;
import java.util.concurrent.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.protocol.Errors;

class AdminRequests {
    static final TypeReference<List<List<Integer>>> LISTS = new TypeReference<>() {};

    // Answers {"codes": [one for each thing asked, null if it was done]}.
    static void handle(Admin admin, JsonNode request, ObjectNode answer) throws Exception {
        var validate = request.path("validate").asBoolean();
        switch (request.get("request").asText()) {
            case "create-topics" -> {
                var topics = new ArrayList<NewTopic>();
                for (var topic : request.get("topics")) topics.add(topic(topic));
                var done = admin.createTopics(topics, new CreateTopicsOptions().validateOnly(validate)).values();
                codes(answer, topics.stream().map(NewTopic::name).toList(), done);
            }
            case "create-partitions" -> {
                var counts = new LinkedHashMap<String, NewPartitions>();
                for (var topic : request.get("topics")) {
                    int count = topic.get(1).asInt();
                    var assignment = Adapter.JSON.convertValue(topic.get(2), LISTS);
                    counts.put(topic.get(0).asText(), NewPartitions.increaseTo(count, assignment));
                }
                var done = admin.createPartitions(counts, new CreatePartitionsOptions().validateOnly(validate)).values();
                codes(answer, List.copyOf(counts.keySet()), done);
            }
            case "delete-topics" -> {
                var names = new ArrayList<String>();
                for (var name : request.get("topics")) names.add(name.asText());
                codes(answer, names, admin.deleteTopics(names).topicNameValues());
            }
            case "alter" -> {
                var changes = new LinkedHashMap<ConfigResource, Collection<AlterConfigOp>>();
                for (var one : request.get("resources")) {
                    var operations = new ArrayList<AlterConfigOp>();
                    for (var change : one.get(2)) {
                        var entry = new ConfigEntry(change.get(1).asText(), change.get(2).textValue());
                        operations.add(new AlterConfigOp(entry, AlterConfigOp.OpType.valueOf(change.get(0).asText())));
                    }
                    changes.put(resource(one.get(0).asText(), one.get(1).asText()), operations);
                }
                var done = admin.incrementalAlterConfigs(changes, new AlterConfigsOptions().validateOnly(validate)).values();
                codes(answer, List.copyOf(changes.keySet()), done);
            }
            case "delete-records" -> {
                var offsets = new LinkedHashMap<TopicPartition, RecordsToDelete>();
                for (var one : request.get("partitions")) {
                    var where = new TopicPartition(one.get(0).asText(), one.get(1).asInt());
                    offsets.put(where, RecordsToDelete.beforeOffset(one.get(2).asLong()));
                }
                // An unknown partition is looked for until the time is up.
                var done = admin.deleteRecords(offsets, new DeleteRecordsOptions().timeoutMs(1500)).lowWatermarks();
                codes(answer, List.copyOf(offsets.keySet()), done);
            }
            case "settings" -> {
                var where = resource(request.get("type").asText(), request.get("name").asText());
                var settings = answer.putObject("settings");
                for (var entry : admin.describeConfigs(List.of(where)).all().get().get(where).entries()) {
                    settings.put(entry.name(), entry.value());
                }
            }
            default -> throw new IllegalArgumentException(request.toString());
        }
    }

    static NewTopic topic(JsonNode asked) {
        var name = asked.get(0).asText();
        NewTopic topic;
        if (asked.get(3).isNull()) {
            topic = new NewTopic(name, asked.get(1).asInt(), (short) asked.get(2).asInt());
        } else {
            var assignment = new TreeMap<Integer, List<Integer>>();
            for (var one : asked.get(3)) {
                assignment.put(one.get(0).asInt(), Adapter.JSON.convertValue(one.get(1), new TypeReference<>() {}));
            }
            topic = new NewTopic(name, assignment);
        }
        return topic.configs(Adapter.JSON.convertValue(asked.get(4), Adapter.TEXTS));
    }

    static ConfigResource resource(String type, String name) {
        return new ConfigResource(ConfigResource.Type.valueOf(type.toUpperCase(Locale.ROOT)), name);
    }

    static <K> void codes(ObjectNode answer, List<K> asked, Map<K, ? extends KafkaFuture<?>> done) throws Exception {
        var codes = answer.putArray("codes");
        for (var one : asked) codes.add(code(() -> done.get(one).get()));
    }

    static Integer code(Callable<?> action) throws Exception {
        try {
            action.call();
            return null;
        } catch (ExecutionException error) {
            return (int) Errors.forException(error.getCause()).code();
        }
    }

    // Many clients create the same topic at the same moment.
    static void contest(JsonNode request, ObjectNode answer) throws Exception {
        int clients = request.get("clients").asInt();
        var options = new CreateTopicsOptions().validateOnly(request.get("validate").asBoolean());
        var all = new ArrayList<Admin>();
        for (int n = 0; n < clients; n++) all.add(Admin.create(Map.of("bootstrap.servers", Adapter.broker)));
        var pool = Executors.newFixedThreadPool(clients);
        try {
            // Connected and ready before the first of them asks.
            for (var one : all) one.describeCluster().nodes().get();
            var start = new CountDownLatch(1);
            var codes = new ArrayList<Future<Integer>>();
            for (var one : all) {
                codes.add(pool.submit(() -> {
                    start.await();
                    var topic = new NewTopic(request.get("topic").asText(), 3, (short) 1);
                    return code(() -> one.createTopics(List.of(topic), options).all().get());
                }));
            }
            start.countDown();
            for (var code : codes) answer.withArray("codes").add(code.get());
        } finally {
            pool.shutdown();
            for (var one : all) one.close();
        }
    }
}
