//! Requests that are for the coordinator, whichever broker they come to. They go there as they came, and
//! the answer leaves once this broker has read in the metadata log what it speaks of: a client that has
//! made a topic finds it there. Without the coordinator they wait, and at last say so.
//! (`ForwardingManager`, KIP-590.)

use std::net::IpAddr;

use bytes::BytesMut;
use wire::configs::{
    AlterConfigsResourceResponse, AlterConfigsResponse, IncrementalAlterConfigsResponse, resource,
};
use wire::envelope::{EnvelopeRequest, EnvelopeResponse};
use wire::topics::{
    CreatableTopicResult, CreatePartitionsResponse, CreatePartitionsTopicResult,
    CreateTopicsResponse, DeletableTopicResult, DeleteTopicsResponse,
};
use wire::{
    ErrorCode, Request, RequestHeader, Response, decode_request, decode_response, encode_request,
};

use super::membership::AGAIN_MS;
use super::waiting::{Owner, Then};
use super::{Answer, Asked, Broker, Client, Now, Output, Peer, PeerGone, Refused, Ticket};
use crate::coordinator::no_elections;

/// How long a request waits for the coordinator at most, in ms: a client that waits for 30 s, as most
/// do, is told why in time. And how long at least: a decision takes its time.
const PATIENCE_MS: u64 = 15_000;
const LEAST_PATIENCE_MS: u64 = 1_000;

/// A request that is with the coordinator, or is to go there again.
pub struct Forwarded {
    whose: Whose,
    header: RequestHeader,
    /// Header and body.
    frame: BytesMut,
    host: IpAddr,
    /// What this broker has to say to parts of the request, and their places in it.
    own: Vec<(usize, AlterConfigsResourceResponse)>,
    /// In `mono_ms`.
    deadline: u64,
    under_way: bool,
    /// Why it did not come back, the last time.
    lost: Option<PeerGone>,
    timer: u64,
}

/// Who waits for the answer.
pub enum Whose {
    Client(Ticket),
    /// A client that asked for the metadata of topics that were not there.
    Metadata(Ticket, Client, Box<Request>),
    /// All who look for a group's coordinator: they have to wait for the topic that groups are kept in.
    Searches,
}

impl Broker {
    /// Forwards a client's request.
    pub(super) fn forward(
        &mut self,
        now: Now,
        ticket: Ticket,
        client: &Client,
        mut request: Request,
        out: &mut Vec<Output>,
    ) {
        let own = self.take_own_part(&mut request);
        self.forward_for(now, Whose::Client(ticket), client, request, own, out);
    }

    pub(super) fn forward_for(
        &mut self,
        now: Now,
        whose: Whose,
        client: &Client,
        request: Request,
        own: Vec<(usize, AlterConfigsResourceResponse)>,
        out: &mut Vec<Output>,
    ) {
        let api_version = match whose {
            Whose::Client(_) => client.api_version,
            Whose::Metadata(..) | Whose::Searches => {
                wire::supported(request.api_key()).map_or(0, |range| range.max)
            }
        };
        let header = RequestHeader {
            api_key: request.api_key(),
            api_version,
            correlation_id: 0,
            client_id: client.id.clone(),
        };
        let frame = encode_request(&header, &request).split_off(4);
        let patience = match &request {
            Request::CreateTopics(request) => request.timeout_ms,
            Request::DeleteTopics(request) => request.timeout_ms,
            Request::CreatePartitions(request) => request.timeout_ms,
            Request::ElectLeaders(request) => request.timeout_ms,
            _ => i32::MAX,
        };
        let patience = u64::from(patience.max(0) as u32);
        self.last_forwarded += 1;
        let number = self.last_forwarded;
        let deadline = now.mono_ms + patience.clamp(LEAST_PATIENCE_MS, PATIENCE_MS);
        let forwarded = Forwarded {
            whose,
            header,
            frame,
            host: client.host,
            own,
            deadline,
            under_way: false,
            lost: None,
            timer: deadline,
        };
        self.timers.set(deadline, Owner::Forwarded(number));
        self.forwarded.insert(number, forwarded);
        self.send_forwarded(number, out);
    }

