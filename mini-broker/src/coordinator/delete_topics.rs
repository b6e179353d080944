//! DeleteTopics. What a topic's partitions lie in is removed by the brokers that keep them, when they
//! read of it.

use wire::ErrorCode;
use wire::topics::{DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse};

use super::create_topics::named_twice;
use super::{Coordinator, Record};
use crate::node::{Now, Refused};

impl Coordinator {
    pub(super) fn delete_topics(
        &mut self,
        now: Now,
        request: DeleteTopicsRequest,
    ) -> DeleteTopicsResponse {
        let twice = named_twice(request.topic_names.iter());
        let answered = |name, done| {
            let (error_code, error_message) = Refused::told(done);
            DeletableTopicResult { name, error_code, error_message }
        };
        let mut responses = Vec::with_capacity(request.topic_names.len());
        for name in request.topic_names {
            if !twice.contains(&name) {
                let deleted = self.delete_topic(now, &name);
                responses.push(answered(name, deleted));
            }
        }
        responses.extend(twice.into_iter().map(|name| answered(name, Err(Refused::named_twice()))));
        DeleteTopicsResponse { responses, ..Default::default() }
    }

    fn delete_topic(&mut self, now: Now, name: &str) -> Result<(), Refused> {
        if !self.config.flag("delete.topic.enable") {
            return Err(Refused::new(
                ErrorCode::TOPIC_DELETION_DISABLED,
                "Topic deletion is disabled: delete.topic.enable is false.",
            ));
        }
        let topic = self.cluster.topics.get(name).ok_or_else(Refused::unknown_topic)?;
        let id = topic.id;
        self.append(now, vec![Record::RemoveTopic { id }])
    }
}
