// Plays the stories of a file to a real Kafka broker, and prints the file again with what the broker answered. Run by
// `record`:
//
//   java -cp "JARS/*" Coordinator.java 127.0.0.1:PORT FILE
//
// The inputs are those of the lab's transcripts (../support/stage.rs). Each request goes out on a connection of its own,
// because a join that waits blocks its connection. Whatever is answered until the next input stands below it.

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.Subscription;
import org.apache.kafka.clients.consumer.RangeAssignor;
import org.apache.kafka.clients.consumer.RoundRobinAssignor;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.*;
import org.apache.kafka.common.protocol.*;

public class Coordinator {
    static final int PACE_MS = 200;

    static String host, group = "";
    static int port, groups, clock;
    // How many requests were sent.
    static int sent;
    static long beganMs;
    static final Map<String, Integer> partitions = new TreeMap<>();
    static final Map<String, Client> clients = new TreeMap<>();
    static final BlockingQueue<Runnable> answers = new LinkedBlockingQueue<>();
    static final List<String> lines = new ArrayList<>();

    static class Client {
        String name, id = "", type = "consumer";
        List<String> ids = new ArrayList<>(), topics = List.of(), offers = List.of("range");
        int session = 6000, rebalance = 6000, generation = -1;
        boolean isStatic;
        Map<String, Subscription> list = new TreeMap<>();
        String protocol = "";

        String instance() { return isStatic ? name : null; }

        String shown(String id) { return id.isEmpty() ? name : ids.contains(id) ? name + "-" + (ids.indexOf(id) + 1) : id; }
    }

    public static void main(String[] args) throws Exception {
        host = args[0].split(":")[0];
        port = Integer.parseInt(args[0].split(":")[1]);
        warmUp(args[0]);
        for (String line : Files.readAllLines(Path.of(args[1]))) {
            if (line.startsWith("  ")) continue;
            System.out.println(line);
            if (line.isEmpty() || line.startsWith("#")) continue;
            play(line);
            settle();
            // By who is answered, because answers to many come in any order.
            lines.sort(Comparator.comparing(answer -> answer.replace(':', ' ')));
            lines.forEach(answer -> System.out.println("  " + answer));
            lines.clear();
        }
        System.exit(0);
    }

    // The first request makes the broker create __consumer_offsets, which takes a while. Offsets are committed for a
    // topic that exists.
    static void warmUp(String address) throws Exception {
        try (var admin = Admin.create(Map.<String, Object>of("bootstrap.servers", address))) {
            admin.createTopics(List.of(new NewTopic("committed", 1, (short) 1))).all().get();
        }
        ask(ApiKeys.FIND_COORDINATOR, 2, "record", new FindCoordinatorRequestData().setKey("g").setKeyType((byte) 0), answer -> {});
        var ready = new boolean[1];
        while (!ready[0]) {
            Thread.sleep(300);
            var request = new HeartbeatRequestData().setGroupId("warm-up").setMemberId("nobody").setGenerationId(1);
            ask(ApiKeys.HEARTBEAT, 3, "record", request, answer ->
                ready[0] = new HeartbeatResponseData(answer, (short) 3).errorCode() == Errors.UNKNOWN_MEMBER_ID.code());
            collect(200);
        }
    }

    static void play(String line) throws Exception {
        var words = new ArrayList<>(List.of(line.split(" ")));
        var named = new HashMap<String, Integer>();
        int at = clock + PACE_MS;
        if (words.get(0).startsWith("@")) at = Integer.parseInt(words.remove(0).substring(1));
        var verb = words.remove(0);
        for (var word : List.copyOf(words)) {
            if (!word.contains("=")) continue;
            named.put(word.split("=")[0], Integer.parseInt(word.split("=")[1]));
            words.remove(word);
        }
        if (verb.equals("settings")) return; // `record` has started the broker with them
        if (verb.equals("group")) {
            group = "group-" + ++groups + "-" + System.currentTimeMillis();
            clients.clear();
            clock = 0;
            beganMs = System.currentTimeMillis();
            return;
        }
        if (verb.equals("topic")) {
            partitions.put(words.get(0), Integer.parseInt(words.get(1)));
            return;
        }
        clock = at;
        collect(beganMs + at - System.currentTimeMillis());
        if (verb.equals("wait")) return;
        if (words.get(0).equals("nobody")) {
            commit(new Client(), "", -1, "nobody");
            return;
        }
        var client = clients.computeIfAbsent(words.get(0), name -> {
            var fresh = new Client();
            fresh.name = name;
            return fresh;
        });
        int generation = named.getOrDefault("generation", client.generation);
        var id = client.id;
        if (named.containsKey("self")) {
            int self = named.get("self");
            id = self <= client.ids.size() ? client.ids.get(self - 1) : client.name + "-" + self;
        }
        switch (verb) {
            case "join", "ask" -> {
                wishes(client, words.subList(1, words.size()), named);
                if (words.contains("fresh")) id = "";
                client.id = id;
                join(client, id, named.getOrDefault("version", 5), verb.equals("join"));
            }
            case "sync" -> sync(client, id, generation, words);
            case "heartbeat" -> heartbeat(client, id, generation);
            case "leave" -> leave(client, id);
            case "remove" -> leave(client, "");
            case "commit" -> commit(client, id, generation, client.shown(id));
            default -> throw new IllegalArgumentException(line);
        }
    }