    fn send_forwarded(&mut self, number: u64, out: &mut Vec<Output>) {
        let Some(forwarded) = self.forwarded.get_mut(&number) else { return };
        forwarded.under_way = true;
        let host = match forwarded.host {
            IpAddr::V4(host) => BytesMut::from(&host.octets()[..]),
            IpAddr::V6(host) => BytesMut::from(&host.octets()[..]),
        };
        let request = EnvelopeRequest {
            request_data: forwarded.frame.clone(),
            client_host_address: host,
            ..Default::default()
        };
        self.ask(Peer::Coordinator, request.into(), Asked::Forwarded(number), out);
    }

    pub(super) fn forwarded_answered(
        &mut self,
        now: Now,
        number: u64,
        told: Result<EnvelopeResponse, PeerGone>,
        out: &mut Vec<Output>,
    ) {
        let Some(forwarded) = self.forwarded.get_mut(&number) else { return };
        forwarded.under_way = false;
        match told {
            Ok(told) => {
                let forwarded = self.forwarded.remove(&number).expect("just seen");
                self.timers.clear(forwarded.timer, Owner::Forwarded(number));
                let response = opened(&forwarded, told);
                self.answer_forwarded(now, forwarded, response, out);
            }
            Err(gone) => {
                forwarded.lost = Some(gone);
                let at = (now.mono_ms + AGAIN_MS).min(forwarded.deadline);
                let before = std::mem::replace(&mut forwarded.timer, at);
                self.timers.clear(before, Owner::Forwarded(number));
                self.timers.set(at, Owner::Forwarded(number));
            }
        }
    }

    /// The time has come to try again, or to give up.
    pub(super) fn forwarded_due(&mut self, now: Now, number: u64, out: &mut Vec<Output>) {
        let Some(forwarded) = self.forwarded.get_mut(&number) else { return };
        if now.mono_ms < forwarded.deadline {
            let deadline = forwarded.deadline;
            forwarded.timer = deadline;
            self.timers.set(deadline, Owner::Forwarded(number));
            return self.send_forwarded(number, out);
        }
        let forwarded = self.forwarded.remove(&number).expect("just seen");
        let why = match &forwarded.lost {
            Some(gone) => format!("The coordinator cannot be reached: {}", gone.0),
            None => "The coordinator did not answer in time.".into(),
        };
        let refused = Refused::new(ErrorCode::REQUEST_TIMED_OUT, why);
        let response = not_done(&forwarded, &refused);
        self.answer_forwarded(now, forwarded, response.map(|response| (response, 0)), out);
    }

    fn answer_forwarded(
        &mut self,
        now: Now,
        forwarded: Forwarded,
        response: Result<(Response, u64), String>,
        out: &mut Vec<Output>,
    ) {
        let Forwarded { whose, own, .. } = forwarded;
        let (answer, offset) = match response {
            Ok((mut response, offset)) => {
                put_own_part(&mut response, own);
                (Answer::Response { body: response, slices: Vec::new() }, offset)
            }
            Err(why) => (Answer::HangUp(why), 0),
        };
        let then = match whose {
            Whose::Client(ticket) => Then::Answer { ticket, answer },
            Whose::Metadata(ticket, client, request) => {
                Then::Again { ticket, client, request: *request }
            }
            Whose::Searches => Then::Search,
        };
        self.once_applied(now, offset, then, out);
    }

