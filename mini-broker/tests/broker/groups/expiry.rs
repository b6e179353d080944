//! Offsets go when nobody has needed them for long enough.

use super::*;

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
/// What the broker looks at offsets for, every ten minutes.
const LOOK_MS: u64 = 10 * MINUTE_MS;

/// One member that may be silent for half an hour.
fn patient_member(broker: &mut ByHand) -> String {
    let id = new_id(broker, "billing");
    let patient = JoinGroupRequest { session_timeout_ms: 1_800_000, ..join("billing", &id) };
    assert_eq!(broker.ask(7, patient).generation_id, 1);
    part(broker, sync("billing", 1, &id, &[(&id, "a")]));
    id
}

#[test]
fn a_week_after_the_last_member_has_left_the_group_is_gone() {
    let mut broker = broker(&[]);
    let id = patient_member(&mut broker);
    committed(&mut broker, commit_as("billing", 1, &id, &[("orders", 0, 5)]));
    for _ in 0..9 * 24 * 6 {
        broker.pass(10 * MINUTE_MS);
        assert_eq!(heartbeat(&mut broker, "billing", 1, &id), "NONE");
    }
    assert_eq!(offset(&mut broker, "billing", "orders", 0), 5, "while there are members");
    leave(&mut broker, "billing", &id);

    broker.pass(7 * DAY_MS - LOOK_MS);
    assert_eq!(offset(&mut broker, "billing", "orders", 0), 5);
    broker.pass(2 * LOOK_MS);

    assert_eq!(offset(&mut broker, "billing", "orders", 0), -1);
    assert!(list(&mut broker).is_empty());
    let mut again = started(broker.files.copy(), &[]);
    assert!(list(&mut again).is_empty());
}

#[test]
fn without_members_each_offset_goes_a_week_after_its_last_commit() {
    let mut broker = broker(&[("offsets.retention.minutes", "60")]);
    committed(&mut broker, commit("import", &[("orders", 0, 1), ("orders", 1, 1)]));
    broker.pass(40 * MINUTE_MS);
    committed(&mut broker, commit("import", &[("orders", 1, 2)]));
    broker.pass(30 * MINUTE_MS);
    assert_eq!(offsets(&mut broker, "import").unwrap(), [("orders".into(), 1, 2)]);
    broker.pass(40 * MINUTE_MS);
    assert!(list(&mut broker).is_empty());
}

#[test]
fn a_start_in_between_does_not_make_them_young() {
    let settings = [("offsets.retention.minutes", "60")];
    let mut broker = broker(&settings);
    let (leader, other, generation) = two_members(&mut broker, "billing");
    committed(&mut broker, commit_as("billing", generation, &leader, &[("orders", 0, 5)]));
    leave(&mut broker, "billing", &leader);
    leave(&mut broker, "billing", &other);
    let mut again = started(broker.files.copy(), &settings);
    again.now.wall_ms += 61 * MINUTE_MS; // its own clock is new

    again.pass(LOOK_MS);

    assert!(list(&mut again).is_empty());
}

#[test]
fn old_clients_say_how_long_an_offset_is_kept() {
    let mut broker = broker(&[]);
    let mut request = commit("import", &[("orders", 0, 1)]);
    request.retention_time_ms = 15 * MINUTE_MS as i64;
    let told = broker.ask(4, request);
    assert_eq!(errors(told), ["NONE"]);
    broker.pass(14 * MINUTE_MS);
    assert_eq!(offset(&mut broker, "import", "orders", 0), 1);
    let mut again = started(broker.files.copy(), &[]);
    broker.pass(10 * MINUTE_MS);
    assert_eq!(offset(&mut broker, "import", "orders", 0), -1);
    again.now.wall_ms += 30 * MINUTE_MS;
    again.pass(LOOK_MS);
    assert_eq!(offset(&mut again, "import", "orders", 0), -1, "its record says so, too");
}

#[test]
fn what_a_group_does_not_read_any_more_goes_while_it_reads_on() {
    let mut broker = broker(&[("offsets.retention.minutes", "60")]);
    broker.topic("clicks");
    let id = patient_member(&mut broker);
    let all = [("orders", 0, 1), ("clicks", 0, 1)];
    committed(&mut broker, commit_as("billing", 1, &id, &all));
    for _ in 0..8 {
        broker.pass(10 * MINUTE_MS);
        assert_eq!(heartbeat(&mut broker, "billing", 1, &id), "NONE");
    }
    assert_eq!(offsets(&mut broker, "billing").unwrap(), [("orders".into(), 0, 1)]);
}