    static void wishes(Client client, List<String> words, Map<String, Integer> named) {
        int offers = words.indexOf("offers");
        if (offers >= 0) {
            client.offers = words.subList(offers + 1, words.size()).stream().toList();
            words = words.subList(0, offers);
        }
        client.isStatic |= words.contains("static");
        client.type = words.contains("connect") ? "connect" : "consumer";
        var topics = words.stream().filter(word -> !List.of("static", "fresh", "connect").contains(word)).toList();
        if (!topics.isEmpty()) client.topics = topics;
        client.session = named.getOrDefault("session", client.session);
        client.rebalance = named.getOrDefault("rebalance", client.rebalance);
    }

    static void join(Client client, String id, int version, boolean goOn) throws Exception {
        var protocols = new JoinGroupRequestData.JoinGroupRequestProtocolCollection();
        for (var offer : client.offers) {
            var bytes = ConsumerProtocol.serializeSubscription(new Subscription(client.topics));
            protocols.add(new JoinGroupRequestData.JoinGroupRequestProtocol().setName(offer).setMetadata(bytes(bytes)));
        }
        var request = new JoinGroupRequestData().setGroupId(group).setMemberId(id).setProtocolType(client.type)
            .setSessionTimeoutMs(client.session).setRebalanceTimeoutMs(client.rebalance).setProtocols(protocols);
        if (version >= 5) request.setGroupInstanceId(client.instance());
        ask(ApiKeys.JOIN_GROUP, version, client.name, request, answer -> {
            var joined = new JoinGroupResponseData(answer, (short) version);
            var error = Errors.forCode(joined.errorCode());
            if (error == Errors.MEMBER_ID_REQUIRED) {
                meet(client, joined.memberId());
                lines.add(client.name + ": " + error + ", " + client.shown(client.id));
                if (goOn) unchecked(() -> join(client, client.id, version, false));
            } else if (error != Errors.NONE) {
                lines.add(client.shown(id) + ": " + error);
            } else {
                meet(client, joined.memberId());
                joined(client, joined);
            }
        });
    }

    static void meet(Client client, String id) {
        client.id = id;
        if (!client.ids.contains(id)) client.ids.add(id);
    }

    static void joined(Client client, JoinGroupResponseData joined) {
        client.generation = joined.generationId();
        client.protocol = joined.protocolName();
        client.list = new TreeMap<>();
        var members = new TreeMap<String, String>();
        for (var member : joined.members()) {
            var subscription = ConsumerProtocol.deserializeSubscription(ByteBuffer.wrap(member.metadata()));
            client.list.put(member.memberId(), subscription);
            members.put(anybody(member.memberId()), " [" + String.join(" ", subscription.topics()) + "]");
        }
        var leads = members.isEmpty()
            ? "led by " + anybody(joined.leader())
            : "leads " + members.entrySet().stream().map(e -> e.getKey() + e.getValue()).collect(Collectors.joining(", "));
        lines.add(client.shown(client.id) + ": generation " + client.generation + ", " + client.protocol + ", " + leads);
    }

    // The leader may hear of a new id before its owner does.
    static String anybody(String id) {
        var client = clients.get(id.substring(0, Math.max(0, id.indexOf('-'))));
        if (client == null) return id;
        if (!client.ids.contains(id)) client.ids.add(id);
        return client.shown(id);
    }

    // Who was told the members makes the plan. The others bring none, unless they are to: `with NAME` has a part for
    // that one alone, `without NAME` for all but one.
    static void sync(Client client, String id, int generation, List<String> words) throws Exception {
        var request = new SyncGroupRequestData().setGroupId(group).setMemberId(id)
            .setGenerationId(generation).setGroupInstanceId(client.instance());
        var assignor = client.protocol.equals("roundrobin") ? new RoundRobinAssignor() : new RangeAssignor();
        var plan = client.list.isEmpty() ? Map.<String, List<TopicPartition>>of() : assignor.assign(partitions, client.list);
        var parts = new ArrayList<SyncGroupRequestData.SyncGroupRequestAssignment>();
        plan.forEach((member, theirs) -> {
            if (words.contains("without") && anybody(member).startsWith(words.get(2))) return;
            var text = theirs.stream().map(tp -> tp.topic() + tp.partition()).sorted().collect(Collectors.joining(" "));
            parts.add(part(member, text));
        });
        if (words.contains("with")) {
            var other = clients.get(words.get(2));
            parts.add(part(other.id, "all"));
        }
        request.setAssignments(parts);
        ask(ApiKeys.SYNC_GROUP, 3, client.name, request, answer -> {
            var synced = new SyncGroupResponseData(answer, (short) 3);
            var text = new String(synced.assignment(), StandardCharsets.UTF_8);
            say(client.shown(id), synced.errorCode(), "reads " + (text.isEmpty() ? "nothing" : text));
        });
    }

