//! The lines that `--export` prints and `--from-file` reads: `topic,partition,offset`, or for several
//! groups `group,topic,partition,offset`. What would not be safe between commas stands in quotes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::cli::Failure;
use crate::client::TopicPartition;

/// Group → partition → offset.
pub type Plan = BTreeMap<String, BTreeMap<TopicPartition, i64>>;

/// Kafka's tool looks no further into longer texts, and puts quotes around them.
const LONG: usize = 24;

/// `without_group`: there is one, and whoever reads the lines says which.
pub fn lines(plan: &Plan, without_group: bool) -> String {
    let mut lines = String::new();
    for (group, offsets) in plan {
        for ((topic, partition), offset) in offsets {
            if !without_group {
                lines.push_str(&quoted(group));
                lines.push(',');
            }
            lines.push_str(&format!("{},{partition},{offset}\n", quoted(topic)));
        }
    }
    lines
}

/// As Jackson, Kafka's CSV library, does it: for caution also around what lies before the comma in
/// ASCII.
fn quoted(text: &str) -> String {
    let safe = text.chars().count() <= LONG && text.chars().all(|letter| letter > ',');
    match safe && !text.is_empty() {
        true => text.to_owned(),
        false => format!("\"{}\"", text.replace('"', "\"\"")),
    }
}

pub fn read(file: &Path, groups: &[String]) -> Result<Plan, Failure> {
    let name = file.display();
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("cannot read {name}: {error}")))?;
    parse(&text, groups).map_err(|why| Failure::new(format!("{name}: {why}")))
}

/// Lines without a group are those of the one that was named.
fn parse(text: &str, groups: &[String]) -> Result<Plan, String> {
    let mut plan = Plan::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = |why: &str| {
            format!(
                "line {}, `{line}`: {why}. Expected topic,partition,offset for one --group, or \
                 group,topic,partition,offset",
                index + 1
            )
        };
        let fields = fields(line).ok_or_else(|| wrong("a quote is not closed"))?;
        let (group, topic, partition, offset) = match (&fields[..], groups) {
            ([topic, partition, offset], [group]) => (group, topic, partition, offset),
            ([group, topic, partition, offset], _) => (group, topic, partition, offset),
            ([_, _, _], _) => return Err(wrong("it names no group, and several are meant")),
            _ => return Err(wrong(&format!("{} fields", fields.len()))),
        };
        let number = partition.trim().parse::<i32>().ok().filter(|number| *number >= 0);
        let number =
            number.ok_or_else(|| wrong(&format!("`{partition}` is no number of a partition")))?;
        let at = offset.trim().parse::<i64>().ok();
        let at = at.ok_or_else(|| wrong(&format!("`{offset}` is no offset")))?;
        plan.entry(group.clone()).or_default().insert((topic.clone(), number), at);
    }
    Ok(plan)
}

/// `None`: a quote is not closed.
fn fields(line: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut letters = line.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        let field = fields.last_mut()?;
        match letter {
            '"' if quoted && letters.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            letter => field.push(letter),
        }
    }
    (!quoted).then_some(fields)
}

#[cfg(test)]
mod tests {
    use super::{Plan, lines, parse, quoted};

    #[test]
    fn what_is_exported_can_be_read() {
        let mut plan = Plan::new();
        for group in ["billing", "a, \"b\"", "x".repeat(25).as_str()] {
            for partition in [0, 10] {
                let offsets = plan.entry(group.to_owned()).or_default();
                offsets.insert(("orders".to_owned(), partition), 7);
            }
        }
        let text = lines(&plan, false);
        assert!(text.starts_with("\"a, \"\"b\"\"\",orders,0,7\n"), "{text}");
        assert_eq!(parse(&text, &[]).unwrap(), plan);

        plan.retain(|group, _| group == "billing");
        let text = lines(&plan, true);
        assert_eq!(text, "orders,0,7\norders,10,7\n");
        let one = ["billing".to_owned()];
        assert_eq!(parse(&text, &one).unwrap(), plan);
        assert_eq!(parse("billing,orders,0,7\n\nbilling,orders,10,7", &one).unwrap(), plan);
        assert_eq!(quoted("a.b-c_d"), "a.b-c_d");
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let one = ["g".to_owned()];
        let both = ["g".to_owned(), "h".to_owned()];
        for (text, groups, why) in [
            ("t,0,1\nt,x,1", &one[..], "line 2, `t,x,1`: `x` is no number of a partition. "),
            ("t,0,soon", &one, "line 1, `t,0,soon`: `soon` is no offset. "),
            ("t,0", &one, "line 1, `t,0`: 2 fields. Expected topic,partition,offset"),
            ("\"t,0,1", &one, "a quote is not closed"),
            ("t,0,1", &both, "it names no group, and several are meant"),
        ] {
            let said = parse(text, groups).unwrap_err();
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
