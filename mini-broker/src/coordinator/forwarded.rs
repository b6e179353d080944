//! What clients ask of the cluster as a whole. They ask any broker, which forwards the request as it
//! came. (KIP-590: `Envelope`.)

use wire::envelope::{EnvelopeRequest, EnvelopeResponse};
use wire::{ErrorCode, Listener, Request, Response, decode_request_on, encode_response};

use super::Coordinator;
use crate::node::{Now, Output};

/// Whether a request is for the coordinator to decide, whichever broker it comes to.
pub fn is_for_coordinator(request: &Request) -> bool {
    matches!(
        request,
        Request::CreateTopics(_)
            | Request::CreatePartitions(_)
            | Request::DeleteTopics(_)
            | Request::AlterConfigs(_)
            | Request::IncrementalAlterConfigs(_)
            | Request::ElectLeaders(_)
    )
}

impl Coordinator {
    pub(super) fn unwrap(
        &mut self,
        now: Now,
        request: EnvelopeRequest,
        out: &mut Vec<Output>,
    ) -> EnvelopeResponse {
        let refused = |error_code| EnvelopeResponse { error_code, ..Default::default() };
        let Ok((header, request)) = decode_request_on(Listener::Controller, request.request_data)
        else {
            return refused(ErrorCode::INVALID_REQUEST);
        };
        let Some(response) = self.admin(now, request, out) else {
            return refused(ErrorCode::INVALID_REQUEST);
        };
        let mut frame = encode_response(&header, &response).bytes;
        EnvelopeResponse {
            // Without the four bytes of length.
            response_data: Some(frame.split_off(4)),
            metadata_offset: self.log.promised() as i64,
            ..Default::default()
        }
    }

    /// Decides, or `None` if the request is not for the coordinator.
    pub(super) fn admin(
        &mut self,
        now: Now,
        request: Request,
        out: &mut Vec<Output>,
    ) -> Option<Response> {
        Some(match request {
            Request::CreateTopics(request) => self.create_topics(now, request, out).into(),
            Request::CreatePartitions(request) => self.create_partitions(now, request, out).into(),
            Request::DeleteTopics(request) => self.delete_topics(now, request).into(),
            Request::AlterConfigs(request) => self.alter_configs(now, request, out).into(),
            Request::IncrementalAlterConfigs(request) => {
                self.incremental_alter_configs(now, request, out).into()
            }
            Request::ElectLeaders(request) => self.elect_leaders(now, request, out).into(),
            _ => return None,
        })
    }
}
