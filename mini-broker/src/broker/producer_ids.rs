//! InitProducerId: a producer gets an id, so that its retries can be told from new batches. The
//! coordinator gives a block of them at a time. (`ProducerIdManager`, KIP-98.)

use std::ops::Range;

use wire::producer_id::{
    AllocateProducerIdsRequest, AllocateProducerIdsResponse, InitProducerIdRequest,
    InitProducerIdResponse,
};
use wire::{ErrorCode, Request};

use super::{Answer, Asked, Broker, Now, Output, Peer, PeerGone, Refused, Ticket};

#[derive(Default)]
pub struct ProducerIds {
    /// Those that may be handed out.
    free: Range<i64>,
    /// Who waits for the next block. There is one under way if somebody does.
    waiting: Vec<Ticket>,
}

impl Broker {
    pub(super) fn init_producer_id(
        &mut self,
        ticket: Ticket,
        request: &InitProducerIdRequest,
        out: &mut Vec<Output>,
    ) {
        if let Some(id) = &request.transactional_id {
            return out.push(answer(ticket, Err(Refused::transactional(id).code)));
        }
        if let Some(id) = self.producer_ids.free.next() {
            return out.push(answer(ticket, Ok(id)));
        }
        self.producer_ids.waiting.push(ticket);
        if self.producer_ids.waiting.len() == 1 {
            self.ask_for_producer_ids(out);
        }
    }

    fn ask_for_producer_ids(&mut self, out: &mut Vec<Output>) {
        let request = AllocateProducerIdsRequest {
            broker_id: self.config.node_id,
            broker_epoch: self.membership.epoch,
        };
        self.ask(Peer::Coordinator, Request::from(request), Asked::ProducerIds, out);
    }

    pub(super) fn producer_ids_allocated(
        &mut self,
        _now: Now,
        told: Result<AllocateProducerIdsResponse, PeerGone>,
        out: &mut Vec<Output>,
    ) {
        let mut waiting = std::mem::take(&mut self.producer_ids.waiting).into_iter();
        match told {
            Ok(told) if told.error_code.is_ok() => {
                let first = told.producer_id_start;
                self.producer_ids.free = first..first + i64::from(told.producer_id_len);
                for ticket in waiting.by_ref() {
                    match self.producer_ids.free.next() {
                        Some(id) => out.push(answer(ticket, Ok(id))),
                        None => self.producer_ids.waiting.push(ticket),
                    }
                }
                if !self.producer_ids.waiting.is_empty() {
                    self.ask_for_producer_ids(out);
                }
            }
            // Clients try again.
            _ => out.extend(
                waiting.map(|ticket| answer(ticket, Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS))),
            ),
        }
    }
}

fn answer(ticket: Ticket, id: Result<i64, ErrorCode>) -> Output {
    let response = match id {
        Ok(producer_id) => {
            InitProducerIdResponse { producer_id, producer_epoch: 0, ..Default::default() }
        }
        Err(error_code) => InitProducerIdResponse {
            error_code,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        },
    };
    Output::Answer { ticket, answer: Answer::from(response) }
}
