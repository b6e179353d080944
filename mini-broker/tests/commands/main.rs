//! The commands at the prompt: the built program against a broker of the same build, each test
//! with its own. What real Kafka prints for the same files stands in `recorded/`.

mod cluster;
mod configs;
mod dump_log;
mod experiment;
mod groups;
mod http;
mod lag;
mod leader_dies;
mod offsets;
mod server;
mod topics;

use server::{Server, run, text};

const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

#[test]
fn what_is_produced_is_consumed_under_every_codec_and_acks() {
    let server = Server::start();
    // Seeded lines: headers, key and value; values of every size, some null.
    let mut random = fastrand::Rng::with_seed(21);
    let mut lines = Vec::new();
    for number in 0..1_000 {
        let letters = (0..random.usize(..200)).map(|_| random.char('a'..='f'));
        let value = match number % 50 {
            7 => "NULL".to_owned(),
            _ => format!("{number} {}", letters.collect::<String>()),
        };
        lines.push(format!("trace:{number},empty:\tkey-{}\t{value}\n", number % 20));
    }
    let input = lines.concat();
    for codec in CODECS {
        for acks in ["0", "1", "all"] {
            let topic = format!("{codec}-{acks}");
            server.ok(&format!("topics --create --topic {topic} --partitions 3"), b"");
            server.ok(
                &format!(
                    "produce --topic {topic} --compression-codec {codec} --request-required-acks \
                     {acks} --property parse.key=true --property parse.headers=true --property \
                     null.marker=NULL"
                ),
                input.as_bytes(),
            );
            let read = server.ok(
                &format!(
                    "consume --topic {topic} --from-beginning --max-messages 1000 --timeout-ms \
                     60000 --property print.key=true --property print.headers=true --property \
                     null.literal=NULL"
                ),
                b"",
            );
            // Order holds within a partition, and so for each key.
            for key in 0..20 {
                let of_key = |text: &str| {
                    let key = format!("\tkey-{key}\t");
                    text.lines().filter(|line| line.contains(&key)).map(str::to_owned).collect()
                };
                let (sent, came): (Vec<String>, Vec<String>) = (of_key(&input), of_key(&read));
                assert_eq!(sent, came, "{topic}, key {key}");
            }
        }
        let stored = server.file(&format!("{codec}-all-0/00000000000000000000.log"));
        let dumped = text(&run(&["dump-log", "--files", stored.to_str().unwrap()], b"").stdout);
        let batches: Vec<_> = dumped.lines().skip(2).collect();
        assert!(!batches.is_empty());
        for batch in batches {
            assert!(batch.contains(&format!("compresscodec: {codec} crc:")), "{batch}");
            assert!(batch.ends_with("isvalid: true"), "{batch}");
        }
    }
}

#[test]
fn a_reader_begins_where_it_is_told() {
    let server = Server::start();
    server.ok("topics --create --topic t --partitions 2", b"");
    let lines: String = (0..10).map(|number| format!("k:{number}\n")).collect();
    server.ok(
        "produce --topic t --sync --property parse.key=true --property key.separator=:",
        lines.as_bytes(),
    );
    // murmur2("k") sends all of them to one partition.
    let all = server.ok(
        "consume --topic t --from-beginning --max-messages 10 --property print.partition=true \
         --property print.offset=true",
        b"",
    );
    let partition = all.chars().nth("Partition:".len()).unwrap();
    let expected: String =
        (0..10).map(|n| format!("Partition:{partition}\tOffset:{n}\t{n}\n")).collect();
    assert_eq!(all, expected);
    let at = |offset: &str| {
        let consume = format!(
            "consume --topic t --partition {partition} --offset {offset} --max-messages 3 \
             --timeout-ms 300"
        );
        server.ok(&consume, b"")
    };
    assert_eq!(at("4"), "4\n5\n6\n");
    assert_eq!(at("earliest"), "0\n1\n2\n");
    assert_eq!(at("9"), "9\n");
    assert_eq!(at("10"), "");
    assert_eq!(at("latest"), "");
    let said = server.fails(&format!("consume --topic t --partition {partition} --offset 11"));
    assert!(said.contains("no offset 11: its log begins at 0 and ends before 10"), "{said}");
    let said = server.fails("consume --topic t --partition 2");
    assert!(said.contains("topic `t` has no partition 2: it has 2, counted from 0"), "{said}");
}

/// A broker sends bytes without looking at them, so the reader must.
#[test]
fn a_damaged_batch_is_not_handed_out_but_what_stands_before_it_is() {
    let server = Server::start();
    server.ok("topics --create --topic t --partitions 1", b"");
    server.ok("produce --topic t --sync", b"one\ntwo\nthree\n");
    let file = server.file("t-0/00000000000000000000.log");
    let mut bytes = std::fs::read(&file).unwrap();
    // The last byte counts headers; before it stands the last letter of `three`.
    let letter = bytes.len() - 2;
    bytes[letter] ^= 1;
    std::fs::write(&file, &bytes).unwrap();

    let consume = "consume --topic t --partition 0 --offset earliest --timeout-ms 300";
    let output = server.run(consume, b"");
    assert_eq!(text(&output.stdout), "one\ntwo\n");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("the batch at offset 2 of t-0 is damaged"), "{said}");
}

