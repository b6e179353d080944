// Prints what Kafka's own assignors answer to generated subscriptions. Run by `record`:
//
//   java -cp "JARS/*" Assignors.java plans|sticky
//
// The subscriptions come from a seed, so the same ones come out each time.

import java.util.*;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Assignment;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.StickyAssignor;
import org.apache.kafka.clients.consumer.internals.AbstractPartitionAssignor;
import org.apache.kafka.common.TopicPartition;

public class Assignors {
    static final List<String> NAMES = List.of("ann", "bob", "cho", "dan", "eve", "fay", "gus", "hal");
    static final List<String> TOPICS = List.of("a", "b", "c", "d");
    static final Random random = new Random(4);

    static SortedMap<String, Integer> partitions = new TreeMap<>();
    static SortedMap<String, List<String>> subscribed = new TreeMap<>();

    public static void main(String[] args) {
        if (args[0].equals("plans")) plans(120);
        else sticky(120);
    }

    static void plans(int cases) {
        for (int n = 0; n < cases; n++) {
            generate(n % 3 == 0);
            printCase(Map.of());
            System.out.println("range " + plan(new RangeAssignor()));
            System.out.println("roundrobin " + plan(new RoundRobinAssignor()));
        }
    }

    // In a third of the cases all want the same; in the others some topics have no readers, and some no partitions.
    static void generate(boolean same) {
        partitions.clear();
        subscribed.clear();
        for (String topic : TOPICS.subList(0, 1 + random.nextInt(TOPICS.size()))) {
            partitions.put(topic, random.nextInt(8));
        }
        var all = List.copyOf(partitions.keySet());
        for (String name : NAMES.subList(0, 1 + random.nextInt(NAMES.size()))) subscribed.put(name, same ? all : some());
    }

    static List<String> some() {
        // Now and then a topic that does not exist.
        return TOPICS.stream().filter(topic -> random.nextInt(3) > 0).collect(Collectors.toList());
    }

    static String plan(AbstractPartitionAssignor assignor) {
        return shown(assignor.assign(read(), subscriptions(Map.of())));
    }

    // Kafka hands an assignor no other topics than those that somebody wants and that exist.
    static Map<String, Integer> read() {
        var read = new TreeMap<>(partitions);
        read.keySet().retainAll(subscribed.values().stream().flatMap(List::stream).collect(Collectors.toSet()));
        read.values().removeIf(count -> count == 0);
        return read;
    }

    static Map<String, Subscription> subscriptions(Map<String, List<TopicPartition>> owned) {
        var subscriptions = new HashMap<String, Subscription>();
        subscribed.forEach((member, topics) -> {
            var had = owned.getOrDefault(member, List.of());
            subscriptions.put(member, new Subscription(topics, userData(had), had));
        });
        return subscriptions;
    }

    // What a member sends along, if these are the partitions that it was given the last time.
    static java.nio.ByteBuffer userData(List<TopicPartition> had) {
        if (had.isEmpty()) return null;
        var assignor = new StickyAssignor();
        assignor.onAssignment(new Assignment(had), new ConsumerGroupMetadata("group", 1, "", Optional.empty()));
        return assignor.subscriptionUserData(Set.of());
    }

    // One group lives through changes: members come and go, want something else, topics grow.
    static void sticky(int cases) {
        Map<String, List<TopicPartition>> owned = Map.of();
        for (int n = 0; n < cases; n++) {
            if (n % 12 == 0) {
                generate(n % 24 == 0);
                owned = Map.of();
            } else {
                change();
            }
            var had = new TreeMap<>(owned);
            had.keySet().retainAll(subscribed.keySet());
            printCase(had);
            var plan = new StickyAssignor().assign(read(), subscriptions(had));
            var loads = plan.values().stream().map(List::size).sorted(Comparator.reverseOrder()).toList();
            int kept = had.entrySet().stream()
                .mapToInt(e -> (int) e.getValue().stream().filter(plan.get(e.getKey())::contains).count()).sum();
            System.out.println("sticky kept=" + kept + " loads=" + join(loads, ","));
            owned = plan;
        }
    }

    static void change() {
        var free = NAMES.stream().filter(name -> !subscribed.containsKey(name)).toList();
        var members = List.copyOf(subscribed.keySet());
        var topics = List.copyOf(partitions.keySet());
        switch (random.nextInt(5)) {
            case 0, 1 -> {
                if (!free.isEmpty()) subscribed.put(free.get(random.nextInt(free.size())), like(members));
            }
            case 2, 3 -> {
                if (members.size() > 1) subscribed.remove(members.get(random.nextInt(members.size())));
            }
            default -> partitions.merge(topics.get(random.nextInt(topics.size())), 1 + random.nextInt(3), Integer::sum);
        }
    }

    static List<String> like(List<String> members) {
        return random.nextBoolean() ? subscribed.get(members.get(random.nextInt(members.size()))) : some();
    }

    static void printCase(Map<String, List<TopicPartition>> owned) {
        System.out.println("topics " + join(partitions.entrySet().stream().toList(), " "));
        subscribed.forEach((member, topics) -> {
            var had = owned.get(member);
            System.out.println(member + " " + join(topics, ",") + (had == null ? "" : " had " + shown(had)));
        });
    }

    static String shown(Map<String, List<TopicPartition>> plan) {
        return join(new TreeMap<>(plan).entrySet().stream().map(e -> e.getKey() + "=" + shown(e.getValue())).toList(), " ");
    }

    static String shown(List<TopicPartition> partitions) {
        return join(partitions.stream().map(tp -> tp.topic() + tp.partition()).sorted().toList(), ",");
    }

    static String join(List<?> parts, String between) {
        return parts.stream().map(Object::toString).collect(Collectors.joining(between));
    }
}
