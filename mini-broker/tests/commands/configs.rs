//! `configs`: the lines of Kafka's tool, and changes that a topic or a broker keeps.

use crate::server::Server;

const TOPIC: &str = "configs --entity-type topics --entity-name t";

#[test]
fn the_settings_of_a_topic_are_told() {
    let server = Server::start();
    server.ok("topics --create --topic t --partitions 1 --config retention.ms=60000", b"");
    server.ok("topics --create --topic u --partitions 1", b"");
    let head = "Dynamic configs for topic t are:\n  retention.ms=60000 sensitive=false \
                synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=60000";
    let of_t = server.ok(&format!("{TOPIC} --describe"), b"");
    assert!(of_t.starts_with(head), "{of_t}");
    assert_eq!(of_t.lines().count(), 2);
    let all = server.ok("configs --describe --entity-type topics", b"");
    assert_eq!(all, format!("{of_t}Dynamic configs for topic u are:\n"));

    let all = server.ok(&format!("{TOPIC} --describe --all"), b"");
    let names: Vec<_> = all.lines().skip(1).map(|line| line.split('=').next().unwrap()).collect();
    assert!(all.starts_with("All configs for topic t are:\n"), "{all}");
    assert!(names.is_sorted() && names.contains(&"  segment.bytes"), "{all}");

    assert_eq!(
        server.ok("configs --describe --entity-type topics --entity-name nope", b""),
        "The topic 'nope' doesn't exist and doesn't have dynamic config.\n"
    );
    assert_eq!(
        server.ok("configs --describe --entity-type brokers --entity-name 7", b""),
        "The broker '7' doesn't exist and doesn't have dynamic config.\n"
    );
    assert_eq!(
        server.ok("configs --describe --entity-type brokers --entity-name 1", b""),
        "Dynamic configs for broker 1 are:\n"
    );
    let said = server.fails("configs --describe --entity-type topics --entity-name nope --all");
    assert!(said.contains("topic `nope`: UNKNOWN_TOPIC_OR_PARTITION (3)"), "{said}");
    let said = server.fails("configs --describe --entity-type topics --entity-name no/slash");
    assert!(said.contains("INVALID_TOPIC_EXCEPTION (17)"), "{said}");
}

#[test]
fn the_settings_of_a_topic_are_changed() {
    let server = Server::start();
    server.ok("topics --create --topic t --partitions 1", b"");
    let done = "Completed updating config for topic t.\n";
    let add = "--add-config cleanup.policy=[compact,delete],retention.ms=70000";
    assert_eq!(server.ok(&format!("{TOPIC} --alter {add}"), b""), done);
    let shown = server.ok(&format!("{TOPIC} --describe"), b"");
    let lines: Vec<_> = shown.lines().collect();
    assert!(lines[1].starts_with("  cleanup.policy=compact,delete sensitive=false"), "{shown}");
    assert!(lines[2].starts_with("  retention.ms=70000 sensitive=false"), "{shown}");
    // In the order of Kafka's tool, which is no order of names.
    let described = server.ok("topics --describe --topic t", b"");
    assert!(
        described.contains("\tConfigs: cleanup.policy=compact,delete,retention.ms=70000\n"),
        "{described}"
    );

    let both = "--add-config segment.ms=80000 --delete-config cleanup.policy,retention.ms";
    assert_eq!(server.ok(&format!("{TOPIC} --alter {both}"), b""), done);
    let shown = server.ok(&format!("{TOPIC} --describe"), b"");
    assert_eq!(shown.lines().count(), 2);
    assert!(shown.contains("  segment.ms=80000 "), "{shown}");

    assert_eq!(
        server.fails(&format!("{TOPIC} --alter --delete-config segment.ms,retention.ms")),
        "mini-broker: `retention.ms` cannot be deleted: it is not set for topic `t`. --describe \
         prints what is\n"
    );
    for (change, code) in [
        ("colour=red", "INVALID_CONFIG (40)"),
        ("retention.ms=soon", "INVALID_CONFIG (40)"),
        ("retention.ms=", "INVALID_CONFIG (40)"),
        // One bad setting keeps the good one from being set.
        ("retention.ms=1,segment.bytes=-7", "INVALID_CONFIG (40)"),
    ] {
        let said = server.fails(&format!("{TOPIC} --alter --add-config {change}"));
        assert!(said.contains(code) && said.contains("topic `t`"), "{change}: {said}");
    }
    assert_eq!(server.ok(&format!("{TOPIC} --describe"), b""), shown);
    let nope =
        "configs --entity-type topics --entity-name nope --alter --add-config retention.ms=1";
    let said = server.fails(nope);
    assert!(said.contains("topic `nope`: UNKNOWN_TOPIC_OR_PARTITION (3)"), "{said}");
}