#[test]
fn perf_prints_kafkas_lines() {
    let server = Server::start();
    server.ok("topics --create --topic p --partitions 2", b"");
    let sent = server.ok(
        "perf produce --topic p --num-records 2000 --record-size 100 --throughput -1 \
         --producer-props acks=all linger.ms=1 batch.size=4096 compression.type=lz4",
        b"",
    );
    let total = sent.lines().last().unwrap();
    assert!(total.starts_with("2000 records sent, "), "{total}");
    for part in [
        " records/sec (",
        " MB/sec), ",
        " ms avg latency, ",
        " ms max latency, ",
        " ms 50th, ",
        " ms 95th, ",
        " ms 99th, ",
    ] {
        assert!(total.contains(part), "{total}");
    }
    assert!(total.ends_with(" ms 99.9th."), "{total}");

    let read = server.ok("perf consume --topic p --num-records 2000", b"");
    let mut lines = read.lines();
    let names: Vec<_> = lines.next().unwrap().split(", ").collect();
    let values: Vec<_> = lines.next().unwrap().split(", ").collect();
    assert_eq!((names.len(), names.len()), (10, values.len()), "{read}");
    assert_eq!((names[2], values[2]), ("data.consumed.in.MB", "0.1907"));
    assert_eq!((names[4], values[4]), ("data.consumed.in.nMsg", "2000"));

    let latency = server.ok("perf latency --topic p --num-records 20 --record-size 50", b"");
    assert!(
        latency.lines().any(|l| l.starts_with("Avg latency: ") && l.ends_with(" ms")),
        "{latency}"
    );
    assert!(latency.lines().last().unwrap().starts_with("Percentiles: 50th = "), "{latency}");
}

#[test]
fn what_cannot_be_done_is_said_in_a_sentence() {
    // A port that was free a moment ago: nothing listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = format!("127.0.0.1:{port}");
    for args in [
        &["topics", "--list", "--bootstrap-server", &nobody][..],
        &["produce", "--topic", "t", "--bootstrap-server", &nobody],
        &["consume", "--topic", "t", "--bootstrap-server", &nobody],
        &[
            "perf",
            "produce",
            "--topic",
            "t",
            "--num-records",
            "1",
            "--record-size",
            "1",
            "--bootstrap-server",
            &nobody,
        ],
        &["perf", "consume", "--topic", "t", "--num-records", "1", "--bootstrap-server", &nobody],
        &["perf", "latency", "--topic", "t", "--num-records", "1", "--bootstrap-server", &nobody],
        &["configs", "--describe", "--entity-type", "topics", "--bootstrap-server", &nobody],
        &["offsets", "--bootstrap-server", &nobody],
        &["consume", "--topic", "t", "--group", "g", "--bootstrap-server", &nobody],
        &["groups", "--list", "--bootstrap-server", &nobody],
        &["lag", "--bootstrap-server", &nobody],
        &[
            "delete-records",
            "--topic",
            "t",
            "--partition",
            "0",
            "--offset",
            "1",
            "--bootstrap-server",
            &nobody,
        ],
    ] {
        let output = run(args, b"");
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert_eq!(
            text(&output.stderr),
            format!(
                "mini-broker: cannot reach {nobody}: nothing listens there (connection refused)\n"
            )
        );
    }
    for (args, code, said) in [
        (
            &["topics", "--list", "--bootstrap-server", "here"][..],
            1,
            "`here` is not a list of servers",
        ),
        (
            &["consume", "--topic", "t", "--partition", "0", "--offset", "soon"],
            2,
            "expected earliest, latest, or an offset of 0 or more",
        ),
        (&["produce", "--topic", "t", "--compression-codec", "zip"], 2, "`zip` is no compression"),
        (
            &["produce", "--topic", "t", "--request-required-acks", "2"],
            2,
            "expected 0, 1, -1 or all",
        ),
        (
            &["produce", "--topic", "t", "--property", "parse.keys=true"],
            1,
            "property `parse.keys` is unknown",
        ),
        (
            &[
                "perf",
                "produce",
                "--topic",
                "t",
                "--num-records",
                "1",
                "--record-size",
                "1",
                "--producer-props",
                "acks=7",
            ],
            1,
            "acks=`7` is not possible",
        ),
        (
            &["dump-log", "--files", "nowhere/00000000000000000000.log"],
            1,
            "cannot read nowhere/00000000000000000000.log",
        ),
        (&["dump-log", "--files", "orders.log"], 1, "`orders` is no number"),
    ] {
        let output = run(args, b"");
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(said), "{args:?}: {}", text(&output.stderr));
    }
}

#[test]
fn a_line_without_its_key_is_named() {
    let server = Server::start();
    server.ok("topics --create --topic t --partitions 1", b"");
    let output = server.run("produce --topic t --property parse.key=true", b"k\tv\nno key here\n");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("line 2, `no key here`, has no key separator \"\\t\""), "{said}");
    // What came before is delivered.
    assert_eq!(server.ok("consume --topic t --from-beginning --max-messages 1", b""), "v\n");
}
