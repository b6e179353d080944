//! Groups as administrators see them: described, listed, deleted.

use std::sync::Arc;

use bytes::BytesMut;
use wire::ErrorCode;
use wire::group_admin::{
    DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest,
    DescribeGroupsResponse, DescribedGroup, DescribedGroupMember, ListGroupsRequest,
    ListGroupsResponse, ListedGroup,
};
use wire::offsets_topic::{GroupMetadataKey, GroupRecord};

use super::groups::{GroupId, Known, Shard};
use super::offsets_topic::{For, forgotten, told_by_log};
use super::{Broker, Now, Output, Refused, Ticket};
use crate::labs::consumer_groups::{Group, Member, State};

/// Groups whose members join and sync; there are no others here.
const CLASSIC: &str = "classic";

/// An answer to DeleteGroups that waits until all of it is done.
pub struct Deleting {
    response: DeleteGroupsResponse,
    open: usize,
}

impl Broker {
    pub(super) fn describe_groups(
        &mut self,
        request: DescribeGroupsRequest,
    ) -> DescribeGroupsResponse {
        let groups = request.groups.into_iter().map(|group_id| {
            let known = self.coordinates(&group_id).map(|id| self.groups.known(&id));
            match known.map(|known| known.map(|known| known.get(|group| described(group)))) {
                Ok(Some(Some(described))) => DescribedGroup { group_id, ..described },
                Ok(None) => DescribedGroup {
                    group_id,
                    group_state: State::Dead.name().into(),
                    ..Default::default()
                },
                Ok(Some(None)) => DescribedGroup {
                    group_id,
                    error_code: ErrorCode::UNKNOWN_SERVER_ERROR,
                    ..Default::default()
                },
                Err(Refused { code: error_code, .. }) => {
                    DescribedGroup { group_id, error_code, ..Default::default() }
                }
            }
        });
        DescribeGroupsResponse { groups: groups.collect(), ..Default::default() }
    }

    pub(super) fn list_groups(&mut self, request: &ListGroupsRequest) -> ListGroupsResponse {
        let same = |wanted: &[String], is: &str| {
            wanted.is_empty() || wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(is))
        };
        let mut response = ListGroupsResponse::default();
        if !same(&request.types_filter, CLASSIC) {
            return response;
        }
        for shard in self.groups.shards.values_mut() {
            let groups = match shard {
                Shard::Loaded(groups) => groups,
                Shard::Loading(_) => {
                    let error_code = ErrorCode::COORDINATOR_LOAD_IN_PROGRESS;
                    return ListGroupsResponse { error_code, ..Default::default() };
                }
                Shard::Failed(_) => continue,
            };
            for (name, known) in groups {
                let listed = listed(name, known);
                if same(&request.states_filter, &listed.group_state) {
                    response.groups.push(listed);
                }
            }
        }
        response
    }

    pub(super) fn delete_groups(
        &mut self,
        now: Now,
        ticket: Ticket,
        request: DeleteGroupsRequest,
        out: &mut Vec<Output>,
    ) {
        let mut response = DeleteGroupsResponse::default();
        let mut open = 0;
        for (group_id, place) in request.groups_names.into_iter().zip(0..) {
            let done = match self.coordinates(&group_id) {
                Ok(id) => self.delete_group(now, &id, For::GroupDeleted(ticket, place), out),
                Err(refused) => Some(Err(refused)),
            };
            let error_code = match done {
                None => {
                    open += 1;
                    ErrorCode::NONE
                }
                Some(Ok(())) => ErrorCode::NONE,
                Some(Err(refused)) => told_by_log(refused.code),
            };
            response.results.push(DeletableGroupResult { group_id, error_code });
        }
        if open == 0 {
            return out.push(Output::Answer { ticket, answer: response.into() });
        }
        self.groups.deleting.insert(ticket, Deleting { response, open });
    }

    /// All that stands in the log of it is ended: its offsets, then the group. `None`: that waits.
    fn delete_group(
        &mut self,
        now: Now,
        id: &GroupId,
        waits: For,
        out: &mut Vec<Output>,
    ) -> Option<Result<(), Refused>> {
        let Some(known) = self.groups.known(id) else {
            return Some(Err(Refused::unknown_group(&id.1)));
        };
        let offsets = known.offsets.iter().flat_map(|(topic, partitions)| {
            partitions.keys().map(|index| forgotten(&id.1, topic, *index))
        });
        let records: Vec<GroupRecord> = offsets.collect();
        match self.call_group(now, id, out, |group, _| group.members().len()) {
            Ok(0) => {}
            Ok(_) => return Some(Err(Refused::non_empty_group(&id.1))),
            Err(refused) => return Some(Err(refused)),
        }
        if !self.write_in_pieces(now, id, records, out) {
            let why = "not all of its offsets could be deleted";
            return Some(Err(Refused::new(ErrorCode::COORDINATOR_NOT_AVAILABLE, why)));
        }
        let key = GroupMetadataKey { group: id.1.to_string() };
        let record = GroupRecord::GroupMetadata { key, value: None };
        let done = self.write_group(now, id, vec![record], waits, out);
        let config = self.groups_config();
        if done.as_ref().is_none_or(|done| done.is_ok())
            && let Some(known) = self.groups.known(id)
        {
            known.begin_anew(now, config);
        }
        self.tidy_group(now, id);
        done
    }

    /// One of the groups that somebody deletes is gone, or is not. The last of them answers.
    pub(super) fn group_deleted(
        &mut self,
        ticket: Ticket,
        place: usize,
        done: Result<(), Refused>,
        out: &mut Vec<Output>,
    ) {
        let Some(deleting) = self.groups.deleting.get_mut(&ticket) else { return };
        if let Err(refused) = done {
            deleting.response.results[place].error_code = told_by_log(refused.code);
        }
        deleting.open -= 1;
        if deleting.open == 0
            && let Some(Deleting { response, .. }) = self.groups.deleting.remove(&ticket)
        {
            out.push(Output::Answer { ticket, answer: response.into() });
        }
    }
}

fn described(group: &Group) -> DescribedGroup {
    let stable = group.state() == State::Stable;
    let protocol = group.protocol().filter(|_| stable).unwrap_or_default();
    let member = |member: &Member| DescribedGroupMember {
        member_id: member.id.clone(),
        group_instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.host.clone(),
        member_metadata: match stable {
            true => BytesMut::from(member.metadata(protocol)),
            false => BytesMut::new(),
        },
        // Until the next plan is asked for, Kafka shows the last one.
        member_assignment: BytesMut::from(&member.assignment[..]),
    };
    DescribedGroup {
        group_state: group.state().name().into(),
        protocol_type: group.protocol_type().unwrap_or_default().into(),
        protocol_data: protocol.into(),
        members: group.members().map(member).collect(),
        ..Default::default()
    }
}

/// A group whose organ is broken is as good as dead until the next start.
fn listed(name: &Arc<str>, known: &mut Known) -> ListedGroup {
    let found =
        known.get(|group| (group.state(), group.protocol_type().unwrap_or_default().to_string()));
    let (state, protocol_type) = found.unwrap_or((State::Dead, String::new()));
    ListedGroup {
        group_id: name.to_string(),
        protocol_type,
        group_state: state.name().into(),
        group_type: CLASSIC.into(),
    }
}