    static SyncGroupRequestData.SyncGroupRequestAssignment part(String member, String text) {
        return new SyncGroupRequestData.SyncGroupRequestAssignment().setMemberId(member)
            .setAssignment(text.getBytes(StandardCharsets.UTF_8));
    }

    static void heartbeat(Client client, String id, int generation) throws Exception {
        var request = new HeartbeatRequestData().setGroupId(group).setMemberId(id)
            .setGenerationId(generation).setGroupInstanceId(client.instance());
        ask(ApiKeys.HEARTBEAT, 3, client.name, request, answer ->
            say(client.shown(id), new HeartbeatResponseData(answer, (short) 3).errorCode(), "ok"));
    }

    static void leave(Client client, String id) throws Exception {
        var request = new LeaveGroupRequestData().setGroupId(group).setMembers(List.of(
            new LeaveGroupRequestData.MemberIdentity().setMemberId(id).setGroupInstanceId(client.instance())));
        ask(ApiKeys.LEAVE_GROUP, 3, client.name, request, answer -> {
            var left = new LeaveGroupResponseData(answer, (short) 3);
            var code = left.errorCode() != 0 ? left.errorCode() : left.members().get(0).errorCode();
            say(client.shown(id), code, "ok");
        });
    }

    static void commit(Client client, String id, int generation, String who) throws Exception {
        var request = offsets(group, id, generation).setGroupInstanceId(client.instance());
        ask(ApiKeys.OFFSET_COMMIT, 7, who, request, answer -> {
            var committed = new OffsetCommitResponseData(answer, (short) 7);
            say(who, committed.topics().get(0).partitions().get(0).errorCode(), "ok");
        });
    }

    static OffsetCommitRequestData offsets(String group, String id, int generation) {
        var partition = new OffsetCommitRequestData.OffsetCommitRequestPartition()
            .setPartitionIndex(0).setCommittedOffset(5).setCommittedMetadata("");
        var topic = new OffsetCommitRequestData.OffsetCommitRequestTopic().setName("committed").setPartitions(List.of(partition));
        return new OffsetCommitRequestData().setGroupId(group).setMemberId(id)
            .setGenerationIdOrMemberEpoch(generation).setTopics(List.of(topic));
    }

    static void say(String who, short code, String ok) {
        lines.add(who + ": " + (code == 0 ? ok : Errors.forCode(code).toString()));
    }

    // Waits until all is answered that does not wait for something else. All groups here have one coordinator, which takes
    // one request after the other and answers what it has written in that order. So when a last commit is answered, in
    // a group of its own, all is; and again, if an answer has made a client send another request.
    static void settle() throws Exception {
        for (int before = -1; before != sent; ) {
            var answered = new boolean[1];
            ask(ApiKeys.OFFSET_COMMIT, 7, "record", offsets("last", "", -1), answer -> answered[0] = true);
            before = sent;
            while (!answered[0]) collect(5);
            collect(40);
        }
    }

    // Answers are taken in this thread, one after the other, so that nothing here needs a lock.
    static void collect(long ms) throws Exception {
        long endMs = System.currentTimeMillis() + ms;
        for (long left; (left = endMs - System.currentTimeMillis()) > 0; ) {
            var answer = answers.poll(left, TimeUnit.MILLISECONDS);
            if (answer != null) answer.run();
        }
    }

    // Kafka's member ids begin with the client's id. So members are in the order of their names, for assignors too.
    static void ask(ApiKeys key, int version, String who, ApiMessage request, Consumer<ByteBufferAccessor> then)
        throws Exception {
        var header = new RequestHeaderData().setRequestApiKey(key.id).setRequestApiVersion((short) version)
            .setCorrelationId(1).setClientId(who);
        int headerVersion = key.requestHeaderVersion((short) version);
        var head = MessageUtil.toByteBufferAccessor(header, (short) headerVersion).buffer();
        var body = MessageUtil.toByteBufferAccessor(request, (short) version).buffer();
        var socket = new Socket(host, port);
        sent++;
        var out = new DataOutputStream(socket.getOutputStream());
        out.writeInt(head.remaining() + body.remaining());
        out.write(bytes(head));
        out.write(bytes(body));
        out.flush();
        var reader = new Thread(() -> unchecked(() -> {
            try (socket) {
                var in = new DataInputStream(socket.getInputStream());
                var answer = new byte[in.readInt()];
                in.readFully(answer);
                var accessor = new ByteBufferAccessor(ByteBuffer.wrap(answer));
                new ResponseHeaderData(accessor, key.responseHeaderVersion((short) version));
                answers.add(() -> then.accept(accessor));
            }
        }));
        reader.setDaemon(true);
        reader.start();
    }

    interface Thrower { void run() throws Exception; }

    static void unchecked(Thrower what) {
        try { what.run(); } catch (Exception e) { throw new RuntimeException(e); }
    }

    static byte[] bytes(ByteBuffer buffer) {
        var bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }
}
