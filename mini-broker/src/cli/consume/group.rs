//! Reading as a member of a group.

use std::io::Write;
use std::time::Duration;

use super::{Args, Patience, Printer, Properties};
use crate::cli::nodes::Signals;
use crate::cli::{Failure, terminal};
use crate::client::Client;
use crate::client::group_consumer::{Event, GroupConsumer, Settings};

/// Whoever presses Ctrl-C does not wait for longer, for each of commit and leave.
const GOODBYE: Duration = Duration::from_secs(5);

pub async fn run(
    args: &Args,
    properties: &Properties,
    settings: Settings,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let mut client =
        Client::connect(&args.bootstrap_server).await?.client_id(&properties.client_id);
    // A topic that is not there is made, as without a group.
    if client.leaders(&args.topic).await.is_err() {
        client.partitions(&args.topic, true).await?;
    }
    let mut consumer = GroupConsumer::new(client, &args.topic, settings);
    let mut signals = Signals::new()?;
    let result = tokio::select! {
        result = print_messages(args, &mut consumer, printer) => result,
        () = signals.next() => Ok(()),
    };
    // Also after an error: others should not have to wait for the session to end.
    let closed = tokio::select! {
        closed = consumer.close(GOODBYE) => closed.map_err(Failure::from),
        () = signals.next() => Err(Failure::new(
            "stopped at once: what was read last may be read again, and others wait for the session to \
             end",
        )),
    };
    result.and(closed)
}

async fn print_messages(
    args: &Args,
    consumer: &mut GroupConsumer,
    printer: &mut Printer,
) -> Result<(), Failure> {
    let mut patience = Patience::new(args);
    let mut progress = terminal::Progress::beside_output();
    while !printer.has_all() {
        let event = tokio::select! {
            event = consumer.poll() => event?,
            () = patience.ends() => return Ok(()),
        };
        let before = printer.printed;
        match event {
            Event::Assigned { generation, partitions } => {
                eprintln!("{}", told(generation, &partitions, &args.topic));
            }
            Event::Late(limit) => eprintln!(
                "{} ms have passed since the last poll, which is max.poll.interval.ms: left the group, \
                 joining again",
                limit.as_millis()
            ),
            Event::Fetched(fetched) => {
                for fetched in &fetched {
                    if let Some((offset, leader_epoch)) = printer.print(fetched)? {
                        consumer.read(fetched.partition, offset, leader_epoch);
                    }
                }
            }
        }
        if printer.printed > before {
            patience.begins_anew();
            printer.out.flush()?;
            progress.update(|| format!("{} messages", printer.printed));
        }
    }
    Ok(())
}

/// `generation 3: partitions 0, 1 and 2 of orders`
fn told(generation: i32, partitions: &[i32], topic: &str) -> String {
    let mut numbers: Vec<i32> = partitions.to_vec();
    numbers.sort_unstable();
    let numbers: Vec<String> = numbers.iter().map(i32::to_string).collect();
    match &numbers[..] {
        [] => format!("generation {generation}: no partition of {topic}"),
        [one] => format!("generation {generation}: partition {one} of {topic}"),
        [most @ .., last] => {
            format!("generation {generation}: partitions {} and {last} of {topic}", most.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn an_assignment_is_one_short_line() {
        assert_eq!(told(1, &[], "t"), "generation 1: no partition of t");
        assert_eq!(told(2, &[4], "t"), "generation 2: partition 4 of t");
        assert_eq!(told(3, &[10, 2, 0], "t"), "generation 3: partitions 0, 2 and 10 of t");
    }
}
