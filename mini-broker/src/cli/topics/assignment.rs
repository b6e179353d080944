//! `--replica-assignment 1:2,2:3`: the brokers of each partition.

/// The brokers of every partition, from 0 on, the preferred leader first. None is empty, none names
/// a broker twice, and all are equally long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment(pub Vec<Vec<i32>>);

impl Assignment {
    /// Without the partitions that are there already.
    pub fn after(&self, have: usize) -> Vec<Vec<i32>> {
        self.0.iter().skip(have).cloned().collect()
    }
}

/// `TopicCommand.parseReplicaAssignment`.
pub fn parse(argument: &str) -> Result<Assignment, String> {
    let mut partitions: Vec<Vec<i32>> = Vec::new();
    for (index, text) in argument.split(',').enumerate() {
        let mut brokers = Vec::new();
        for id in text.split(':').map(str::trim) {
            let id = match id.parse::<i32>() {
                Ok(id) if id >= 0 => id,
                _ => {
                    return Err(format!(
                        "`{id}` is no broker id. Expected the brokers of each partition, such as \
                         1:2,2:3 for two partitions with two replicas each"
                    ));
                }
            };
            if brokers.contains(&id) {
                return Err(format!("partition {index} names broker {id} twice"));
            }
            brokers.push(id);
        }
        if let Some(first) = partitions.first()
            && first.len() != brokers.len()
        {
            return Err(format!(
                "partition {index} has another number of replicas than partition 0: {} and {}",
                brokers.len(),
                first.len()
            ));
        }
        partitions.push(brokers);
    }
    Ok(Assignment(partitions))
}

#[cfg(test)]
mod tests {
    use super::{Assignment, parse};

    #[test]
    fn brokers_stand_by_partition() {
        assert_eq!(parse("0:1,1:2"), Ok(Assignment(vec![vec![0, 1], vec![1, 2]])));
        assert_eq!(parse("1, 2 ,3").unwrap().after(2), [[3]]);
        assert!(parse("1").unwrap().after(2).is_empty());
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        assert!(parse("1,a").unwrap_err().starts_with("`a` is no broker id."));
        assert!(parse("1,,2").unwrap_err().starts_with("`` is no broker id."));
        assert!(parse("1,-1").unwrap_err().starts_with("`-1` is no broker id."));
        assert_eq!(parse("1:2,3:3").unwrap_err(), "partition 1 names broker 3 twice");
        assert_eq!(
            parse("1:2,1").unwrap_err(),
            "partition 1 has another number of replicas than partition 0: 1 and 2"
        );
    }
}
