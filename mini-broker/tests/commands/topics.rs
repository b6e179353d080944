//! `topics`: the lines of Kafka's tool, and the flags that go together.

use crate::server::Server;

#[test]
fn topics_are_made_shown_and_deleted() {
    let server = Server::start();
    // No names are an empty line, as with Kafka's tool.
    assert_eq!(server.ok("topics --list", b""), "\n");
    let made = server.ok("topics --create --topic orders --partitions 3", b"");
    assert_eq!(made, "Created topic orders.\n");
    let made =
        server.ok("topics --create --topic a.b --partitions 1 --config retention.ms=60000", b"");
    assert!(made.starts_with("WARNING: Due to limitations in metric names, topics with a period"));
    assert!(made.ends_with("\nCreated topic a.b.\n"));
    assert_eq!(server.ok("topics --list", b""), "a.b\norders\n");

    let shown = server.ok("topics --describe --topic orders", b"");
    let mut lines = shown.lines();
    let head: Vec<&str> = lines.next().unwrap().split('\t').collect();
    assert_eq!(head[0], "Topic: orders");
    assert_eq!(head[1].len(), "TopicId: ".len() + 22, "16 bytes in base64: {}", head[1]);
    assert_eq!(head[2..], ["PartitionCount: 3", "ReplicationFactor: 1", "Configs: "]);
    for partition in 0..3 {
        assert_eq!(
            lines.next().unwrap(),
            format!(
                "\tTopic: orders\tPartition: {partition}\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: N/A\
                 \tLastKnownElr: N/A"
            )
        );
    }
    assert!(
        server.ok("topics --describe --topic a.b", b"").contains("\tConfigs: retention.ms=60000\n")
    );

    let said = server.fails("topics --create --topic orders");
    assert!(said.contains("`orders`") && said.contains("TOPIC_ALREADY_EXISTS (36)"), "{said}");
    assert_eq!(server.ok("topics --create --topic orders --if-not-exists", b""), "");
    server.ok("topics --delete --topic orders,a.b", b"");
    assert_eq!(server.ok("topics --list", b""), "\n");
    assert_eq!(
        server.fails("topics --delete --topic orders"),
        "mini-broker: topic `orders` does not exist\n"
    );
    server.ok("topics --delete --topic orders --if-exists", b"");
}

#[test]
fn topics_are_chosen_by_pattern_and_by_id() {
    let server = Server::start();
    for topic in ["orders", "orders-eu", "payments"] {
        server.ok(&format!("topics --create --topic {topic} --partitions 1"), b"");
    }
    assert_eq!(server.ok("topics --list --topic orders", b""), "orders\n");
    assert_eq!(server.ok("topics --list --topic orders.*", b""), "orders\norders-eu\n");
    assert_eq!(server.ok("topics --list --topic payments,orders", b""), "orders\npayments\n");
    assert_eq!(server.ok("topics --list --topic nope", b""), "\n");

    let shown = server.ok("topics --describe --topic payments", b"");
    let id = shown.split("TopicId: ").nth(1).unwrap().split('\t').next().unwrap();
    assert_eq!(server.ok(&format!("topics --describe --topic-id {id}"), b""), shown);
    assert_eq!(server.ok(&format!("topics --describe --topic orders --topic-id {id}"), b""), shown);
    // The id of zeros is none.
    let none = "AAAAAAAAAAAAAAAAAAAAAA";
    let all = server.ok("topics --describe", b"");
    assert_eq!(server.ok(&format!("topics --describe --topic-id {none}"), b""), all);
    // One id in 64 begins like a flag.
    for id in ["AAAAAAAAAAAAAAAAAAAAAQ", "-AAAAAAAAAAAAAAAAAAAAQ"] {
        assert_eq!(
            server.fails(&format!("topics --describe --topic-id {id}")),
            format!("mini-broker: no topic has the id `{id}`\n")
        );
    }
    server.ok("topics --describe --topic-id AAAAAAAAAAAAAAAAAAAAAQ --if-exists", b"");

    server.ok("topics --delete --topic orders.*", b"");
    assert_eq!(server.ok("topics --list", b""), "payments\n");
}

#[test]
fn only_some_are_shown() {
    let server = Server::start();
    server.ok("topics --create --topic plain --partitions 2", b"");
    server.ok("topics --create --topic set --partitions 1 --config retention.ms=1", b"");
    let overrides = server.ok("topics --describe --topics-with-overrides", b"");
    assert_eq!(overrides.lines().count(), 1);
    assert!(overrides.starts_with("Topic: set\t"), "{overrides}");
    // One broker, one replica: all is there, and no more than the least.
    assert_eq!(server.ok("topics --describe --under-replicated-partitions", b""), "");
    assert_eq!(server.ok("topics --describe --unavailable-partitions", b""), "");
    assert_eq!(server.ok("topics --describe --under-min-isr-partitions", b""), "");
    let at_least = server.ok("topics --describe --at-min-isr-partitions", b"");
    assert_eq!(at_least.lines().count(), 3);
    assert!(at_least.lines().all(|line| line.starts_with("\tTopic: ")), "{at_least}");
}

