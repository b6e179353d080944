// Sends batches of idempotent producers to a real Kafka broker and prints what it answered. Run by `record`:
//
//   java -cp "JARS/*" Record.java 127.0.0.1:PORT
//
// A real producer would never send most of these. So the requests are made here, from Kafka's own classes, and go out
// on a plain socket.

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.*;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.SimpleRecord;

public class Record {
    static final short PRODUCE = 0, VERSION = 9;
    static final int MAX = Integer.MAX_VALUE;
    // Every batch is a second later than the one before, so that a time in an answer says which batch is meant.
    static final long START_MS = 1_700_000_000_000L;
    static long timeMs = START_MS;

    static Socket socket;
    static String topic;

    public static void main(String[] args) throws Exception {
        var address = args[0].split(":");
        socket = new Socket(address[0], Integer.parseInt(address[1]));
        try (var admin = Admin.create(Map.<String, Object>of("bootstrap.servers", args[0]))) {
            story(admin, "the next one");
            send(70, 0, 0, 3);
            send(70, 0, 3, 2);
            send(70, 0, 5, 1);

            story(admin, "each of the last five again, and the sixth");
            for (int n = 0; n < 7; n++) send(70, 0, n * 2, 2);
            for (int n = 6; n >= 0; n--) send(70, 0, n * 2, 2);
            send(70, 0, 14, 2);
            send(70, 0, 4, 2);
            send(70, 0, 6, 2);

            story(admin, "a part of a batch, or more than one");
            send(70, 0, 0, 4);
            send(70, 0, 4, 4);
            send(70, 0, 4, 2);
            send(70, 0, 5, 3);
            send(70, 0, 6, 4);
            send(70, 0, 0, 8);
            send(70, 0, 7, 1);

            story(admin, "a gap");
            send(70, 0, 0, 2);
            send(70, 0, 3, 1);
            send(70, 0, 2, 1);
            send(70, 0, 2000, 1);

            story(admin, "another epoch");
            send(70, 3, 0, 2);
            send(70, 2, 2, 1);
            send(70, 2, 0, 2);
            send(70, 4, 2, 1);
            send(70, 4, 0, 2);
            send(70, 4, 0, 2);
            send(70, 3, 0, 2);
            send(70, 3, 2, 1);
            send(70, 9, 1, 1);
            send(70, 4, 2, 1);

            story(admin, "nobody has heard of this producer");
            send(70, 0, 500, 2);
            send(70, 0, 500, 2);
            send(70, 0, 0, 1);
            send(70, 0, 502, 1);
            send(71, 5, 7, 1);
            send(71, 4, 8, 1);
            send(70, 0, 503, 1);

            story(admin, "after the largest number comes 0");
            send(70, 0, MAX - 1, 2);
            send(70, 0, 0, 1);
            send(70, 0, MAX - 1, 2);
            send(71, 0, MAX - 1, 5);
            send(71, 0, MAX - 1, 5);
            send(71, 0, 2, 1);
            send(71, 0, 3, 1);
            send(72, 0, MAX, 1);
            send(72, 0, 1, 1);
            send(72, 0, 0, 1);
        }
    }

    // Each story has a topic of its own, with one empty partition.
    static void story(Admin admin, String name) throws Exception {
        System.out.println("# " + name);
        topic = name.replaceAll("[^a-z0-9]+", "-");
        timeMs = START_MS;
        admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
        while (admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().get(0).leader() == null) {
            Thread.sleep(50);
        }
        Thread.sleep(300);
    }

    static void send(long producer, int epoch, int firstSequence, int count) throws Exception {
        var records = new SimpleRecord[count];
        timeMs += 1000;
        for (int n = 0; n < count; n++) records[n] = new SimpleRecord(timeMs, "k".getBytes(), "v".getBytes());
        var batch = MemoryRecords.withIdempotentRecords(
            Compression.NONE, producer, (short) epoch, firstSequence, records);
        var data = new ProduceRequestData().setAcks((short) -1).setTimeoutMs(10_000);
        data.topicData().add(new ProduceRequestData.TopicProduceData().setName(topic).setPartitionData(List.of(
            new ProduceRequestData.PartitionProduceData().setIndex(0).setRecords(batch))));
        var header = new RequestHeaderData()
            .setRequestApiKey(PRODUCE).setRequestApiVersion(VERSION).setCorrelationId(1).setClientId("record");
        var head = MessageUtil.toByteBufferAccessor(header, (short) 2).buffer();
        var body = MessageUtil.toByteBufferAccessor(data, VERSION).buffer();
        var out = new DataOutputStream(socket.getOutputStream());
        out.writeInt(head.remaining() + body.remaining());
        out.write(bytes(head));
        out.write(bytes(body));
        out.flush();

        var in = new DataInputStream(socket.getInputStream());
        var answer = new byte[in.readInt()];
        in.readFully(answer);
        var accessor = new ByteBufferAccessor(ByteBuffer.wrap(answer));
        new ResponseHeaderData(accessor, (short) 1);
        var partition = new ProduceResponseData(accessor, VERSION).responses().iterator().next().partitionResponses().get(0);
        var said = partition.errorCode() == 0
            ? "offset " + partition.baseOffset() + ", time " + partition.logAppendTimeMs()
            : "error " + partition.errorCode();
        System.out.println(producer + " " + epoch + " " + firstSequence + " " + count + " " + timeMs + " -> " + said);
    }

    static byte[] bytes(ByteBuffer buffer) {
        var bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }
}
