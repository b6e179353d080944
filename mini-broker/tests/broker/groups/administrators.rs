//! What administrators see and do.

use wire::group_admin::DeleteGroupsRequest;

use super::*;

fn delete(broker: &mut ByHand, groups: &[&str]) -> Vec<&'static str> {
    let groups_names = groups.iter().map(|group| group.to_string()).collect();
    let told = broker.ask(2, DeleteGroupsRequest { groups_names });
    told.results.iter().map(|result| result.error_code.name()).collect()
}

#[test]
fn groups_are_listed_by_state_and_type() {
    let mut broker = broker(&[]);
    two_members(&mut broker, "billing");
    committed(&mut broker, commit("import", &[("orders", 0, 1)]));
    let mut listed = |states: &[&str], types: &[&str]| {
        let owned = |words: &[&str]| words.iter().map(|word| word.to_string()).collect();
        let request =
            ListGroupsRequest { states_filter: owned(states), types_filter: owned(types) };
        let mut names: Vec<_> =
            broker.ask(5, request).groups.into_iter().map(|it| it.group_id).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(listed(&[], &[]), ["billing", "import"]);
    assert_eq!(listed(&["stable"], &[]), ["billing"]);
    assert_eq!(listed(&["Empty", "Dead"], &["classic"]), ["import"]);
    assert!(listed(&[], &["consumer"]).is_empty());
    let told = list(&mut broker);
    assert!(told.iter().all(|group| group.group_type == "classic"));
}

#[test]
fn a_group_that_nobody_knows_is_dead_and_no_error() {
    let mut broker = broker(&[]);
    let told = describe(&mut broker, "nobody's");
    assert_eq!((told.error_code, told.group_state.as_str()), (ErrorCode::NONE, "Dead"));
    assert!(list(&mut broker).is_empty());
}

#[test]
fn only_a_group_without_members_is_deleted_and_then_it_is_gone() {
    let mut broker = broker(&[]);
    let (leader, other, generation) = two_members(&mut broker, "billing");
    let all = [("orders", 0, 1), ("orders", 1, 2)];
    committed(&mut broker, commit_as("billing", generation, &leader, &all));
    committed(&mut broker, commit("import", &all));
    let told = delete(&mut broker, &["billing", "import", "nobody's"]);
    assert_eq!(told, ["NON_EMPTY_GROUP", "NONE", "GROUP_ID_NOT_FOUND"]);
    leave(&mut broker, "billing", &leader);
    leave(&mut broker, "billing", &other);
    assert_eq!(delete(&mut broker, &["billing"]), ["NONE"]);

    assert_eq!(offsets(&mut broker, "billing"), Ok(vec![]));
    assert!(list(&mut broker).is_empty());
    let mut again = started(broker.files.copy(), &[]);
    assert!(list(&mut again).is_empty(), "nor is it back after a kill");
    assert_eq!(delete(&mut again, &["billing"]), ["GROUP_ID_NOT_FOUND"]);
}