#[test]
fn the_settings_of_brokers_are_changed() {
    let server = Server::start();
    server.ok("topics --create --topic t --partitions 1", b"");
    let one = "configs --entity-type brokers --entity-name 1";
    let every = "configs --entity-type brokers --entity-default";
    assert_eq!(
        server.ok(&format!("{every} --alter --add-config log.retention.ms=200000"), b""),
        "Completed updating default config for brokers in the cluster.\n"
    );
    assert_eq!(
        server.ok(&format!("{one} --alter --add-config log.retention.ms=100000"), b""),
        "Completed updating config for broker 1.\n"
    );
    let shown = server.ok("configs --describe --entity-type brokers", b"");
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[0], "Dynamic configs for broker 1 are:");
    assert!(
        lines[1].starts_with(
            "  log.retention.ms=100000 sensitive=false \
             synonyms={DYNAMIC_BROKER_CONFIG:log.retention.ms=100000, \
             DYNAMIC_DEFAULT_BROKER_CONFIG:log.retention.ms=200000"
        ),
        "{shown}"
    );
    assert_eq!(lines[2], "Default configs for brokers in the cluster are:");
    assert!(lines[3].starts_with("  log.retention.ms=200000 sensitive=false"), "{shown}");
    // A topic without a setting of its own has its broker's.
    let topic = server.ok(&format!("{TOPIC} --describe --all"), b"");
    assert!(topic.contains("\n  retention.ms=100000 sensitive=false "), "{topic}");

    server.ok(&format!("{one} --alter --delete-config log.retention.ms"), b"");
    server.ok(&format!("{every} --alter --delete-config log.retention.ms"), b"");
    assert_eq!(
        server.ok("configs --describe --entity-type brokers", b""),
        "Dynamic configs for broker 1 are:\nDefault configs for brokers in the cluster are:\n"
    );
    let said = server.fails(&format!("{one} --alter --add-config log.dirs=/elsewhere"));
    assert!(said.contains("broker 1: INVALID_REQUEST (42)"), "{said}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let server = Server::start();
    for (line, sentence) in [
        ("configs --entity-type topics", "<--describe|--alter>"),
        ("configs --describe --alter --entity-type topics", "cannot be used with"),
        ("configs --describe", "--entity-type <TYPE>"),
        ("configs --describe --entity-type users", "[possible values: topics, brokers]"),
        ("configs --describe --entity-type topics --entity-default", "--entity-type brokers"),
        ("configs --describe --entity-type brokers --entity-name x", "`x`: expected a broker's id"),
        ("configs --describe --entity-type topics --add-config a=b", "cannot be used with"),
        ("configs --alter --entity-type topics --add-config a=b", "--alter needs --entity-name"),
        ("configs --alter --entity-type brokers --add-config a=b", "or --entity-default"),
        ("configs --alter --entity-type topics --entity-name t", "needs --add-config or"),
        (
            "configs --alter --entity-type topics --entity-name t --add-config a",
            "`a`: expected NAME=VALUE",
        ),
        (
            "configs --alter --entity-type topics --entity-name t --add-config a=1 --delete-config a",
            "`a` stands in --add-config and in --delete-config",
        ),
    ] {
        server.refuses(line, sentence);
    }
}