    /// Takes out of a request what only the broker itself may answer: another broker's settings are
    /// none of its business. (`ConfigAdminManager.preprocess`.)
    fn take_own_part(&self, request: &mut Request) -> Vec<(usize, AlterConfigsResourceResponse)> {
        let mut own = Vec::new();
        let mut place = 0;
        let mut stays = |kind: i8, name: &str| {
            let other = name.parse().is_ok_and(|id: i32| id != self.config.node_id);
            let refused = kind == resource::BROKER && other;
            if refused {
                own.push((
                    place,
                    AlterConfigsResourceResponse {
                        error_code: ErrorCode::INVALID_REQUEST,
                        error_message: Some(format!(
                            "Unexpected broker id, expected {}, but received {name}",
                            self.config.node_id
                        )),
                        resource_type: kind,
                        resource_name: name.into(),
                    },
                ));
            }
            place += 1;
            !refused
        };
        match request {
            Request::AlterConfigs(request) => {
                request.resources.retain(|it| stays(it.resource_type, &it.resource_name));
            }
            Request::IncrementalAlterConfigs(request) => {
                request.resources.retain(|it| stays(it.resource_type, &it.resource_name));
            }
            _ => {}
        }
        own
    }
}

/// Puts what the broker had to say itself back to its places.
fn put_own_part(response: &mut Response, own: Vec<(usize, AlterConfigsResourceResponse)>) {
    let responses = match response {
        Response::AlterConfigs(AlterConfigsResponse { responses, .. }) => responses,
        Response::IncrementalAlterConfigs(IncrementalAlterConfigsResponse {
            responses, ..
        }) => responses,
        _ => return,
    };
    for (place, part) in own {
        responses.insert(place.min(responses.len()), part);
    }
}

/// What stands in an envelope that has come back, and how far the metadata log has to be read before it
/// may be told. The error is a sentence.
fn opened(forwarded: &Forwarded, told: EnvelopeResponse) -> Result<(Response, u64), String> {
    let RequestHeader { api_key, api_version, .. } = forwarded.header;
    match told.response_data {
        Some(data) if told.error_code.is_ok() => {
            let response = decode_response(api_key, api_version, data);
            let (_, response) = response.map_err(|error| format!("the coordinator: {error}"))?;
            Ok((response, told.metadata_offset.max(0) as u64))
        }
        _ => Err(format!("the coordinator refused the request: {}", told.error_code)),
    }
}

/// The answer that says of every part of a request that it was not done. The error is a sentence, for
/// requests that have no place for that.
fn not_done(forwarded: &Forwarded, refused: &Refused) -> Result<Response, String> {
    let (_, request) =
        decode_request(forwarded.frame.clone()).map_err(|error| error.to_string())?;
    let (error_code, error_message) = (refused.code, Some(refused.why.clone()));
    let not_altered = |resource_type, resource_name| AlterConfigsResourceResponse {
        error_code,
        error_message: error_message.clone(),
        resource_type,
        resource_name,
    };
    Ok(match request {
        Request::CreateTopics(request) => {
            let topics = request.topics.into_iter().map(|topic| CreatableTopicResult {
                name: topic.name,
                error_code,
                error_message: error_message.clone(),
                ..Default::default()
            });
            CreateTopicsResponse { topics: topics.collect(), ..Default::default() }.into()
        }
        Request::CreatePartitions(request) => {
            let results = request.topics.into_iter().map(|topic| CreatePartitionsTopicResult {
                name: topic.name,
                error_code,
                error_message: error_message.clone(),
            });
            CreatePartitionsResponse { results: results.collect(), ..Default::default() }.into()
        }
        Request::DeleteTopics(request) => {
            let responses = request.topic_names.into_iter().map(|name| DeletableTopicResult {
                name,
                error_code,
                error_message: error_message.clone(),
            });
            DeleteTopicsResponse { responses: responses.collect(), ..Default::default() }.into()
        }
        Request::AlterConfigs(request) => {
            let resources = request.resources.into_iter();
            let responses = resources.map(|it| not_altered(it.resource_type, it.resource_name));
            AlterConfigsResponse { responses: responses.collect(), ..Default::default() }.into()
        }
        Request::IncrementalAlterConfigs(request) => {
            let resources = request.resources.into_iter();
            let responses = resources.map(|it| not_altered(it.resource_type, it.resource_name));
            let responses = responses.collect();
            IncrementalAlterConfigsResponse { responses, ..Default::default() }.into()
        }
        Request::ElectLeaders(request) => no_elections(request, refused).into(),
        _ => return Err(refused.why.clone()),
    })
}
