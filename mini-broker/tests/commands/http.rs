//! `serve --http`: the dashboard's pages and actions, `/metrics`, Burrow's answers, and who is turned away.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::server::{Server, run, text};

/// What came back over HTTP.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// One request, with these lines after Host and these bytes of a body.
fn ask(at: &str, method: &str, path: &str, lines: &[&str], body: &str) -> Answer {
    let host = format!("Host: {at}");
    let lines: Vec<&str> = match lines.iter().any(|line| line.starts_with("Host:")) {
        true => lines.to_vec(),
        false => [&[host.as_str()], lines].concat(),
    };
    let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    for line in lines {
        request.push_str(&format!("{line}\r\n"));
    }
    if !body.is_empty() {
        let kind = "Content-Type: application/x-www-form-urlencoded";
        request.push_str(&format!("{kind}\r\nContent-Length: {}\r\n", body.len()));
    }
    request.push_str(&format!("\r\n{body}"));
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

fn get(server: &Server, path: &str) -> Answer {
    ask(server.http(), "GET", path, &[], "")
}

fn page(server: &Server, path: &str) -> String {
    let answer = get(server, path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

fn json(server: &Server, path: &str) -> Value {
    serde_json::from_str(&page(server, path)).unwrap()
}

/// Until what is looked at once a second is as it should be.
#[allow(clippy::disallowed_methods, reason = "a real process, in real time")]
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = look() {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("not in 30 seconds: {what}");
}

/// The key that stands in the forms.
fn form_key(server: &Server) -> String {
    let page = page(server, "/topic");
    let (_, rest) = page.split_once("name=\"form_key\" value=\"").unwrap();
    rest[..32].to_owned()
}

/// Ten messages of which group `g` has read four.
fn with_a_group() -> Server {
    let server = Server::with_http(&["group.initial.rebalance.delay.ms=0"], &[]);
    server.ok("topics --create --topic t --partitions 1", b"");
    let lines: String = (0..10).map(|number| format!("{number}\n")).collect();
    server.ok("produce --topic t", lines.as_bytes());
    server.ok("consume --topic t --group g --from-beginning --max-messages 4", b"");
    server
}

#[test]
fn burrows_answers_have_its_fields() {
    let server = with_a_group();
    let path = "/v3/kafka/local/consumer/g/lag";
    let told = eventually("group g is known", || {
        let answer = get(&server, path);
        (answer.status == 200).then(|| serde_json::from_str::<Value>(&answer.body).unwrap())
    });
    let status = &told["status"];
    assert_eq!((&status["cluster"], &status["group"]), (&"local".into(), &"g".into()));
    assert_eq!((&status["totallag"], &status["partition_count"]), (&6.into(), &1.into()));
    let partition = &status["partitions"][0];
    assert_eq!(partition, &status["maxlag"]);
    assert_eq!(partition["end"]["offset"], 4);
    assert_eq!(partition["current_lag"], 6);
    assert_eq!(partition["complete"], 0.1);
    // In the order in which Burrow writes them.
    let text = page(&server, path);
    let mut at = 0;
    for field in [
        "error",
        "message",
        "status",
        "cluster",
        "group",
        "status",
        "complete",
        "partitions",
        "topic",
        "partition",
        "owner",
        "client_id",
        "status",
        "start",
        "offset",
        "timestamp",
        "lag",
        "end",
        "current_lag",
        "complete",
        "partition_count",
        "maxlag",
        "totallag",
        "request",
        "url",
        "host",
    ] {
        let field = format!("\"{field}\":");
        at += text[at..].find(&field).unwrap_or_else(|| panic!("{field} after {at} in {text}"));
    }
    let detail = json(&server, "/v3/kafka/local/consumer/g");
    let stored = &detail["topics"]["t"][0];
    assert_eq!(stored["current-lag"], 6);
    assert_eq!(stored["offsets"].as_array().unwrap().len(), 10);
    assert_eq!(stored["offsets"][9]["offset"], 4);
    assert_eq!(json(&server, "/v3/kafka")["clusters"], serde_json::json!(["local"]));
    assert_eq!(json(&server, "/v3/kafka/local/topic/t")["offsets"], serde_json::json!([10]));
    assert_eq!(json(&server, "/v3/kafka/local/topic/t/consumers")["consumers"][0], "g");
    assert_eq!(page(&server, "/burrow/admin"), "GOOD");

    let answer = get(&server, "/v3/kafka/local/consumer/nobody/status");
    let told: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, &told["error"]), (404, &false.into()));
    assert_eq!(told["status"]["status"], "NOTFOUND");
    for (path, message) in [
        ("/v3/kafka/elsewhere", "cluster module not found"),
        ("/v3/kafka/elsewhere/topic", "cluster not found"),
        ("/v3/kafka/local/topic/nothing", "cluster or topic not found"),
        ("/v3/kafka/local/consumer/nobody", "cluster or consumer not found"),
        ("/v3/nothing", "invalid request type"),
    ] {
        let answer = get(&server, path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(
            answer.body.contains(&format!("\"error\":true,\"message\":\"{message}\"")),
            "{}",
            answer.body
        );
    }

    // Forgotten here, and nowhere else.
    let forgotten = ask(server.http(), "DELETE", "/v3/kafka/local/consumer/g", &[], "");
    assert!(forgotten.body.contains("consumer group removed"), "{}", forgotten.body);
    assert_eq!(get(&server, path).status, 404);
    assert!(server.ok("groups --describe --group g", b"").contains(" 6 "));
}

/// Counters by name and labels.
fn number(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {metrics}")).parse().unwrap()
}

#[test]
fn metrics_count_what_was_done() {
    let server = with_a_group();
    let metrics = eventually("the lag is known", || {
        let metrics = page(&server, "/metrics");
        metrics.contains("kafka_consumergroup_lag{").then_some(metrics)
    });
    let of_t = "{topic=\"t\"}";
    assert_eq!(
        number(&metrics, &format!("kafka_server_brokertopicmetrics_messagesin_total{of_t}")),
        10.0
    );
    let read = number(&metrics, &format!("kafka_server_brokertopicmetrics_bytesout_total{of_t}"));
    let written = number(&metrics, &format!("kafka_server_brokertopicmetrics_bytesin_total{of_t}"));
    assert!(read >= written && written > 0.0, "{read} {written}");
    let group = "{consumergroup=\"g\",topic=\"t\",partition=\"0\"}";
    assert_eq!(number(&metrics, &format!("kafka_consumergroup_lag{group}")), 6.0);
    assert_eq!(number(&metrics, &format!("kafka_consumergroup_current_offset{group}")), 4.0);
    assert_eq!(number(&metrics, "kafka_log_log_logendoffset{topic=\"t\",partition=\"0\"}"), 10.0);
    assert_eq!(number(&metrics, "kafka_controller_kafkacontroller_activecontrollercount"), 1.0);
    assert_eq!(number(&metrics, "kafka_controller_kafkacontroller_globaltopiccount"), 2.0);
    assert_eq!(number(&metrics, "kafka_server_replicamanager_underreplicatedpartitions"), 0.0);
    assert_eq!(
        number(&metrics, "kafka_coordinator_group_groupmetadatamanager_numgroupsempty"),
        1.0
    );
    for quantile in ["0.50", "0.75", "0.95", "0.98", "0.99", "0.999"] {
        let labels = format!("{{request=\"Produce\",quantile=\"{quantile}\"}}");
        number(&metrics, &format!("kafka_network_requestmetrics_totaltimems{labels}"));
    }
    let answered = "kafka_network_requestmetrics_totaltimems_count{request=\"Produce\"}";
    assert!(number(&metrics, answered) >= 1.0);
    assert!(
        metrics.contains(
            "kafka_network_requestmetrics_requests_total{request=\"JoinGroup\",version=\""
        )
    );
    assert!(
        metrics.contains(
            "kafka_network_requestmetrics_errors_total{request=\"Produce\",error=\"NONE\"}"
        )
    );

    // What is counted of all topics does not go back when one of them is deleted.
    let all = "kafka_server_brokertopicmetrics_messagesin_total";
    let before = number(&metrics, all);
    server.ok("topics --delete --topic t", b"");
    let after = eventually("the topic is gone", || {
        let metrics = page(&server, "/metrics");
        (!metrics.contains("kafka_topic_partitions{topic=\"t\"}")).then_some(metrics)
    });
    assert!(!after.contains(&format!("{all}{of_t}")), "{after}");
    assert!(number(&after, all) >= before);
}

#[test]
fn every_page_is_there_and_markup_is_text() {
    let server = with_a_group();
    let markup = "<script>alert(1)</script>";
    server.ok("produce --topic t", format!("{markup}\n").as_bytes());
    let group = "<b>g\"'&";
    server.ok(&format!("consume --topic t --group {group} --from-beginning --max-messages 1"), b"");
    eventually("both groups are known", || {
        page(&server, "/group").contains("&#60;b&#62;g").then_some(())
    });
    for path in [
        "/",
        "/topic",
        "/topic?filter=%3Cscript%3E",
        "/topic/t",
        "/group",
        "/group/g",
        "/group/%3Cb%3Eg%22%27%26",
        "/files/1",
        "/files/1/t-0",
        "/files/1/meta.properties",
        "/files/1/t-0/00000000000000000000.log",
        "/files/1/t-0/00000000000000000000.log?at=0",
        "/files/1/t-0/00000000000000000000.index",
        "/topic/__consumer_offsets?from=oldest",
    ] {
        let page = page(&server, path);
        assert!(!page.contains("<script>"), "{path}: {page}");
        assert!(!page.contains("<b>"), "{path}: {page}");
        assert!(page.ends_with("</html>"), "{path}: {page}");
    }
    assert!(page(&server, "/topic/t").contains("&#60;script&#62;alert(1)"));
    let byte_page = get(&server, "/files/1/t-0?offset=10");
    assert_eq!(byte_page.status, 303);
    let (_, place) = byte_page.head.split_once("location: ").unwrap();
    let bytes = page(&server, place.lines().next().unwrap().split('#').next().unwrap());
    assert!(bytes.contains("base offset") && bytes.contains("number of headers"), "{bytes}");
    for (path, says) in [
        ("/topic/nothing", "There is no topic"),
        ("/group/nothing", "There is no group"),
        ("/files/2", "does not run in this process"),
        ("/files/1/..", "There is no &#34;..&#34;"),
        ("/files/1/..%2F..%2Fetc", "There is no"),
        ("/files/1/t-0/..%2Fmeta.properties", "There is no"),
        ("/files/1/t-0?offset=999", "Offset 999 is not in"),
        ("/topic/t?from=offset&at=x", "expected a number"),
        ("/topic/t?from=time&at=yesterday", "expected YYYY-MM-DDThh:mm:ss.sss"),
        ("/topic/t?partition=7", "has no partition"),
        ("/topic/t?count=0", "expected a number from 1"),
        ("/nothing", "There is no page /nothing."),
    ] {
        let answer = get(&server, path);
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        assert!(answer.body.contains(says), "{path}: {}", answer.body);
    }
}

#[test]
fn what_is_done_in_the_browser_is_said_first_and_done_once_confirmed() {
    let server = with_a_group();
    let key = form_key(&server);
    let post = |path: &str, fields: &str| {
        let body = format!("form_key={key}&{fields}");
        ask(server.http(), "POST", path, &[], &body)
    };
    let new = "name=made&partitions=3&replication_factor=1&configs=retention.ms%3D60000";
    let said = post("/topic", new);
    assert_eq!(said.status, 200, "{}", said.body);
    for part in
        ["CreateTopics, key 19", "--topic made --partitions 3", "--config retention.ms=60000"]
    {
        assert!(said.body.contains(part), "{part}: {}", said.body);
    }
    assert!(!server.ok("topics --list", b"").contains("made"));
    assert_eq!(post("/topic", &format!("{new}&confirmed=yes")).status, 303);
    assert!(server.ok("topics --describe --topic made", b"").contains("PartitionCount: 3"));
    let again = post("/topic", &format!("{new}&confirmed=yes"));
    assert_eq!(again.status, 409, "{}", again.body);
    assert!(again.body.contains("already exists"), "{}", again.body);

    let message = "key=k&value=a+%3Cb%3E&headers=one%3D1%0D%0Atwo&partition=2";
    let said = post("/topic/made", message);
    assert!(said.body.contains("Produce, key 0"), "{}", said.body);
    let done = post("/topic/made", &format!("{message}&confirmed=yes"));
    assert_eq!(done.status, 303, "{}", done.body);
    assert!(done.head.contains("from=offset&at=0&partition=2"), "{}", done.head);
    let read = "consume --topic made --partition 2 --offset 0 --max-messages 1 \
                --property print.key=true --property print.headers=true";
    assert_eq!(server.ok(read, b""), "one:1,two:null\tk\ta <b>\n");

    let reset = "topic=t&to=earliest";
    let said = post("/group/g", reset);
    assert!(said.body.contains("OffsetCommit, key 8"), "{}", said.body);
    assert!(
        said.body.contains("--reset-offsets --topic t --to-earliest --execute"),
        "{}",
        said.body
    );
    assert!(server.ok("groups --describe --group g", b"").contains(" 6 "));
    assert_eq!(post("/group/g", &format!("{reset}&confirmed=yes")).status, 303);
    eventually("nothing is read any more", || {
        server.ok("groups --describe --group g", b"").contains(" 0               10 ").then_some(())
    });

    for (path, fields, says) in [
        ("/topic", "name=&partitions=&replication_factor=", "the topic has no name"),
        ("/topic", "name=x&partitions=0&replication_factor=", "expected a number from 1 to 10000"),
        ("/topic", "name=x&partitions=&replication_factor=&configs=nothing", "expected NAME=VALUE"),
        ("/topic/t", "partition=9", "expected a number from 0 to 0"),
        ("/topic/nothing", "value=x", "There is no topic"),
        ("/group/g", "to=nowhere", "expected earliest, latest"),
        ("/group/g", "to=offset&at=x", "invalid value"),
        ("/group/g", "to=time&at=x", "invalid value"),
    ] {
        let answer = post(path, fields);
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        assert!(answer.body.contains(says), "{path} {fields}: {}", answer.body);
    }
}

#[test]
fn strangers_are_turned_away() {
    let server = with_a_group();
    let at = server.http();
    let key = form_key(&server);
    let own = format!("Origin: http://{at}");
    let new = format!("form_key={key}&confirmed=yes&name=evil&partitions=1&replication_factor=1");
    let evil_host = ["Host: evil.example"];
    assert_eq!(ask(at, "GET", "/", &evil_host, "").status, 403);
    assert_eq!(ask(at, "GET", "/v3/kafka", &evil_host, "").status, 403);
    assert_eq!(ask(at, "GET", "/metrics", &evil_host, "").status, 403);
    for lines in [
        &["Origin: http://evil.example"][..],
        &["Origin: null"],
        &["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"],
    ] {
        assert_eq!(ask(at, "POST", "/topic", lines, &new).status, 403, "{lines:?}");
    }
    for lines in [
        &["Origin: http://evil.example"][..],
        &["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"],
    ] {
        assert_eq!(ask(at, "GET", "/?live=1", lines, "").status, 403, "{lines:?}");
        assert_eq!(
            ask(at, "DELETE", "/v3/kafka/local/consumer/g", lines, "").status,
            403,
            "{lines:?}"
        );
    }
    let wrong_key = new.replace(&key, "0123456789abcdef0123456789abcdef");
    let no_key = new.replace(&format!("form_key={key}&"), "");
    for body in [wrong_key, no_key] {
        let answer = ask(at, "POST", "/topic", &[&own], &body);
        assert_eq!(answer.status, 403, "{}", answer.body);
        assert!(answer.body.contains("not from a page of this server"), "{}", answer.body);
    }
    assert!(!server.ok("topics --list", b"").contains("evil"));
    assert_eq!(ask(at, "POST", "/topic", &[&own], &new).status, 303);

    let head = get(&server, "/").head;
    for header in [
        "content-security-policy: default-src 'none'",
        "x-content-type-options: nosniff",
        "x-frame-options: DENY",
        "cache-control: no-store",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
}

#[test]
fn with_a_token_nothing_is_shown_without_it() {
    let token = "0123456789abcdef";
    let server = Server::with_http(&[], &["--http-token", token]);
    let at = server.http();
    assert_eq!(get(&server, "/").status, 401);
    assert_eq!(get(&server, "/metrics").status, 401);
    assert_eq!(get(&server, "/?token=0123456789abcdee").status, 401);
    let bearer = format!("Authorization: Bearer {token}");
    assert_eq!(ask(at, "GET", "/burrow/admin", &[&bearer], "").status, 200);
    let answer = get(&server, &format!("/group?token={token}"));
    assert_eq!(answer.status, 303);
    assert!(answer.head.contains("location: /group\r\n"), "{}", answer.head);
    let (_, cookie) = answer.head.split_once("set-cookie: ").unwrap();
    let cookie = format!("Cookie: {}", cookie.split(';').next().unwrap());
    eventually("the group page is there", || {
        (ask(at, "GET", "/group", &[&cookie], "").status == 200).then_some(())
    });
}

#[test]
fn other_machines_need_a_flag_and_a_token() {
    let data = tempfile::TempDir::new().unwrap();
    let data = data.path().to_str().unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", data, "--http"];
    for (flags, code, says) in [
        (&["0.0.0.0:0"][..], 1, "can be reached from other machines"),
        (
            &["0.0.0.0:0", "--http-token", "0123456789abcdef"],
            1,
            "can be reached from other machines",
        ),
        (&["0.0.0.0:0", "--http-beyond-loopback"], 2, "--http-token"),
        (&["127.0.0.1:0", "--http-token", "short"], 1, "expected at least 16 letters"),
        (&["127.0.0.1"], 1, "expected HOST:PORT"),
    ] {
        let output = run(&[&serve[..], flags].concat(), b"");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {said}");
        assert!(said.contains(says), "{flags:?}: {said}");
    }
}

#[test]
fn to_look_makes_nothing() {
    let server = Server::with_http(&[], &[]);
    eventually("the pages are there", || (get(&server, "/group").status == 200).then_some(()));
    assert_eq!(get(&server, "/group/nobody").status, 404);
    assert_eq!(get(&server, "/topic/nothing").status, 404);
    assert_eq!(get(&server, "/v3/kafka/local/consumer/nobody/lag").status, 404);
    assert_eq!(server.ok("topics --list", b""), "\n");
}

/// The first two versions of a live part: the second one comes because something has changed.
#[test]
fn what_changes_arrives() {
    let server = with_a_group();
    eventually("the topic is known", || {
        page(&server, "/topic").contains("/topic/t\"").then_some(())
    });
    let mut stream = TcpStream::connect(server.http()).unwrap();
    let request = format!("GET /topic?live=1 HTTP/1.1\r\nHost: {}\r\n\r\n", server.http());
    stream.write_all(request.as_bytes()).unwrap();
    let mut seen = String::new();
    let mut until = |what: &str| {
        let mut bytes = [0; 4096];
        while !seen.contains(what) {
            let read = stream.read(&mut bytes).unwrap();
            assert!(read > 0, "{seen}");
            seen.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
    };
    until("/topic/t\"");
    server.ok("topics --create --topic another --partitions 1", b"");
    until("/topic/another\"");
}

/// A program that scrapes far too often gets an answer each time, and the broker goes on.
#[test]
fn a_scrape_every_few_milliseconds_is_answered() {
    let server = with_a_group();
    for _ in 0..200 {
        assert_eq!(get(&server, "/metrics").status, 200);
    }
    assert!(server.ok("topics --list", b"").contains('t'));
}
