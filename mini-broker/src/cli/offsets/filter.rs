//! Which partitions are meant by `orders:0-3,payments:5-`.

use std::ops::Range;

use crate::cli::Failure;
use crate::cli::topic_pattern::TopicPattern;

/// A partition is meant if one of the rules fits it.
pub struct Filter(Vec<Rule>);

struct Rule {
    topic: TopicPattern,
    partitions: Partitions,
}

enum Partitions {
    These(Vec<i32>),
    Within(Range<i32>),
}

impl Filter {
    /// No topic: all. No partitions: all.
    pub fn of_topic(topic: Option<&str>, partitions: &[i32]) -> Result<Self, Failure> {
        let topic = match topic {
            Some(topic) => TopicPattern::new("--topic", topic)?,
            None => TopicPattern::any(),
        };
        let partitions = match partitions {
            [] => Partitions::Within(0..i32::MAX),
            these => Partitions::These(these.to_vec()),
        };
        Ok(Self(vec![Rule { topic, partitions }]))
    }

    /// `GetOffsetShell.createTopicPartitionFilterWithPatternList`.
    pub fn of_list(list: &str) -> Result<Self, Failure> {
        list.split(',').map(rule).collect::<Result<_, _>>().map(Self)
    }

    pub fn fits(&self, topic: &str, partition: i32) -> bool {
        self.0.iter().any(|rule| {
            let fits = match &rule.partitions {
                Partitions::These(these) => these.contains(&partition),
                Partitions::Within(range) => range.contains(&partition),
            };
            fits && rule.topic.fits(topic)
        })
    }
}

fn rule(text: &str) -> Result<Rule, Failure> {
    let (topic, partitions) = text.split_once(':').unwrap_or((text, ""));
    let topic = match topic {
        "" => TopicPattern::any(),
        topic => TopicPattern::new("--topic-partitions", topic)?,
    };
    let partitions = self::partitions(partitions).ok_or_else(|| {
        Failure::usage(format!(
            "--topic-partitions `{text}`: expected TOPIC or TOPIC:PARTITIONS, and as partitions a \
             number, or a range such as 0-3, 5- or -3"
        ))
    })?;
    Ok(Rule { topic, partitions })
}

fn partitions(text: &str) -> Option<Partitions> {
    let number = |text: &str, otherwise| match text {
        "" => Some(otherwise),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    };
    match text.split_once('-') {
        Some((from, to)) => Some(Partitions::Within(number(from, 0)?..number(to, i32::MAX)?)),
        None if text.is_empty() => Some(Partitions::Within(0..i32::MAX)),
        None => Some(Partitions::These(vec![number(text, 0)?])),
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;

    /// Of five partitions, which fit.
    fn fitting(list: &str) -> Vec<i32> {
        let filter = Filter::of_list(list).unwrap();
        (0..5).filter(|partition| filter.fits("t", *partition)).collect()
    }

    #[test]
    fn ranges_are_read_as_kafka_reads_them() {
        assert_eq!(fitting("t:1"), [1]);
        assert_eq!(fitting("t:0-3"), [0, 1, 2]);
        assert_eq!(fitting("t:3-"), [3, 4]);
        assert_eq!(fitting("t:-2"), [0, 1]);
        assert_eq!(fitting("t"), [0, 1, 2, 3, 4]);
        assert_eq!(fitting("t:"), [0, 1, 2, 3, 4]);
        assert_eq!(fitting(":4"), [4]);
        assert_eq!(fitting("t:0,u,t:4"), [0, 4]);
        assert_eq!(fitting("u"), [0; 0]);
        for wrong in ["t:a", "t:1-2-3", "t:+1", "t:1:2", "t:99999999999", "*:1"] {
            assert_eq!(Filter::of_list(wrong).err().unwrap().exit_code, 2, "{wrong}");
        }
    }

    #[test]
    fn a_topic_and_its_partitions() {
        let filter = Filter::of_topic(Some("t|u"), &[1, 3]).unwrap();
        assert!(filter.fits("t", 3) && filter.fits("u", 1));
        assert!(!filter.fits("t", 0) && !filter.fits("v", 1));
        assert!(Filter::of_topic(None, &[]).unwrap().fits("v", 7));
    }
}
