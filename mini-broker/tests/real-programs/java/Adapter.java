// Kafka's own Java client.

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.common.utils.AppInfoParser;

public class Adapter {
    static final ObjectMapper JSON = new ObjectMapper();
    static final TypeReference<Map<String, String>> TEXTS = new TypeReference<>() {};
    static String broker;
    static Admin admin;
    static KafkaConsumer<byte[], byte[]> consumer;

    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        for (String line; (line = in.readLine()) != null; ) {
            var answer = JSON.createObjectNode();
            try {
                handle(JSON.readTree(line), answer);
            } catch (Exception error) {
                error.printStackTrace();
                answer.removeAll().put("error", error.toString());
            }
            out.println(JSON.writeValueAsString(answer));
            out.flush();
        }
    }

    static void handle(JsonNode request, ObjectNode answer) throws Exception {
        switch (request.get("do").asText()) {
            case "hello" -> hello(request, answer);
            case "create" -> create(request.get("topic").asText(), request.get("partitions").asInt(), -1,
                JSON.convertValue(request.get("configs"), TEXTS));
            case "topics" -> answer.set("topics", JSON.valueToTree(admin.listTopics().names().get()));
            case "produce" -> produce(request);
            case "read" -> read(request, answer);
            case "find" -> {
                var offset = find(partition(request), request.get("time").asLong());
                answer.set("offset", offset == null ? NullNode.instance : LongNode.valueOf(offset));
            }
            case "ends" -> {
                var topic = request.get("topic").asText();
                var where = consumer.partitionsFor(topic).stream().map(one -> new TopicPartition(topic, one.partition())).toList();
                var found = new TreeMap<Integer, Long>();
                consumer.endOffsets(where).forEach((one, end) -> found.put(one.partition(), end));
                answer.set("ends", JSON.valueToTree(found.values()));
            }
            case "refused" -> answer.put("code", refused(request.get("case").asText(), request.get("topic").asText()));
            case "admin" -> AdminRequests.handle(admin, request, answer);
            case "contest" -> AdminRequests.contest(request, answer);
            case "resume" -> resume(request, answer);
            case "busy" -> busy(request.get("topic").asText(), request.get("seconds").asInt(), answer);
            default -> GroupRequests.handle(admin, request, answer);
        }
    }

    static void hello(JsonNode request, ObjectNode answer) {
        broker = request.get("broker").asText();
        // A broker that leaves a request unanswered is asked for less than a minute.
        admin = Admin.create(Map.of("bootstrap.servers", broker, "default.api.timeout.ms", "10000",
            "request.timeout.ms", "5000"));
        consumer = new KafkaConsumer<>(Map.of(
            "bootstrap.servers", broker, "enable.auto.commit", "false", "auto.offset.reset", "none",
            "fetch.max.wait.ms", "50"), new ByteArrayDeserializer(), new ByteArrayDeserializer());
        answer.put("program", "Java kafka-clients " + AppInfoParser.getVersion());
        for (var can : List.of("create", "produce", "read", "find", "times", "headers", "binary", "nulls", "idempotent", "transaction", "admin", "contest", "busy", "resume", "groups")) {
            answer.withArray("can").add(can);
        }
    }

    static void create(String topic, int partitions, int replicas, Map<String, String> configs) throws Exception {
        admin.createTopics(List.of(new NewTopic(topic, partitions, (short) replicas).configs(configs))).all().get();
    }

    static KafkaProducer<byte[], byte[]> producer(Map<String, String> settings) {
        var all = new HashMap<String, Object>(settings);
        all.put("bootstrap.servers", broker);
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static void produce(JsonNode request) throws Exception {
        var codec = request.get("codec").asText();
        var acks = request.get("acks").asText();
        var settings = new HashMap<String, String>();
        if (!codec.equals("default")) settings.put("compression.type", codec);
        if (acks.equals("idempotent")) {
            settings.put("enable.idempotence", "true");
        } else if (!acks.equals("default")) {
            settings.putAll(Map.of("acks", acks, "enable.idempotence", "false"));
        }
        var sent = new ArrayList<Future<RecordMetadata>>();
        try (var producer = producer(settings)) {
            for (var record : request.get("records")) {
                var made = new ProducerRecord<>(request.get("topic").asText(), null, record.get(0).asLong(),
                    bytes(record.get(1)), bytes(record.get(2)));
                for (var header : record.get(3)) {
                    made.headers().add(new RecordHeader(header.get(0).asText(), bytes(header.get(1))));
                }
                sent.add(producer.send(made));
                if (!codec.equals("default") && sent.size() % 100 == 0) producer.flush();
            }
        }
        for (var one : sent) one.get();
    }

    static void read(JsonNode request, ObjectNode answer) {
        var where = partition(request);
        var at = request.get("at");
        int count = request.get("count").asInt();
        consumer.assign(List.of(where));
        if (at.has("time")) {
            consumer.seek(where, find(where, at.get("time").asLong()));
        } else if (at.has("offset")) {
            consumer.seek(where, at.get("offset").asLong());
        } else {
            consumer.seekToBeginning(List.of(where));
        }
        var records = answer.putArray("records");
        boolean appendTime = false;
        long deadline = System.nanoTime() + 10_000_000_000L;
        while (records.size() < count && System.nanoTime() < deadline) {
            for (var record : consumer.poll(Duration.ofSeconds(1))) {
                var made = records.addArray().add(record.offset()).add(record.timestamp())
                    .add(text(record.key())).add(text(record.value()));
                var headers = made.addArray();
                for (var header : record.headers()) headers.addArray().add(header.key()).add(text(header.value()));
                if (records.size() == count) appendTime = record.timestampType() == TimestampType.LOG_APPEND_TIME;
            }
        }
        while (records.size() > count) records.remove(count);
        answer.put("append_time", appendTime);
    }

    // A consumer that stands at an offset reads on from there, or as its reset policy says if that is gone.
    static void resume(JsonNode request, ObjectNode answer) {
        var settings = Map.<String, Object>of("bootstrap.servers", broker, "enable.auto.commit", "false",
            "auto.offset.reset", request.get("policy").asText(), "fetch.max.wait.ms", "50");
        try (var reader = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            var where = partition(request);
            reader.assign(List.of(where));
            reader.seek(where, request.get("offset").asLong());
            long deadline = System.nanoTime() + 10_000_000_000L;
            while (System.nanoTime() < deadline) {
                for (var record : reader.poll(Duration.ofSeconds(1))) {
                    answer.put("offset", record.offset());
                    return;
                }
            }
        } catch (OffsetOutOfRangeException error) {
            answer.put("code", Errors.OFFSET_OUT_OF_RANGE.code());
        }
    }

    static Long find(TopicPartition where, long time) {
        var found = consumer.offsetsForTimes(Map.of(where, time)).get(where);
        return found == null ? null : found.offset();
    }

    // Runs into one refusal and returns Kafka's error code for it.
    static Integer refused(String what, String topic) throws Exception {
        try {
            switch (what) {
                case "too-large" -> {
                    try (var producer = producer(Map.of("max.request.size", "5000000"))) {
                        producer.send(new ProducerRecord<>(topic, new byte[2_000_000])).get();
                    }
                }
                case "no-key" -> {
                    try (var producer = producer(Map.of())) {
                        producer.send(new ProducerRecord<>(topic, new byte[10])).get();
                    }
                }
                case "outside" -> {
                    var where = new TopicPartition(topic, 0);
                    consumer.assign(List.of(where));
                    consumer.seek(where, 1_000_000);
                    consumer.poll(Duration.ofSeconds(5));
                }
                case "transaction" -> {
                    try (var producer = producer(Map.of("transactional.id", "t", "max.block.ms", "10000"))) {
                        producer.initTransactions();
                    }
                }
                case "unknown-topic" -> admin.deleteTopics(List.of(topic)).all().get();
                case "exists", "illegal-name" -> create(topic, 1, 1, Map.of());
                case "no-partitions" -> create(topic, 0, 1, Map.of());
                case "too-many-replicas" -> create(topic, 1, 9, Map.of());
                case "unknown-config" -> create(topic, 1, 1, Map.of("colour", "red"));
                default -> throw new IllegalArgumentException(what);
            }
        } catch (ExecutionException error) {
            return (int) Errors.forException(error.getCause()).code();
        } catch (OffsetOutOfRangeException error) {
            return (int) Errors.OFFSET_OUT_OF_RANGE.code();
        } catch (org.apache.kafka.common.KafkaException error) {
            return (int) Errors.forException(error).code();
        }
        return null;
    }

    // Writes and reads one record after the other, whatever happens to the topic meanwhile.
    static void busy(String topic, int seconds, ObjectNode answer) throws Exception {
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        var where = List.of(new TopicPartition(topic, 0));
        var settings = Map.of("delivery.timeout.ms", "2000", "request.timeout.ms", "1000", "linger.ms", "0",
            "max.block.ms", "2000");
        var codes = new TreeMap<Short, Integer>();
        int written = 0, read = 0;
        try (var producer = producer(settings)) {
            consumer.assign(where);
            consumer.seekToBeginning(where);
            while (System.nanoTime() < end) {
                try {
                    producer.send(new ProducerRecord<>(topic, 0, null, new byte[10])).get();
                    written++;
                    read += consumer.poll(Duration.ofMillis(20)).count();
                } catch (ExecutionException error) {
                    codes.merge(Errors.forException(error.getCause()).code(), 1, Integer::sum);
                } catch (OffsetOutOfRangeException error) {
                    // The topic was made again, and is shorter now.
                    codes.merge(Errors.OFFSET_OUT_OF_RANGE.code(), 1, Integer::sum);
                    consumer.seekToBeginning(where);
                } catch (org.apache.kafka.common.KafkaException error) {
                    codes.merge(Errors.forException(error).code(), 1, Integer::sum);
                }
            }
        }
        answer.put("written", written).put("read", read).set("codes", JSON.valueToTree(codes));
    }

    static TopicPartition partition(JsonNode request) {
        return new TopicPartition(request.get("topic").asText(), request.get("partition").asInt());
    }

    static byte[] bytes(JsonNode text) {
        return text.isNull() ? null : text.asText().getBytes(StandardCharsets.ISO_8859_1);
    }

    static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