#[test]
fn topics_grow_and_are_placed_by_hand() {
    let server = Server::start();
    server.ok("topics --create --topic t --replica-assignment 1,1", b"");
    let partitions = || server.ok("topics --describe --topic t", b"").lines().count() - 1;
    assert_eq!(partitions(), 2);
    assert_eq!(server.ok("topics --alter --topic t --partitions 3", b""), "");
    assert_eq!(partitions(), 3);
    // The brokers of all four are named; those of the first three stay where they are.
    server.ok("topics --alter --topic t --partitions 4 --replica-assignment 1,1,1,1", b"");
    assert_eq!(partitions(), 4);

    for (line, code) in [
        ("topics --alter --topic t --partitions 4", "INVALID_PARTITIONS (37)"),
        ("topics --alter --topic t --partitions 2", "INVALID_PARTITIONS (37)"),
        (
            "topics --alter --topic t --partitions 6 --replica-assignment 1,1,1,1,1",
            "INVALID_REPLICA_ASSIGNMENT (39)",
        ),
        ("topics --create --topic u --replica-assignment 7", "INVALID_REPLICA_ASSIGNMENT (39)"),
        ("topics --alter --topic nope --partitions 2", "topic `nope` does not exist"),
    ] {
        let said = server.fails(line);
        assert!(said.contains(code), "{line}: {said}");
    }
    server.ok("topics --alter --topic nope --partitions 2 --if-exists", b"");
    assert_eq!(partitions(), 4);
}

#[test]
fn flags_that_do_not_go_together_are_refused() {
    let server = Server::start();
    for (line, sentence) in [
        ("topics --list --create --topic t", "cannot be used with"),
        ("topics --topic t", "<--create|--list|--describe|--alter|--delete>"),
        ("topics --create", "--topic <NAME>"),
        (
            "topics --list --partitions 2",
            "--partitions goes with --create, --alter, not with --list",
        ),
        ("topics --alter --topic t", "--alter needs --partitions"),
        ("topics --alter --topic t --partitions 2 --config a=b", "`mini-broker configs --alter`"),
        ("topics --alter --topic t --partitions 2 --replication-factor 1", "not with --alter"),
        ("topics --delete --topic t --exclude-internal", "not with --delete"),
        ("topics --delete --topic t --topic-id AAAAAAAAAAAAAAAAAAAAAQ", "goes with --describe"),
        ("topics --list --if-exists", "not with --list"),
        ("topics --describe --if-exists", "needs --topic or --topic-id"),
        ("topics --describe --topic t --if-not-exists", "goes with --create"),
        ("topics --list --unavailable-partitions", "goes with --describe"),
        (
            "topics --describe --topics-with-overrides --at-min-isr-partitions",
            "cannot be used with",
        ),
        (
            "topics --create --topic t --partitions 1 --replica-assignment 1",
            "the assignment says it",
        ),
    ] {
        server.refuses(line, sentence);
    }
}

#[test]
fn values_that_cannot_be_meant_are_named() {
    let server = Server::start();
    let number = "expected a number from 1 to 2147483647";
    for (line, sentence) in [
        ("topics --create --topic t --partitions 0", number),
        ("topics --create --topic t --partitions -1", number),
        ("topics --create --topic t --partitions 2000000000000", number),
        ("topics --create --topic t --partitions x", number),
        ("topics --create --topic t --replication-factor 0", "from 1 to 32767"),
        ("topics --create --topic t --replica-assignment 1,x", "`x` is no broker id"),
        ("topics --create --topic t --replica-assignment 1:2,1", "another number of replicas"),
        ("topics --create --topic t --replica-assignment 1:1", "names broker 1 twice"),
        ("topics --create --topic t --config retention.ms", "expected NAME=VALUE"),
        ("topics --create --topic t --config retention.ms=", "expected NAME=VALUE"),
        ("topics --describe --topic-id abc", "expected the 22 characters"),
        ("topics --describe --topic *", "--topic `*`: expected a name"),
        ("topics --describe --topic ", "--topic <NAME>"),
    ] {
        server.refuses(line, sentence);
    }
    // What only the broker can know.
    for (line, code) in [
        ("topics --create --topic t,u", "INVALID_TOPIC_EXCEPTION (17)"),
        ("topics --create --topic t --config colour=red", "INVALID_CONFIG (40)"),
        ("topics --create --topic t --config retention.ms=soon", "INVALID_CONFIG (40)"),
        ("topics --create --topic t --replication-factor 3", "INVALID_REPLICATION_FACTOR (38)"),
    ] {
        let said = server.fails(line);
        assert!(said.contains(code), "{line}: {said}");
    }
    assert_eq!(server.ok("topics --list", b""), "\n");
}
