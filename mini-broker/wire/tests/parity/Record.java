// Writes values with Kafka's own classes, and lets Kafka's own readers judge odd bytes. Run by `record`:
//
//   java -cp "JARS/*" Record.java > groups.txt
//
// The values are also in `embedded.rs`, which compares.

import java.nio.ByteBuffer;
import java.util.*;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor.*;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.*;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordSerde;
import org.apache.kafka.coordinator.group.generated.*;
import org.apache.kafka.server.common.ApiMessageAndVersion;

public class Record {
    static final HexFormat HEX = HexFormat.of();
    static final GroupCoordinatorRecordSerde SERDE = new GroupCoordinatorRecordSerde();
    static final OffsetCommitKey OFFSET = new OffsetCommitKey().setGroup("billing").setTopic("orders").setPartition(2);
    static final GroupMetadataKey GROUP = new GroupMetadataKey().setGroup("billing");

    public static void main(String[] args) {
        System.out.println("# Apache Kafka 4.1.1. See README.md.");
        subscriptions();
        assignments();
        offsets();
        groups();
        oddSubscriptions();
        oddRecords();
    }

    static void subscriptions() {
        var owned = List.of(new TopicPartition("orders", 0), new TopicPartition("orders", 2), new TopicPartition("returns", 1));
        var full = new Subscription(List.of("orders", "returns"), ByteBuffer.wrap(bytes("0102ff")), owned, 7, Optional.of("rack-a"));
        var bare = new Subscription(List.of("orders"));
        for (short version = 0; version <= 3; version++) {
            System.out.printf("subscription full %d %s%n", version, hex(ConsumerProtocol.serializeSubscription(full, version)));
            System.out.printf("subscription bare %d %s%n", version, hex(ConsumerProtocol.serializeSubscription(bare, version)));
        }
    }

    static void assignments() {
        var partitions = List.of(new TopicPartition("orders", 0), new TopicPartition("orders", 2), new TopicPartition("returns", 1));
        var full = new Assignment(partitions, ByteBuffer.wrap(bytes("0102ff")));
        var idle = new Assignment(List.of());
        for (short version = 0; version <= 3; version++) {
            System.out.printf("assignment full %d %s%n", version, hex(ConsumerProtocol.serializeAssignment(full, version)));
            System.out.printf("assignment idle %d %s%n", version, hex(ConsumerProtocol.serializeAssignment(idle, version)));
        }
    }

    static void offsets() {
        var legacy = new LegacyOffsetCommitKey().setGroup("billing").setTopic("orders").setPartition(2);
        var written = new LegacyOffsetCommitValue().setOffset(41).setMetadata("checked").setCommitTimestamp(1_700_000_000_000L);
        record("offset full 0 0", CoordinatorRecord.record(legacy, new ApiMessageAndVersion(written, (short) 0)));
        for (short version = 0; version <= 4; version++) {
            var full = new OffsetCommitValue().setOffset(41).setLeaderEpoch(5).setMetadata("checked").setCommitTimestamp(1_700_000_000_000L)
                .setExpireTimestamp(1_700_600_000_000L).setTopicId(new Uuid(0x0102030405060708L, 0x090a0b0c0d0e0f10L));
            var bare = new OffsetCommitValue().setOffset(0).setCommitTimestamp(1);
            record("offset full 1 " + version, CoordinatorRecord.record(OFFSET, new ApiMessageAndVersion(full, version)));
            record("offset bare 1 " + version, CoordinatorRecord.record(OFFSET, new ApiMessageAndVersion(bare, version)));
        }
        record("offset tombstone 1 -", CoordinatorRecord.tombstone(OFFSET));
    }

    static void groups() {
        for (short version = 0; version <= 4; version++) {
            var anna = new GroupMetadataValue.MemberMetadata().setMemberId("anna-1").setGroupInstanceId("till-4").setClientId("anna")
                .setClientHost("/127.0.0.1").setRebalanceTimeout(300_000).setSessionTimeout(45_000)
                .setSubscription(bytes("0102")).setAssignment(bytes("03"));
            var ben = new GroupMetadataValue.MemberMetadata().setMemberId("ben-1").setClientId("ben").setClientHost("/127.0.0.1")
                .setSessionTimeout(10_000);
            var full = new GroupMetadataValue().setProtocolType("consumer").setGeneration(7).setProtocol("range").setLeader("anna-1")
                .setCurrentStateTimestamp(1_700_000_000_000L).setMembers(List.of(anna, ben));
            var empty = new GroupMetadataValue().setProtocolType("consumer").setGeneration(8).setProtocol(null).setLeader(null)
                .setCurrentStateTimestamp(1_700_000_001_000L);
            record("group full 2 " + version, CoordinatorRecord.record(GROUP, new ApiMessageAndVersion(full, version)));
            record("group empty 2 " + version, CoordinatorRecord.record(GROUP, new ApiMessageAndVersion(empty, version)));
        }
        record("group tombstone 2 -", CoordinatorRecord.tombstone(GROUP));
    }

