// What Kafka's admin client is asked about groups.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

class GroupRequests {
    static void handle(Admin admin, JsonNode request, ObjectNode answer) throws Exception {
        switch (request.get("do").asText()) {
            case "groups" -> {
                var names = admin.listGroups().all().get().stream().map(GroupListing::groupId).toList();
                answer.set("groups", Adapter.JSON.valueToTree(names));
            }
            case "describe-group" -> describe(admin, request.get("group").asText(), answer);
            case "committed" -> committed(admin, request, answer);
            case "commit" -> {
                var offsets = new LinkedHashMap<TopicPartition, OffsetAndMetadata>();
                for (var one : request.get("offsets")) {
                    offsets.put(where(one), new OffsetAndMetadata(one.get(2).asLong(), one.get(3).asText()));
                }
                var done = admin.alterConsumerGroupOffsets(request.get("group").asText(), offsets);
                for (var one : offsets.keySet()) {
                    answer.withArray("codes").add(AdminRequests.code(() -> done.partitionResult(one).get()));
                }
            }
            case "delete-groups" -> {
                var names = List.of(Adapter.JSON.convertValue(request.get("groups"), String[].class));
                AdminRequests.codes(answer, names, admin.deleteConsumerGroups(names).deletedGroups());
            }
            default -> throw new IllegalArgumentException(request.toString());
        }
    }

    static void describe(Admin admin, String group, ObjectNode answer) throws Exception {
        var found = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
        answer.put("state", found.groupState().toString()).put("protocol", found.partitionAssignor());
        answer.put("coordinator", found.coordinator().id());
        var members = answer.putArray("members");
        for (var one : found.members()) {
            var row = members.addArray().add(one.clientId()).add(one.groupInstanceId().orElse(null));
            var partitions = row.addArray();
            for (var held : one.assignment().topicPartitions()) {
                partitions.addArray().add(held.topic()).add(held.partition());
            }
        }
    }

    static void committed(Admin admin, JsonNode request, ObjectNode answer) throws Exception {
        var group = request.get("group").asText();
        var asked = new ArrayList<TopicPartition>();
        for (var one : request.get("partitions")) asked.add(where(one));
        var spec = Map.of(group, new ListConsumerGroupOffsetsSpec().topicPartitions(asked));
        var found = admin.listConsumerGroupOffsets(spec).partitionsToOffsetAndMetadata(group).get();
        var offsets = answer.putArray("offsets");
        for (var one : asked) {
            var offset = found.get(one);
            if (offset == null) offsets.addNull();
            else offsets.addArray().add(offset.offset()).add(offset.metadata());
        }
    }

    static TopicPartition where(JsonNode pair) {
        return new TopicPartition(pair.get(0).asText(), pair.get(1).asInt());
    }
}