    static void record(String what, CoordinatorRecord record) {
        var value = SERDE.serializeValue(record);
        System.out.printf("%s %s %s%n", what, HEX.formatHex(SERDE.serializeKey(record)), value == null ? "-" : HEX.formatHex(value));
    }

    // What comes of odd bytes: what Kafka has read of them, written again in version 3, or "refused".
    static void oddSubscriptions() {
        var topics = "00000001 0006 6f7264657273 ffffffff";
        var owned = "00000001 0006 6f7264657273 00000001 00000002";
        for (var odd : List.of(
            "0000" + topics, "0000" + topics + "00", "0001" + topics, "0001" + topics + "00000000", "0002" + topics + owned,
            "0003" + topics + owned + "00000007", "0003" + topics + owned + "00000007" + "ffff",
            "0004" + topics + owned + "00000007" + "ffff" + "6e6577", "7fff" + topics + owned + "00000007" + "0001 61",
            "0009" + topics, "ffff" + topics, "8000" + topics, "00", "", "0000 ffffffff ffffffff", "0000 00000000 fffffffe",
            "0000 00000001 ffff ffffffff", "0000 00000000 00000000", "0003" + topics + "ffffffff 00000007 ffff")) {
            odd("subscription", odd, bytes -> hex(MessageUtil.toVersionPrefixedByteBuffer((short) 3, ConsumerProtocol.deserializeConsumerProtocolSubscription(bytes))));
        }
        var assigned = "00000001 0006 6f7264657273 00000001 00000002";
        for (var odd : List.of(
            "0000" + assigned + "ffffffff", "0000" + assigned + "ffffffff" + "00", "0000" + assigned, "0004" + assigned + "00000001 aa" + "6e6577",
            "ffff" + assigned + "ffffffff", "0003 ffffffff ffffffff", "")) {
            odd("assignment", odd, bytes -> hex(MessageUtil.toVersionPrefixedByteBuffer((short) 3, ConsumerProtocol.deserializeConsumerProtocolAssignment(bytes))));
        }
    }

    static void oddRecords() {
        for (var odd : List.of(
            "0003 0000000000000029 00000005 0000 0000000000000001", "0003 0000000000000029 00000005 0000 0000000000000001 6e6577",
            "0003 0000000000000029 00000005 ffff 0000000000000001", "0003 0000000000000029 00000005 0000 00000000000000",
            "0004 0000000000000029 00000005 01 0000000000000001 01 09 03 6e6577", "0004 0000000000000029 00000005 00 0000000000000001 00",
            "0005 0000000000000029 00000005 01 0000000000000001 00", "ffff 0000000000000029 0000 0000000000000001", "00", "")) {
            odd("offset", odd, bytes -> again(OFFSET, bytes));
        }
        var head = "0008 636f6e73756d6572 00000007 ffff ffff 0000000000000001";
        for (var odd : List.of(
            "0003" + head + "00000000", "0003" + head + "00000000 6e6577", "0003" + head + "ffffffff", "0003" + head + "00000001", "0005" + head + "00000000",
            "0003 ffff 00000007 ffff ffff 0000000000000001 00000000",
            "0004 09 636f6e73756d6572 00000007 00 00 0000000000000001 01 01 2a 01 61", "ffff" + head + "00000000")) {
            odd("group", odd, bytes -> again(GROUP, bytes));
        }
    }

    static String again(org.apache.kafka.common.protocol.ApiMessage key, ByteBuffer value) {
        var keyBytes = SERDE.serializeKey(CoordinatorRecord.tombstone(key));
        var read = SERDE.deserialize(ByteBuffer.wrap(keyBytes), value).value().message();
        read.unknownTaggedFields().clear(); // version 3 could not write them
        return hex(MessageUtil.toVersionPrefixedByteBuffer((short) 3, read));
    }

    interface Reader {
        String read(ByteBuffer bytes);
    }

    static void odd(String what, String text, Reader reader) {
        var bytes = bytes(text);
        String result;
        try {
            result = reader.read(ByteBuffer.wrap(bytes));
        } catch (RuntimeException e) {
            result = "refused";
        }
        System.out.printf("odd %s %s %s%n", what, bytes.length == 0 ? "-" : HEX.formatHex(bytes), result);
    }

    static byte[] bytes(String text) {
        return HEX.parseHex(text.replace(" ", ""));
    }

    static String hex(ByteBuffer buffer) {
        var bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return HEX.formatHex(bytes);
    }
}
